"""Export rendered manifests to a folder, for GitOps: each file by rename, nothing foreign touched.

The folder holds `<environment>/<component>/<file>` and an index of what MOP wrote; only what the index lists is ever
removed. (tk's replace mode deletes first and evaluates then, so that an error leaves holes.)
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mop.errors import ManifestError
from mop.files import sha256, write_atomic

INDEX = ".mop-export.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many files were written anew, removed, and left as they were."""

    written: int
    removed: int
    kept: int


def export(target: Path, parts: Mapping[str, Path]) -> Outcome:
    """Make `target/<key>` hold the files of the rendered folder `parts[key]` (`staging/loki` → folder).

    What the index lists under other keys stays. Raises ManifestError, before anything changes, if a file that MOP did
    not write is in the way.
    """
    index = _read_index(target)
    wanted = {f"{key}/{path.name}": path for key, folder in parts.items() for path in _files(folder)}
    _check(target, wanted, index)
    stale = [name for name in index if name.rpartition("/")[0] in parts and name not in wanted]
    # First the index of all that may be there, so that a killed export leaves nothing that it does not list.
    both = {**index, **{name: sha256(path.read_bytes()) for name, path in wanted.items()}}
    _write_index(target, both)
    written = sum(
        # A Secret stays as private as it was rendered.
        write_atomic(target / name, path.read_bytes(), mode=stat.S_IMODE(path.stat().st_mode))
        for name, path in wanted.items()
    )
    for name in stale:
        (target / name).unlink(missing_ok=True)
        _remove_empty((target / name).parent, target)
    _write_index(target, {name: digest for name, digest in both.items() if name not in stale})
    return Outcome(written, len(stale), len(wanted) - written)


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix == ".yaml")


def _check(target: Path, wanted: Iterable[str], index: Mapping[str, str]) -> None:
    foreign = [name for name in wanted if name not in index and (target / name).exists()]
    if foreign:
        shown = "".join(f"\n  {name}" for name in foreign[:20])
        raise ManifestError(
            f"{target} holds files that MOP did not write, where it would write:{shown}",
            hint="move them away, or export to another folder",
        )


def _read_index(target: Path) -> dict[str, str]:
    path = target / INDEX
    if not path.exists():
        return {}
    try:
        files = json.loads(path.read_text())["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(
            f"{path}: expected the index of an earlier export, found something else ({error})",
            hint="without it MOP cannot tell its files from yours: restore it, or export to an empty folder",
        ) from None


def _write_index(target: Path, files: Mapping[str, str]) -> None:
    document = {
        "comment": "written by `inv export`; these files are MOP's",
        "files": dict(sorted(files.items())),
    }
    write_atomic(target / INDEX, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
