"""The embedded control plane's status as text and as JSON."""

from __future__ import annotations

import json

from mop.controlplane import Member, Status

_SIMULATED = "its nodes and pods are simulated: no container runs"


def status_text(status: Status) -> str:
    """For people: the state, and a line for each member."""
    lines = [f"the embedded cluster: {status.state} ({_SIMULATED})"]
    for member in status.members:
        facts = _running(member) if member.running else "not running"
        lines.append(
            f"  {'✓' if member.running else '✗'} {member.name:<24} {member.version:<10} {facts}".rstrip()
        )
    if status.endpoint is not None:
        lines += [f"  server      {status.endpoint.server}", f"  KUBECONFIG={status.endpoint.kubeconfig}"]
    return "\n".join(lines)


def status_json(status: Status) -> str:
    """For programs; no token."""
    document = {
        "state": status.state,
        "simulated": True,
        "server": status.endpoint.server if status.endpoint else None,
        "kubeconfig": str(status.endpoint.kubeconfig) if status.endpoint else None,
        "members": [
            {
                "name": member.name,
                "version": member.version,
                "running": member.running,
                **(
                    {"pid": member.pid, "port": member.port or None, "seconds": round(member.uptime)}
                    if member.running
                    else {}
                ),
            }
            for member in status.members
        ],
    }
    return json.dumps(document, indent=2)


def _running(member: Member) -> str:
    port = f" on port {member.port}" if member.port else ""
    return f"pid {member.pid}{port}, {member.memory // 2**20} MiB, up {member.uptime:.0f} s"
