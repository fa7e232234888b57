"""A folder is the old one or the new one at every moment, whatever interrupts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop import trees

_NAME = st.text("abc", min_size=1, max_size=3)
_TREE = st.dictionaries(
    st.lists(_NAME, min_size=1, max_size=3).map(
        lambda parts: "/".join([*(f"{p}.d" for p in parts[:-1]), parts[-1]])
    ),
    st.binary(max_size=20),
    min_size=1,
    max_size=6,
)


class Killed(BaseException):
    """The process ends here."""


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def read(folder: Path) -> dict[str, bytes] | None:
    if not folder.exists():
        return None
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def killed_at(step: int, patch: pytest.MonkeyPatch) -> None:
    """Every call that changes the file system counts; the one of number `step` is not made any more."""
    counted = 0

    def counting(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted_call(*args: Any, **kwargs: Any) -> Any:
            nonlocal counted
            counted += 1
            if counted > step:
                raise Killed
            return call(*args, **kwargs)

        return counted_call

    for name in ("rename", "unlink", "rmdir", "mkdir", "replace", "chmod"):
        patch.setattr(os, name, counting(getattr(os, name)))
    patch.setattr(trees, "_exchange", counting(trees._exchange))


@pytest.mark.parametrize("exchanging", [True, False], ids=["exchange", "two renames"])
@given(old=st.none() | _TREE, new=_TREE, step=st.integers(0, 20))
def test_after_a_kill_the_folder_is_the_old_or_the_new_one(
    tmp_path_factory: pytest.TempPathFactory,
    exchanging: bool,
    old: dict[str, bytes] | None,
    new: dict[str, bytes],
    step: int,
) -> None:
    target = tmp_path_factory.mktemp("trees") / "charts" / "web"
    if old is not None:
        write(target, old)
    staged = write(trees.staged(target), new)
    with pytest.MonkeyPatch.context() as patch:
        if not exchanging:
            patch.setattr(trees, "_exchange", lambda _one, _other: False)
        killed_at(step, patch)
        try:
            trees.replace(staged, target)
            finished = True
        except Killed:
            finished = False
    if exchanging:
        assert read(target) in ([new] if finished else [old, new])
    # What the next run does first.
    trees.recover(target)
    trees.tidy(target, leftovers=True)
    assert read(target) in ([new] if finished else [old, new])
    assert not (target.parent / trees.STAGING).exists()


def test_a_reader_never_sees_a_folder_missing_or_mixed(tmp_path: Path) -> None:
    """Another thread reads a file through the name, again and again, while the folder is replaced."""
    target = write(tmp_path / "web", {"a": b"0"})
    stop, seen = threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            handle = os.open(target, os.O_RDONLY)  # the folder at one moment
            try:
                seen.append(tuple(sorted(os.listdir(handle))))  # noqa: PTH208 - of the open folder
            except FileNotFoundError:  # removed after it was opened: it was the old one
                pass
            finally:
                os.close(handle)

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(50):
        trees.replace(write(trees.staged(target), {"a": b"%d" % number}), target)
    stop.set()
    reader.join()
    assert set(seen) <= {("a",), ()}  # () is an old one that is being removed


def test_a_process_that_is_killed_leaves_one_of_both(tmp_path: Path) -> None:
    """A real SIGKILL, at whatever moment it comes."""
    target = tmp_path / "web"
    script = (
        "import sys, pathlib; from mop import trees\n"
        "target = pathlib.Path(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "for n in range(10**6):\n"
        "    new = trees.staged(target)\n"
        "    for i in range(5): (new / f'{i}').write_text(str(n % 2))\n"
        "    trees.replace(new, target)\n"
    )
    for round_ in range(8):
        process = subprocess.Popen([sys.executable, "-c", script, target], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.01 + round_ * 0.007)
        process.kill()
        process.wait()
        process.stdout.close()
        trees.recover(target)
        trees.tidy(target, leftovers=True)
        found = read(target)
        assert found is None or (len(found) == 5 and len(set(found.values())) == 1)
        assert sorted(p.name for p in tmp_path.iterdir()) in ([], ["web"])


def test_a_file_or_a_link_in_the_way_gives_place(tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere", {"keep": b"me"})
    target = tmp_path / "web"
    target.symlink_to(elsewhere)
    trees.replace(write(trees.staged(target), {"a": b"1"}), target)
    assert not target.is_symlink() and read(target) == {"a": b"1"}
    assert read(elsewhere) == {"keep": b"me"}


def test_differences_are_named_file_by_file(tmp_path: Path) -> None:
    write(tmp_path / "was", {"same": b"1", "edited": b"1", "removed": b"1"})
    write(tmp_path / "is", {"same": b"1", "edited": b"2", "deep/new": b"1"})
    found = trees.differences(trees.files(tmp_path / "is"), trees.files(tmp_path / "was"))
    assert found == ["added: deep/new", "changed: edited", "missing: removed"]


def test_two_that_stage_and_tidy_at_once_do_not_harm_each_other(tmp_path: Path) -> None:
    def work(name: str) -> None:
        for number in range(60):
            trees.replace(write(trees.staged(tmp_path / name), {"a": b"%d" % number}), tmp_path / name)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("web", "db", "cache")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(read(tmp_path / name) == {"a": b"59"} for name in ("web", "db", "cache"))
