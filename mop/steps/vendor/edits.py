"""Was a vendored folder changed by hand? What was installed is remembered, file by file, below .mop/."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mop import trees
from mop.errors import VendorError
from mop.files import PRIVATE_FILE, Digests, write_atomic
from mop.problem import Problem

_SHOWN = 20


def remember(root: Path, name: str, tree: str, files: Mapping[str, str]) -> None:
    """Note what was installed at charts/`name`."""
    write_atomic(_record(root, name), json.dumps({"tree": tree, "files": dict(files)}), mode=PRIVATE_FILE)


def forget(root: Path, name: str) -> None:
    """The chart is no longer ours."""
    _record(root, name).unlink(missing_ok=True)


def refuse_known(root: Path, name: str, target: Path) -> None:
    """Raises VendorError, without a network, if `target` is not what was installed and it is known what that was."""
    tree, files = _remembered(root, name)
    if tree and target.exists() and Digests(root).tree(target) != tree:
        raise _edited(name, trees.differences(trees.files(target), files))


def refuse_unknown(root: Path, name: str, target: Path, files: Mapping[str, str]) -> None:
    """Raises VendorError if `target` is somebody's: nothing is remembered of it, and it differs from `files`."""
    if not _remembered(root, name)[0] and target.exists():
        lines = trees.differences(trees.files(target), files)
        if lines:
            raise _edited(name, lines)


def problems(root: Path, name: str, target: Path) -> list[Problem]:
    """Each file of `target` that is not as it was installed; or one Problem for all, where that is not known."""
    tree, files = _remembered(root, name)
    if not target.exists():
        return [Problem("the chart is not there", file=f"charts/{name}", hint="run `inv vendor`")]
    lines = trees.differences(trees.files(target), files) if tree else []
    return [
        Problem(f"{word} since it was vendored", file=f"charts/{name}/{file}")
        for word, _, file in (line.partition(": ") for line in lines)
    ] or [Problem("the folder is not what mop.lock says", file=f"charts/{name}", hint="run `inv vendor`")]


def _edited(name: str, lines: list[str]) -> VendorError:
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    listed = "\n".join(f"  {line}" for line in [*lines[:_SHOWN], *more])
    return VendorError(
        f"charts/{name} is not what was vendored, and is left as it is:\n{listed}",
        hint="customise charts in Jsonnet, not in charts/; `inv vendor --force` replaces the folder",
    )


def _remembered(root: Path, name: str) -> tuple[str, dict[str, str]]:
    """Nothing if there is no record, or it is damaged: the folder then counts as somebody's."""
    try:
        record = json.loads(_record(root, name).read_text())
        return str(record["tree"]), dict(record["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", {}


def _record(root: Path, name: str) -> Path:
    return root / ".mop" / "vendored" / "charts" / f"{name}.json"
