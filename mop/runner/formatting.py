"""Our own Jsonnet, formatted: what lies in lib/ and in the environments' folders, never what was vendored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mop.errors import MopError
from mop.files import write_atomic
from mop.model import Platform
from mop.problem import Problem

#: The index of dashboards for plain tk, and the library that reads it, known by the native that it asks with MOP.
_INDEX = Path("lib/dashboards/index.libsonnet")
_LIBRARY, _NATIVE = Path("lib/dashboards.libsonnet"), b"mopDashboards"


def unformatted(platform: Platform, *, write: bool) -> tuple[list[Path], list[Problem]]:
    """The files that differ from the formatter's output, and those that it cannot read; `write` mends the first."""
    from mop.engines.jsonnet_format import formatted

    differing, problems = _index(platform, write=write)
    for path in sources(platform):
        relative = path.relative_to(platform.root)
        try:
            text = path.read_text(encoding="utf-8")
            wanted = formatted(str(relative), text)
        except UnicodeDecodeError as error:
            problems.append(Problem("this is no UTF-8 text", file=str(relative), found=str(error)))
        except MopError as error:
            problems.append(Problem(error.message))  # it begins with the file and the line
        else:
            if wanted != text:
                differing.append(relative)
                if write:
                    write_atomic(path, wanted, mode=path.stat().st_mode & 0o777)
    return differing, problems


def _index(platform: Platform, *, write: bool) -> tuple[list[Path], list[Problem]]:
    """Make the dashboards' index what their folders hold, or say that it is not; a file of another hand stays."""
    from mop.engines.jsonnet_dashboards import HEADER, index

    path, library = platform.root / _INDEX, platform.root / _LIBRARY
    found = path.read_bytes() if path.is_file() else b""
    if not library.is_file() or _NATIVE not in library.read_bytes():
        return [], []
    if found and not found.startswith(HEADER.encode()):
        return [], []
    wanted = index(path.parent).encode()
    # Where there are no dashboards, nobody reads an index.
    if found == wanted or (not found and b"importstr" not in wanted):
        return [], []
    if write:
        write_atomic(path, wanted)
        return [_INDEX], []
    message = "plain tk would read other dashboards than the folders hold"
    return [], [Problem(message, file=str(_INDEX), hint="`inv fmt` writes it")]


def sources(platform: Platform) -> Iterator[Path]:
    """Every Jsonnet file of lib/ and of the environments, sorted; links to other places are not followed."""
    folders = {platform.root / "lib", *(platform.root / each.path for each in platform.environments.values())}
    found = {
        path
        for folder in folders
        for pattern in ("*.jsonnet", "*.libsonnet")
        for path in folder.rglob(pattern)
        if path.is_file() and not path.is_symlink()
    }
    yield from sorted(found)
