"""Why a workload waits, from its pods, and when waiting longer is pointless (cluster.md, Readiness). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mop.manifest import Manifest

#: `now`: fails at once; `grace`: fails when it has not changed for the grace time; `never`: only says why.
Ends = Literal["now", "grace", "never"]
_SEVERITY = {"now": 0, "grace": 1, "never": 2}

_PULL = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError")
_CANNOT_START = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError")
#: A container that crashed less often may only have waited for another.
_RESTARTS = 4
REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`kind` stays equal while the trouble is the same one (restart counts and texts move)."""

    kind: str
    text: str
    ends: Ends
    pod: str = ""
    container: str = ""
    crashed: bool = False  # its last words are in the log of the container before


def explain(
    workload: Manifest, pods: Iterable[Manifest], replica_sets: Iterable[Manifest] = ()
) -> Trouble | None:
    """The worst trouble among the pods of `workload`; None where none of them tells of any."""
    troubles = [trouble for pod in pods_of(workload, pods, replica_sets) for trouble in pod_troubles(pod)]
    return min(troubles, key=lambda trouble: _SEVERITY[trouble.ends], default=None)


def pods_of(
    workload: Manifest, pods: Iterable[Manifest], replica_sets: Iterable[Manifest] = ()
) -> list[Manifest]:
    """The pods that `workload` controls; of a Deployment those of its newest revision: old ones go anyway."""
    if workload["kind"] == "Pod":
        return [workload]
    owners = {_uid(workload)}
    if workload["kind"] == "Deployment":
        mine = [each for each in replica_sets if _controller(each) == _uid(workload)]
        newest = max((_revision(each) for each in mine), default=0)
        owners = {_uid(each) for each in mine if _revision(each) == newest}
    return [pod for pod in pods if _controller(pod) in owners]


def pod_troubles(pod: Manifest) -> Iterator[Trouble]:
    """What keeps one pod from being ready."""
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield _unscheduled(name, condition)
    if status.get("phase") == "Failed":
        yield Trouble(
            "Failed", f"pod {name} failed: {status.get('message') or status.get('reason')}", "never", name
        )
    for field in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(field) or []:
            trouble = _container_trouble(name, container)
            if trouble is not None:
                yield trouble


def _unscheduled(pod: str, condition: Mapping[str, Any]) -> Trouble:
    reason = str(condition.get("reason") or "Unschedulable")
    text = f"pod {pod}: {reason}: {condition.get('message', '')}".rstrip(": ")
    return Trouble(reason, text, "grace" if reason == "Unschedulable" else "never", pod)


def _container_trouble(pod: str, status: Mapping[str, Any]) -> Trouble | None:
    state, name = status.get("state") or {}, str(status.get("name", ""))
    waiting, terminated = state.get("waiting") or {}, state.get("terminated") or {}
    reason = str(waiting.get("reason", ""))
    if reason == "InvalidImageName":
        return Trouble(reason, _told(pod, name, reason, waiting), "now", pod, name)
    if reason in _PULL:
        return Trouble("image", _told(pod, name, reason, waiting), "grace", pod, name)
    if reason in _CANNOT_START:
        return Trouble(reason, _told(pod, name, reason, waiting), "grace", pod, name)
    if reason == "CrashLoopBackOff":
        return _crashing(pod, name, status)
    if terminated and terminated.get("exitCode"):
        code = f"{terminated.get('reason', 'Error')}, exit code {terminated['exitCode']}"
        return Trouble("exited", f"pod {pod}, container {name}: {code}", "never", pod, name)
    return None


def _crashing(pod: str, name: str, status: Mapping[str, Any]) -> Trouble:
    restarts = int(status.get("restartCount") or 0)
    last = (status.get("lastState") or {}).get("terminated") or {}
    code = (
        f", last {last.get('reason', 'Error')} with exit code {last['exitCode']}"
        if "exitCode" in last
        else ""
    )
    text = f"pod {pod}, container {name}: CrashLoopBackOff after {restarts} restarts{code}"
    return Trouble(
        "CrashLoopBackOff", text, "grace" if restarts >= _RESTARTS else "never", pod, name, crashed=True
    )


def _told(pod: str, container: str, reason: str, waiting: Mapping[str, Any]) -> str:
    message = str(waiting.get("message") or "").strip().split("\n")[0]
    return f"pod {pod}, container {container}: {reason}" + (f": {message}" if message else "")


def _uid(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("uid", ""))


def _controller(manifest: Manifest) -> str:
    for owner in manifest["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            return str(owner.get("uid"))
    return ""


def _revision(replica_set: Manifest) -> int:
    value = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(value) if str(value).isdigit() else 0
