"""The record of what was started: processes by member, and the ports that they were given."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mop.controlplane.members import APISERVER, MEMBERS
from mop.controlplane.processes import Process, end, running
from mop.files import PRIVATE_FILE, write_atomic


@dataclass
class Record:
    """Kept in `file`, written after every change, so that a killed start leaves nothing unknown behind."""

    file: Path
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path) -> Record:
        """What was recorded; an absent or damaged file is an empty record."""
        try:
            known = json.loads(file.read_text())
            processes = {
                name: Process(int(one["pid"]), str(one["born"])) for name, one in known["processes"].items()
            }
            versions = {name: str(one["version"]) for name, one in known["processes"].items()}
            return cls(file, {name: int(port) for name, port in known["ports"].items()}, processes, versions)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(file)

    def save(self) -> None:
        """Write it whole."""
        processes = {
            name: {"pid": one.pid, "born": one.born, "version": self.versions.get(name, "")}
            for name, one in self.processes.items()
        }
        document = {"ports": self.ports, "processes": processes}
        write_atomic(self.file, json.dumps(document, indent=2) + "\n", mode=PRIVATE_FILE)

    def alive(self, member: str) -> Process | None:
        """The member's process, if it still runs."""
        process = self.processes.get(member)
        return process if process is not None and running(process) else None


def grace(member: str) -> float:
    """Seconds that a member has to end by itself."""
    # The API server would wait a minute for whoever still watches it; it keeps nothing itself, so it may be killed.
    return 2.0 if member == APISERVER else 10.0


def end_all(record: Record, members: Iterable[str] = MEMBERS) -> bool:
    """End `members`, the last started first. Gives whether any was running."""
    stopped = False
    for member in sorted(members, key=MEMBERS.index, reverse=True):
        process = record.alive(member)
        if process is not None:
            stopped = True
            end(process, grace(member))
        if record.processes.pop(member, None) is not None:
            record.save()
    return stopped
