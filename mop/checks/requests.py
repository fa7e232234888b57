"""Containers say what they need: requests of CPU and memory, and a limit of memory.

Without a memory limit one container can take its node down; without requests the scheduler packs blindly. A CPU
limit is not asked for: it throttles.
"""

from __future__ import annotations

from collections.abc import Iterator

from mop.checks.objects import Objects, mapping
from mop.problem import Problem


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each container that leaves something out; init containers come and go."""
    for workload in objects.workloads:
        for path, container in workload.containers:
            limits = mapping(container, "resources", "limits")
            # The API server takes a limit for the request where that is left out.
            requests = {**limits, **mapping(container, "resources", "requests")}
            lacking = [f"requests.{name}" for name in ("cpu", "memory") if name not in requests]
            lacking += ["limits.memory"] if "memory" not in limits else []
            if lacking and ".initContainers[" not in path:
                yield workload.item.problem(
                    f"says nothing of {', '.join(lacking)}",
                    f"{path}.resources",
                    hint="set what the container needs, so that the scheduler and the node can plan",
                )
