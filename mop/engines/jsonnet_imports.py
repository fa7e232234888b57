"""Where Jsonnet imports are looked up, as Tanka does (pkg/jsonnet/jpath), and the record of what was read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from mop.engines.jsonnet_source import INTERNAL, MARK, Edit, prepare
from mop.errors import EvaluationError
from mop.files import Input, sha256

_TK = f"{INTERNAL}tk.libsonnet"


def project_root(root: Path, entrypoint: Path, record: Record) -> Path:
    """The folder whose lib/ and vendor/ are searched, for an entrypoint inside the platform at `root`.

    Tanka's root (the nearest folder with tkrc.yaml, else the nearest with jsonnetfile.json) if it lies inside
    the platform, else `root`. What was looked for goes into `record`.
    """
    above = [p for p in entrypoint.parents if p == root or root in p.parents]
    for marker in ("tkrc.yaml", "jsonnetfile.json"):
        for folder in above:
            if record.exists(str(folder / marker)):
                return folder
    return root


def search_path(project: Path, base: Path) -> tuple[str, ...]:
    """Folders that are searched after the importing file's own, in order."""
    return (str(base), str(project / "lib"), str(base / "vendor"), str(project / "vendor"))


class Record:
    """What an evaluation read or looked for; paths relative to `root` where they lie inside it."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.join(root, "")  # noqa: PTH118
        self._inputs: dict[str, Input] = {}

    def relative(self, path: str) -> str:
        """`path` as it is recorded and shown."""
        return path.removeprefix(self._root)

    def file(self, path: str, data: bytes) -> None:
        """`data` was read from `path`."""
        self._add(Input(self.relative(path), "file", sha256(data)))

    def known(self, path: str, digest: str) -> None:
        """The file at `path` has `digest`."""
        self._add(Input(self.relative(path), "file", digest))

    def absent(self, path: str) -> None:
        """Nothing was at `path`."""
        self._add(Input(self.relative(path), "absent"))

    def tree(self, path: str, digest: str) -> None:
        """A chart or a kustomization, by its tree's digest."""
        self._add(Input(self.relative(path), "tree", digest))

    def listed(self, pattern: str, names: Iterable[str]) -> None:
        """`pattern` (`folder/*.json`) matched `names`."""
        self._add(Input.names(self.relative(pattern), names))

    def exists(self, path: str) -> bool:
        """Whether a file is at `path`, recorded either way."""
        try:
            self.file(path, Path(path).read_bytes())
        except OSError:
            self.absent(path)
            return False
        return True

    def inputs(self) -> tuple[Input, ...]:
        """All of it, sorted."""
        return tuple(sorted(self._inputs.values()))

    def _add(self, item: Input) -> None:
        self._inputs.setdefault(f"{item.kind == 'tree'}{item.path}", item)


class Importer:
    """Answers the engine's import, importstr and importbin; every file is read at most once."""

    def __init__(
        self, record: Record, paths: tuple[str, ...], served: Mapping[str, str], internal: Mapping[str, str]
    ) -> None:
        self._record = record
        self._paths = paths
        self._served = {clean(path): text.encode() for path, text in served.items()}
        self._internal = {path: text.encode() for path, text in internal.items()}
        self._files: dict[str, bytes | None] = {}
        self._code: dict[str, bytes] = {}
        self._answers: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
        self.edits: dict[str, tuple[Edit, ...]] = {}

    def __call__(self, base: bytes, asked: bytes) -> tuple[bytes, bytes]:
        """(where it was found, its content) for `asked` in a file of folder `base` ("": not in a file)."""
        answer = self._answers.get((base, asked))
        if answer is None:
            answer = self._answers[base, asked] = self._answer(base, asked)
        return answer

    def _answer(self, base: bytes, asked: bytes) -> tuple[bytes, bytes]:
        path, data = self._find(os.fsdecode(base), os.fsdecode(asked.removesuffix(MARK)))
        if asked.endswith(MARK):
            return os.fsencode(path) + MARK, data
        if path not in self.edits:
            self._code[path], self.edits[path] = (data, ()) if path.startswith(INTERNAL) else prepare(data)
        return os.fsencode(path), self._code[path]

    def _find(self, base: str, asked: str) -> tuple[str, bytes]:
        internal = _TK if asked == "tk" else asked
        if internal in self._internal:
            return internal, self._internal[internal]
        looked = []
        for folder in (base, *self._paths) if base else self._paths:
            path = clean(asked if asked.startswith("/") else f"{folder}/{asked}")
            data = self._read(path)
            if data is not None:
                return path, data
            if path not in looked:
                looked.append(path)
        places = "".join(f"\n  {self._record.relative(path)}" for path in looked)
        raise EvaluationError(f"couldn't open import {asked!r}: there is no such file; looked for{places}")

    def _read(self, path: str) -> bytes | None:
        if path in self._served:
            return self._served[path]
        if path not in self._files:
            self._files[path] = self._load(path)
        return self._files[path]

    def _load(self, path: str) -> bytes | None:
        try:
            data = Path(path).read_bytes()
        except FileNotFoundError:
            self._record.absent(path)
            return None
        except OSError as error:
            # Tanka stops here too, rather than looking further (go-jsonnet: imports.go, tryPath).
            raise EvaluationError(
                f"couldn't open import {self._record.relative(path)!r}: {error.strerror}"
            ) from error
        self._record.file(path, data)
        return data


def clean(path: str) -> str:
    """`path` without `.`, `..` and doubled slashes, links left alone (Go: filepath.Clean)."""
    return os.path.normpath(path).replace("//", "/")
