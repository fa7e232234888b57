"""Where each result lives under `.mop/`, how it is written, and the record of what it was made from.

A record is written last and removed first, so a run that is killed leaves work to do, never a wrong result.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mop.files import PRIVATE_FILE, Digests, Input, private_folder, sha256, write_atomic, write_folder
from mop.manifest import Manifest, file_names, ref


@dataclass(frozen=True, slots=True)
class Record:
    """What one output was made from: `key` sums up versions and settings, `inputs` the files; `digest` is its own.

    `facts` is whatever else the step wants to remember (Helm renders, random templates, scopes of CRDs).
    """

    key: str
    inputs: tuple[Input, ...]
    digest: str
    facts: Mapping[str, Any]


class Outputs:
    """The folder `.mop/` of a platform: evaluated, rendered and validated results by environment and component."""

    def __init__(self, root: Path, digests: Digests) -> None:
        self.root = root
        self.folder = root / ".mop"
        self.digests = digests
        #: By output, as first read; as with digests, one run looks once.
        self._records: dict[Path, Record] = {}

    # ------------------------------------------------------------ places

    def evaluated(self, environment: str, component: str) -> Path:
        """The component's evaluated Jsonnet value, as the engine wrote it; may hold secrets (0600)."""
        return self.folder / "evaluated" / environment / f"{component}.json"

    def rendered(self, environment: str, component: str) -> Path:
        """The folder of the component's manifests, for people and kubectl."""
        return self.folder / "rendered" / environment / component

    def manifests(self, environment: str, component: str) -> Path:
        """The same manifests as one JSON list in apply order, for the next stage; may hold secrets (0600)."""
        return self.folder / "manifests" / environment / f"{component}.json"

    def findings(self, environment: str, component: str) -> Path:
        """Problems of the component ("" = across components), as JSON."""
        return self.folder / "validated" / environment / f"{component or '@environment'}.json"

    # ------------------------------------------------------------ records

    def record(self, output: Path) -> Record | None:
        """The record of `output`, or None if there is none or it cannot be read."""
        known = self._records.get(output) or _read_record(output)
        if known is not None:
            self._records[output] = known
        return known

    def current(self, output: Path, key: str) -> bool:
        """Whether `output` is there, undamaged, and made from what its inputs still are."""
        record = self.record(output)
        return (
            record is not None
            and record.key == key
            and self.digests.file(output) == record.digest
            and all(self.digests.unchanged(item) for item in record.inputs)
        )

    def forget(self, output: Path) -> None:
        """Remove the record of `output`: it is about to change."""
        self._records.pop(output, None)
        _record_path(output).unlink(missing_ok=True)

    def write(
        self,
        output: Path,
        text: str,
        key: str,
        inputs: Iterable[Input] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> bool:
        """Write `output` and then its record; gives whether the bytes of `output` changed."""
        self.private()
        changed = write_atomic(output, text, mode=PRIVATE_FILE)
        self.digests.fresh(output)
        rows = [[item.path, item.kind, item.digest] for item in sorted(set(inputs))]
        record = {"key": key, "digest": sha256(text), "facts": facts or {}, "inputs": rows}
        write_atomic(_record_path(output), json.dumps(record, separators=(",", ":")), mode=PRIVATE_FILE)
        self._records.pop(output, None)
        return changed

    # ------------------------------------------------------------ manifests

    def load_manifests(self, environment: str, component: str) -> list[Manifest]:
        """The rendered objects of a component, in apply order. FileNotFoundError if it was not rendered."""
        loaded: list[Manifest] = json.loads(self.manifests(environment, component).read_text())
        return loaded

    def write_files(
        self, folder: Path, manifests: Iterable[Manifest], texts: Iterable[str]
    ) -> dict[str, str]:
        """Make `folder` hold exactly one file for each manifest, and give file name → digest.

        Only files whose bytes differ are rewritten; Secrets are private.
        """
        self.private()
        manifests = list(manifests)
        names = file_names(manifests)
        files = [
            (names[ref(manifest)], text, PRIVATE_FILE if manifest["kind"] == "Secret" else 0o644)
            for manifest, text in zip(manifests, texts, strict=True)
        ]
        written = {name: sha256(text) for name, text, _ in files}
        if write_folder(folder, files):
            self.digests.fresh(folder)
            return written
        for name, text, mode in files:
            write_atomic(folder / name, text, mode=mode)
            self.digests.fresh(folder / name)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.name not in written:
                remove(path)
                self.digests.fresh(path)
        return written

    def prune(self, environments: Mapping[str, Iterable[str]]) -> None:
        """Remove results of environments, and of components, that mop.yaml no longer declares."""
        for stage in ("evaluated", "rendered", "manifests", "validated"):
            base = self.folder / stage
            for folder in base.iterdir() if base.is_dir() else ():
                if folder.name not in environments:
                    remove(folder)
                    continue
                kept = {*environments[folder.name], "@environment"}
                for path in folder.iterdir():
                    if path.name.split(".json")[0] not in kept:
                        remove(path)

    def private(self) -> None:
        """Make `.mop/` a folder that only its owner can enter."""
        if not self.folder.is_dir() or stat.S_IMODE(self.folder.stat().st_mode) != 0o700:
            private_folder(self.folder)


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder; that it is gone already is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def _read_record(output: Path) -> Record | None:
    try:
        data = json.loads(_record_path(output).read_bytes())
        inputs = tuple(Input(path, kind, digest) for path, kind, digest in data["inputs"])
        return Record(data["key"], inputs, data["digest"], data["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _record_path(output: Path) -> Path:
    return output.with_name(f"{output.name}.record")
