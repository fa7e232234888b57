"""Pods have no more power over their node than they need.

Told are privileged containers, host namespaces, hostPath volumes and added capabilities. Node agents need some of
them: say so with the reason at the object, `mop.raibid-labs.dev/skip-checks: privileges — reads the node's logs`.
"""

from __future__ import annotations

from collections.abc import Iterator

from mop.checks.objects import Objects, Workload, get, items, objects_in
from mop.problem import Problem

_HOST = ("hostNetwork", "hostPID", "hostIPC")
#: What the restricted and baseline Pod Security Standards let through.
_HARMLESS = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
        "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each power over the node."""
    for workload in objects.workloads:
        yield from _pod(workload)
        for path, container in workload.containers:
            if get(container, "securityContext", "privileged") is True:
                yield workload.item.problem(
                    "a privileged container owns its node", f"{path}.securityContext.privileged"
                )
            added = items(container, "securityContext", "capabilities", "add")
            wide = [str(name) for name in added if name not in _HARMLESS]
            if wide:
                where = f"{path}.securityContext.capabilities.add"
                yield workload.item.problem(f"adds capabilities: {', '.join(wide)}", where)


def _pod(workload: Workload) -> Iterator[Problem]:
    for field in _HOST:
        if workload.pod.get(field) is True:
            yield workload.item.problem(f"shares its node's namespace: {field}", f"{workload.path}.{field}")
    for index, volume in objects_in(workload.pod, "volumes"):
        path = get(volume, "hostPath", "path")
        if path is not None:
            where = f"{workload.path}.volumes[{index}].hostPath"
            yield workload.item.problem(f"mounts the node's {path}", where)
