"""Folders of Grafana dashboards as Jsonnet gets them: texts by file name, never evaluated.

Jsonnet cannot list a folder. With MOP two natives do, and what they listed and read is an input of the evaluation;
for plain tk a committed index of `importstr` lines says the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from mop.engines.jsonnet_helm import located
from mop.engines.jsonnet_imports import Record
from mop.errors import EvaluationError
from mop.files import listing, private_folder, sha256, write_atomic
from mop.problem import Problem

PATTERN = "*.json"
#: What the API server allows the values of a ConfigMap (kubernetes: pkg/apis/core, MaxSecretSize).
LIMIT = 1 << 20
#: First line of an index that is ours to write.
HEADER = (
    "// The dashboards in the folders beside this file. Written by `inv fmt`; `inv lint` holds it to them.\n"
)
_WHY = "// Plain tk reads it, for Jsonnet cannot list a folder; MOP reads the folders themselves.\n"
#: Part of what is remembered: raise it when a text that was fine may not be any more.
_REVISION = "1"
_POSITION = re.compile(r": line \d+ column \d+ \(char \d+\)$")


@dataclass
class Dashboards:
    """The natives `mopDashboards` and `mopDashboard`, for one evaluation of the platform at `root`."""

    root: Path
    record: Record
    _contents: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def names(self, folder: object, called_from: object) -> str:
        """The names of `*.json` in `folder`, seen from the file that calls, as JSON.

        Raises EvaluationError with a line for each file that Grafana could not load or a ConfigMap could not hold.
        """
        return json.dumps(list(self._folder(folder, called_from)))

    def text(self, folder: object, name: object, called_from: object) -> str:
        """The text of one of them: by itself, for the engine reads a text faster than JSON that holds it."""
        contents = self._folder(folder, called_from)
        if not isinstance(name, str) or name not in contents:
            raise EvaluationError(
                f"mopDashboard: no dashboard {name!r} in {folder}; mopDashboards names them"
            )
        return contents[name].decode()

    def _folder(self, folder: object, called_from: object) -> dict[str, bytes]:
        if not (isinstance(folder, str) and isinstance(called_from, str) and called_from):
            raise EvaluationError(
                f"mopDashboards: expected a folder and std.thisFile, found {folder!r} and {called_from!r}"
            )
        path = located({"calledfrom": called_from}, folder, self.root)
        if path not in self._contents:
            self._contents[path] = self._load(Path(path))
        return self._contents[path]

    def _load(self, path: Path) -> dict[str, bytes]:
        shown = self.record.relative(str(path))
        names = listing(path / PATTERN)
        self.record.listed(str(path / PATTERN), names)
        if not names:
            raise EvaluationError(
                f"expected a folder with dashboards, found no {shown}/{PATTERN}{_near(path)}"
            )
        contents = {name: self._read(path / name) for name in names}
        faults = self._faults(shown, contents)
        if faults:
            lines = "".join(f"\n  {fault}" for fault in faults)
            raise EvaluationError(
                f"{len(faults)} of the {len(names)} dashboards in {shown} cannot be used:{lines}"
            )
        return contents

    def _read(self, path: Path) -> bytes:
        try:
            data = path.read_bytes()
        except OSError as error:
            shown = self.record.relative(str(path))
            raise EvaluationError(f"cannot read the dashboard {shown}: {error.strerror}") from error
        self.record.file(str(path), data)
        return data

    def _faults(self, shown: str, contents: Mapping[str, bytes]) -> list[Problem]:
        """Problems of texts that were not found sound before; what is sound is remembered by its digest."""
        digests = {name: sha256(data) for name, data in contents.items()}
        memory = self.root / ".mop" / "dashboards" / sha256(shown)[:16]
        known = _sound(memory)
        checked = [
            check(f"{shown}/{name}", data) for name, data in contents.items() if digests[name] not in known
        ]
        faults = [fault for fault in checked if fault is not None]
        if checked and not faults:
            private_folder(self.root / ".mop")
            write_atomic(memory, "\n".join([_REVISION, *sorted(set(digests.values()))]) + "\n")
        return faults


def check(file: str, data: bytes) -> Problem | None:
    """What keeps Grafana from loading the dashboard, or a ConfigMap from holding it."""
    if len(data) > LIMIT:
        return Problem(
            "the dashboard is too large for a ConfigMap",
            file=file,
            expected=f"at most {LIMIT} bytes",
            found=f"{len(data)}",
            hint="store it without indentation (`jq -c .`), or make it two dashboards",
        )
    try:
        value = json.loads(data.decode(), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Problem("this is no UTF-8 text", file=file, line=line, found=f"byte {data[error.start]:#04x}")
    except json.JSONDecodeError as error:
        message = _POSITION.sub("", str(error))
        return Problem(f"this is no JSON: {message}", file=file, line=error.lineno, column=error.colno)
    except (ValueError, RecursionError) as error:
        return Problem(f"this is no JSON: {error}", file=file)
    if not isinstance(value, dict):
        return Problem("a dashboard is a JSON object", file=file, line=1, found=type(value).__name__)
    return None


def index(folder: Path) -> str:
    """The committed index (Jsonnet, formatted) of the dashboards in the folders right below `folder`."""
    from mop.engines.jsonnet_format import formatted

    lines = [HEADER, _WHY, "{\n"]
    for below in sorted(folder.iterdir() if folder.is_dir() else ()):
        names = listing(below / PATTERN) if below.is_dir() and not below.name.startswith(".") else ()
        if names:
            lines.append(f"  {_quoted(below.name)}: {{\n")
            lines += [
                f"    {_quoted(name)}: importstr {_quoted(f'{below.name}/{name}')},\n" for name in names
            ]
            lines.append("  },\n")
    return formatted("index.libsonnet", "".join([*lines, "}\n"]))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _near(path: Path) -> str:
    """The folders that could have been meant."""
    there = path.parent.iterdir() if path.parent.is_dir() else ()
    names = sorted(it.name for it in there if it.is_dir() and listing(it / PATTERN))
    return f"; beside it, dashboards are in: {', '.join(names)}" if names else ""


def _sound(memory: Path) -> set[str]:
    """Digests of texts that were checked; a memory that is gone or damaged knows nothing."""
    try:
        revision, *digests = memory.read_text().split()
    except (OSError, ValueError):
        return set()
    return set(digests) if revision == _REVISION else set()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
