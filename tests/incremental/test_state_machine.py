"""An incremental build equals a clean build, always; and no task runs whose inputs are the same.

Random edits, touches, renames, reverts, damaged outputs and caches, and kills in the middle of a write; after each, the
build that continues is compared with one that starts from nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mop import files
from tests.incremental.builds import BASE, CONTENTS, Build, Declaration, build, clean_copy

NAMES = st.sampled_from(sorted(CONTENTS))
Snapshot = dict[str, bytes]


class Killed(BaseException):
    """The process dies here."""


class Platform(RuleBasedStateMachine):
    """One platform folder, edited at random."""

    @initialize()
    def found(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="mop-incremental-"))
        self.root = self.base / "platform"
        self.declaration = Declaration()
        for name, text in BASE.items():
            self._write(name, text)
        self._declare()
        self.snapshots: list[Snapshot] = [self._sources()]
        self.last: Build | None = None
        self.damaged = True
        self.check()

    def teardown(self) -> None:
        if hasattr(self, "base"):
            shutil.rmtree(self.base)

    # ------------------------------------------------------------ edits

    @rule(name=NAMES, pick=st.integers(0, 9))
    def edit(self, name: str, pick: int) -> None:
        """Write, add, or shadow."""
        texts = CONTENTS[name]
        self._write(name, texts[pick % len(texts)])
        self.check()

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)
        self.check()

    @rule(name=NAMES, other=NAMES)
    def rename(self, name: str, other: str) -> None:
        """Also onto another file; the inode and the mtime move with it."""
        if (self.root / name).exists():
            (self.root / other).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).replace(self.root / other)
        self.check()

    @rule(name=NAMES, pick=st.integers(0, 9))
    def edit_without_a_new_mtime(self, name: str, pick: int) -> None:
        """As rsync -t, cp -p and some editors do."""
        path = self.root / name
        if path.exists():
            marks = path.stat()
            path.write_text(CONTENTS[name][pick % len(CONTENTS[name])])
            os.utime(path, ns=(marks.st_atime_ns, marks.st_mtime_ns))
        self.check()

    @rule(
        kubernetes=st.sampled_from(["1.33", "1.34"]),
        namespace=st.sampled_from(["shop", "mall"]),
        extra=st.booleans(),
        other_order=st.sampled_from(["all-at-once", "component-by-component"]),
        comment=st.sampled_from(["", "# a comment"]),
    )
    def declare(self, **fields: object) -> None:
        """mop.yaml: versions, namespaces, components; the other environment; a comment."""
        self.declaration = dataclasses.replace(self.declaration, **fields)
        self._declare()
        self.check()

    @rule()
    def touch(self) -> None:
        """New times, same bytes: nothing may run."""
        for path in self._files():
            os.utime(path)
        self.check()

    @precondition(lambda self: len(self.snapshots) > 1)
    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        """As `git checkout` of an earlier state does."""
        snapshot = data.draw(st.sampled_from(self.snapshots))
        for path in self._files():
            path.unlink()
        for name, content in snapshot.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.check()

    # ------------------------------------------------------------ accidents

    @rule(seed=st.integers(0, 2**16))
    def delete_outputs(self, seed: int) -> None:
        self._damage(seed, self.root / ".mop", lambda path: path.unlink())

    @rule(seed=st.integers(0, 2**16), part=st.sampled_from([".mop", "../cache"]))
    def corrupt(self, seed: int, part: str) -> None:
        """Any file below .mop/ or in the shared cache: cut short, or a byte flipped."""

        def spoil(path: Path) -> None:
            content = bytearray(path.read_bytes())
            if content and seed % 2:
                content[seed % len(content)] ^= 1 << (seed % 8)
            else:
                del content[len(content) // 2 :]
            path.write_bytes(content)

        self._damage(seed, self.root / part, spoil)

    @rule(after=st.integers(0, 12), name=NAMES, pick=st.integers(0, 9))
    def edit_and_kill(self, after: int, name: str, pick: int) -> None:
        """The process dies at one of its writes, before or after the rename; then the next run goes on."""
        self._write(name, CONTENTS[name][pick % len(CONTENTS[name])])
        self.damaged = True
        replace, calls = os.replace, iter(range(10**6))

        def dying(source: object, target: object) -> None:
            call = next(calls)
            if call == after and pick % 2:
                raise Killed
            replace(source, target)  # type: ignore[arg-type]
            if call == after:
                raise Killed

        with mock.patch.object(files.os, "replace", dying), contextlib.suppress(Killed):
            build(self.root, self.base / "cache")
        self.check()

    # ------------------------------------------------------------ what must hold

    def check(self) -> None:
        """The build that goes on equals one from nothing; nothing ran that need not; another run does nothing."""
        clean = build(clean_copy(self.root, self.base / "clean"), self.base / "clean-cache")
        shutil.rmtree(self.base / "clean-cache", ignore_errors=True)
        found = build(self.root, self.base / "cache")
        assert found.error == clean.error
        assert found.files == clean.files
        if self.last is not None and not self.damaged and not clean.error and not self.last.error:
            self._nothing_ran_in_vain(found, clean)
        if not found.error:
            assert build(self.root, self.base / "cache").ran == frozenset(), "a second run does nothing"
        self.damaged = False
        self.last = dataclasses.replace(found, inputs=clean.inputs)
        self.snapshots = [*self.snapshots[-4:], self._sources()]

    def _nothing_ran_in_vain(self, found: Build, clean: Build) -> None:
        assert self.last is not None
        for environment in ("dev", "other"):
            before = {k: v for k, v in self.last.inputs.items() if k.startswith(f"{environment}/")}
            now = {k: v for k, v in clean.inputs.items() if k.startswith(f"{environment}/")}
            if before == now:
                ran = {name for name in found.ran if name.split(":")[1] == environment}
                assert not ran, f"{environment}'s inputs are the same, yet {ran} ran: {self._changed(found)}"

    def _changed(self, found: Build) -> list[object]:
        """What the record of the build that went on says now and did not say before, and the other way round."""
        assert self.last is not None
        mine = self.last.inputs, found.inputs
        return [name for name in mine[0] if mine[0][name] != mine[1].get(name)]

    @invariant()
    def sources_are_only_read(self) -> None:
        """A build writes below .mop alone."""
        if hasattr(self, "snapshots"):
            assert self._sources() == self.snapshots[-1]

    # ------------------------------------------------------------ tools

    def _write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _declare(self) -> None:
        self._write("mop.yaml", self.declaration.text())

    def _files(self) -> list[Path]:
        return [
            path
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and ".mop" not in path.relative_to(self.root).parts
        ]

    def _sources(self) -> Snapshot:
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in self._files()}

    def _damage(self, seed: int, folder: Path, spoil: object) -> None:
        chance = random.Random(seed)  # noqa: S311
        victims = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        for path in chance.sample(victims, min(len(victims), 1 + seed % 3)):
            spoil(path)  # type: ignore[operator]
        self.damaged = True
        self.check()


def test_an_incremental_build_equals_a_clean_one() -> None:
    """Two hundred steps."""
    run_state_machine_as_test(
        Platform, settings=settings(max_examples=10, stateful_step_count=20, deadline=None)
    )


@pytest.mark.nightly
def test_an_incremental_build_equals_a_clean_one_for_long() -> None:
    """Two thousand steps, from another seed each time."""
    run_state_machine_as_test(
        Platform, settings=settings(max_examples=50, stateful_step_count=40, deadline=None, derandomize=False)
    )
