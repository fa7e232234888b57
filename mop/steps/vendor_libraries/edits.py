"""Was a vendored library changed by hand? What was installed is remembered, file by file, below .mop/."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mop import trees
from mop.errors import VendorError
from mop.files import PRIVATE_FILE, sha256, write_atomic
from mop.problem import Problem

_SHOWN = 20


def remember(root: Path, path: str, tree: str, files: Mapping[str, str]) -> None:
    """Note what was installed at vendor/`path`."""
    write_atomic(_record(root, path), json.dumps({"tree": tree, "files": dict(files)}), mode=PRIVATE_FILE)


def forget(root: Path, path: str) -> None:
    """The library is no longer ours."""
    _record(root, path).unlink(missing_ok=True)


def refuse(root: Path, path: str, target: Path, there: str | None, files: Mapping[str, str]) -> None:
    """Raises VendorError if `target`, whose digest is `there`, is not what was installed.

    Where nothing is remembered it is somebody's if it has other files than `files`, which are to come.
    """
    if not target.exists():
        return
    tree, known = _remembered(root, path)
    if there == tree:
        return
    lines = trees.differences(trees.files(target), known or files)
    if not known:
        # A folder above libraries that are already there holds less, and no harm is done.
        lines = [line for line in lines if not line.startswith("missing")]
    if lines:
        listed = [*lines[:_SHOWN], *([f"… and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else [])]
        raise VendorError(
            f"vendor/{path} was edited:\n  " + "\n  ".join(listed),
            hint="keep the change by moving it to lib/ or the environment's Jsonnet; `inv vendor --force` drops it",
        )


def problems(root: Path, path: str, where: str) -> list[Problem]:
    """Each file that is not as it was installed; or one Problem for all, where that is not known."""
    target = root / "vendor" / path
    tree, known = _remembered(root, path)
    if not target.exists():
        return [Problem("the library is not there", file=where, hint="run `inv vendor`")]
    lines = trees.differences(trees.files(target), known) if tree else []
    return [
        Problem(f"{word} since it was vendored", file=f"{where}/{file}")
        for word, _, file in (line.partition(": ") for line in lines)
    ] or [Problem("the folder is not what mop.lock says", file=where, hint="run `inv vendor`")]


def _remembered(root: Path, path: str) -> tuple[str, dict[str, str]]:
    """Nothing if there is no record, or it is damaged: the folder then counts as somebody's."""
    try:
        record = json.loads(_record(root, path).read_text())
        return str(record["tree"]), dict(record["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", {}


def _record(root: Path, path: str) -> Path:
    return root / ".mop" / "vendored" / "libraries" / f"{sha256(path)}.json"
