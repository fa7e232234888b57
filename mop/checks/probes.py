"""What serves says when it is ready.

Without a readiness probe, a Service sends requests to pods that still start, and a rollout goes on over broken
ones; MOP's canary and readiness rest on it as well. Asked of containers whose ports a Service leads to.
"""

from __future__ import annotations

from collections.abc import Iterator

from mop.checks.network import Pods, network
from mop.checks.objects import Objects, Workload, objects_in, text
from mop.problem import Problem


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each container behind a Service that has no readiness probe."""
    net = network(objects)
    behind: dict[int, tuple[Workload, set[int]]] = {}
    for service in net.services.values():
        for pods in net.behind(service):
            if pods.workload is not None and pods.workload.item.ref.kind != "Job":
                ports = behind.setdefault(id(pods.workload), (pods.workload, set()))[1]
                ports.update(_numbers(pods, [port.target for port in service.ports]))
    for workload, ports in behind.values():
        for path, container in workload.containers:
            own = {port.get("containerPort") for _, port in objects_in(container, "ports")}
            if own & ports and "readinessProbe" not in container and ".initContainers[" not in path:
                yield workload.item.problem(
                    f"container {text(container, 'name')} serves a Service without a readinessProbe",
                    path,
                    hint="add one, so that only pods that are ready get requests",
                )


def _numbers(pods: Pods, targets: list[int | str]) -> set[int]:
    return {pods.ports.get(target, 0) if isinstance(target, str) else target for target in targets}
