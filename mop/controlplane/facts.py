"""What the control plane tells its callers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

#: Where lines about long work go; nothing in this package prints.
Progress = Callable[[str], None]


def silent(_line: str) -> None:
    """A Progress that nobody reads."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to reach the API server, as its administrator. `ca` and `kubeconfig` are files."""

    server: str
    ca: Path
    kubeconfig: Path
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """One process. `port` is 0 for a member that does not listen; `uptime` in seconds, `memory` in bytes."""

    name: str
    version: str
    running: bool
    pid: int = 0
    port: int = 0
    uptime: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """`running`: every member is alive; `partly`: some are, and `start` would complete them."""

    state: Literal["running", "stopped", "partly"]
    members: tuple[Member, ...]
    folder: Path
    endpoint: Endpoint | None = None
