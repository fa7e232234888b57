"""`cluster.start`, `cluster.stop`, `cluster.status`: the control plane that MOP runs itself."""

from __future__ import annotations

from typing import Any

from mop.commands.base import JSON, command


@command()
def start(_context: Any) -> int:
    """
    Start the embedded control plane; its binaries are built on first use (minutes, once for each version).

    Example: inv cluster.start
    """
    out, plane = _plane()
    endpoint = plane.start()
    out.note("the embedded cluster runs; its nodes and pods are simulated: no container runs")
    out.result(f"KUBECONFIG={endpoint.kubeconfig}")
    return 0


@command()
def stop(_context: Any) -> int:
    """
    Stop the embedded control plane; what was applied is kept for the next start.

    Example: inv cluster.stop
    """
    out, plane = _plane()
    plane.stop()
    out.note("the embedded cluster is stopped")
    return 0


@command(help={"json": JSON})
def status(_context: Any, json: bool = False) -> int:
    """
    Say whether the embedded control plane runs, and each of its members; exit 1 when it does not run wholly.

    Example: inv cluster.status --json
    """
    from mop.report.controlplane import status_json, status_text

    out, plane = _plane()
    state = plane.status()
    out.result(status_json(state) if json else status_text(state))
    return 0 if state.state == "running" else 1


def _plane() -> tuple[Any, Any]:
    from pathlib import Path

    from mop import config
    from mop.controlplane import ControlPlane
    from mop.report.terminal import terminal

    out = terminal()
    return out, ControlPlane(config.find(Path.cwd()).parent, progress=out.note)
