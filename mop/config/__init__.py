"""mop.yaml → Platform. Every mistake at once, with its place, what was expected, and the nearest name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from mop.config import build, memory, tanka
from mop.errors import ConfigError
from mop.model import Platform, TankaEnvironment
from mop.problem import Problem

#: The one declaration of a platform.
NAME = "mop.yaml"


def find(start: Path) -> Path:
    """mop.yaml in `start` or the nearest folder above it. Raises ConfigError if there is none."""
    folder = start.absolute()
    for candidate in (folder, *folder.parents):
        if (candidate / NAME).is_file():
            return candidate / NAME
        if (candidate / "mop.yml").is_file():
            raise ConfigError(f"expected {NAME}, found mop.yml in {candidate}", hint=f"rename it to {NAME}")
    raise ConfigError(
        f"expected {NAME} in {folder} or a folder above it, found none",
        hint="change to a platform's folder, or write a new one with `mop init`",
    )


def load(path: Path) -> Platform:
    """The platform that `path`, a mop.yaml, declares.

    Raises ConfigError with a Problem for each mistake. A file that was valid last time is not checked again.
    """
    path = path.absolute()
    root = path.parent
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    remembered = memory.recall(root, data)
    if remembered is not None:
        specs, problems = tanka.read_all(root, remembered)
        if not problems and tanka.complete(root, remembered, specs):
            return build.platform(root, remembered, specs)
    declared, specs = _check(root, data)
    memory.remember(root, data, declared)
    return build.platform(root, declared, specs)


def check(root: Path, data: bytes) -> Platform:
    """The platform that the bytes of a mop.yaml in `root` declare. Raises ConfigError with every mistake."""
    declared, specs = _check(root, data)
    return build.platform(root, declared, specs)


def _check(root: Path, data: bytes) -> tuple[dict[str, Any], dict[str, TankaEnvironment]]:
    # What only a changed mop.yaml needs is imported here: PyYAML takes longer than the rest.
    from mop.config import document, environments, references, validity

    read = document.read(data, NAME)
    specs: dict[str, TankaEnvironment] = {}
    if read.value is not None:
        for check in (validity.check, references.check, partial(environments.check, root=root)):
            told, before = {problem.path for problem in read.problems}, len(read.problems)
            check(read)
            # One complaint about one place: what is of the wrong form also names nothing.
            read.problems[before:] = [p for p in read.problems[before:] if p.path not in told]
        specs, problems = tanka.read_all(root, read.value)
        read.problems += problems
    if read.problems:
        raise _error(read.problems)
    return read.value, specs


def _error(problems: Iterable[Problem]) -> ConfigError:
    ordered = sorted(problems, key=lambda p: (p.file != NAME, p.file, p.line, p.column))
    count = "1 mistake" if len(ordered) == 1 else f"{len(ordered)} mistakes"
    return ConfigError(f"{NAME} has {count}", problems=ordered)
