"""Our own Jsonnet, formatted: what lies in lib/ and in the environments' folders, never what was vendored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mop.errors import MopError
from mop.files import write_atomic
from mop.model import Platform
from mop.problem import Problem


def unformatted(platform: Platform, *, write: bool) -> tuple[list[Path], list[Problem]]:
    """The files that differ from the formatter's output, and those that it cannot read; `write` mends the first."""
    from mop.engines.jsonnet_format import formatted

    differing: list[Path] = []
    problems: list[Problem] = []
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
