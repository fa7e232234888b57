from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.cache import GIB, Cache, cache_limit, cache_root
from mop.errors import UsageError
from mop.files import sha256

KEY = sha256("an entry")
OTHER = sha256("another entry")


def entries(cache: Cache) -> list[Path]:
    return [path for path in cache.folder.rglob("*") if path.is_file() and "locks" not in path.parts]


@given(st.binary(max_size=200))
def test_what_was_put_is_what_is_got(body: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder, "cache"))
        assert cache.get(KEY) is None
        cache.put(KEY, body)
        assert cache.get(KEY) == body
        assert Cache(Path(folder, "cache")).get(KEY) == body
        assert cache.get(OTHER) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: b"",
        lambda data: data.replace(b"body", b"BODY"),
        lambda data: data.replace(b"mop-cache 1", b"mop-cache 2"),
        lambda data: data.partition(b"\n")[2],
    ],
)
def test_a_damaged_entry_is_a_miss_and_is_mended_by_the_next_put(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    cache = Cache(tmp_path)
    cache.put(KEY, b"the body of an entry")
    (path,) = entries(cache)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get(KEY) is None
    cache.put(KEY, b"the body of an entry")
    assert cache.get(KEY) == b"the body of an entry"


def test_only_the_owner_can_look_inside(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "deep" / "cache")
    with cache.once(KEY):
        cache.put(KEY, b"secret")
    modes = {
        path.relative_to(tmp_path).parts[-1]: stat.S_IMODE(path.stat().st_mode)
        for path in cache.folder.rglob("*")
    }
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    for path in cache.folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), modes


def test_the_longest_unused_entries_leave_when_the_bound_is_passed(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=10_000)
    keys = [sha256(str(number)) for number in range(9)]
    for age, key in enumerate(keys):
        cache.put(key, b"x" * 1000)
        os.utime(cache._path(key), (1_000_000 + age, 1_000_000 + age))
    assert cache.get(keys[0]) is not None, "a read makes an entry recent"
    cache.put(OTHER, b"x" * 1000)
    assert cache.size() <= 10_000
    assert cache.get(keys[0]) is not None
    assert cache.get(OTHER) is not None
    assert cache.get(keys[1]) is None, "the longest unused went"


@given(st.lists(st.integers(1, 3000), max_size=40))
def test_the_size_stays_near_its_bound(sizes: list[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder), limit=8000)
        for number, size in enumerate(sizes):
            cache.put(sha256(str(number)), b"x" * size)
            assert cache.size() <= 8000 + 8000 / 32 + 3100


def test_clear_forgets_everything_and_says_how_much(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(KEY, b"one")
    cache.put(OTHER, b"two")
    size = cache.size()
    assert size > 0
    assert cache.clear() == size
    assert cache.size() == 0
    assert cache.get(KEY) is None
    cache.put(KEY, b"one")
    assert cache.get(KEY) == b"one"


def test_a_dropped_entry_is_gone_and_dropping_it_again_is_fine(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(KEY, b"one")
    cache.drop(KEY)
    cache.drop(KEY)
    assert cache.get(KEY) is None


def test_threads_that_want_one_entry_make_it_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    made: list[str] = []
    together = threading.Barrier(8)
    got: list[tuple[bytes, bool]] = []

    def make() -> bytes:
        made.append(threading.current_thread().name)
        return b"made"

    def want() -> None:
        together.wait()
        got.append(cache.made_once(KEY, make))

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert sorted(hit for _, hit in got) == [False] + [True] * 7
    assert {body for body, _ in got} == {b"made"}
    assert cache._flights == {}, "nothing is kept of those that have ended"


def test_processes_that_want_one_entry_make_it_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = f"""
from pathlib import Path
from mop.cache import Cache

def make():
    with open({str(log)!r}, "a") as out:
        out.write("made\\n")
    return b"made"

body, _ = Cache(Path({str(tmp_path / "cache")!r})).made_once({KEY!r}, make)
assert body == b"made"
"""
    running = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0, 0]
    assert log.read_text() == "made\n"


def test_whoever_fails_lets_the_next_one_try(tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    def fail() -> bytes:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.made_once(KEY, fail)
    assert cache.made_once(KEY, lambda: b"made") == (b"made", False)


def test_a_folder_that_cannot_be_written_costs_no_result(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")
    assert cache.made_once(KEY, lambda: b"made") == (b"made", False)
    assert cache.made_once(KEY, lambda: b"made") == (b"made", False)
    assert "Not a directory" in cache.trouble


@pytest.mark.parametrize(
    ("text", "size"),
    [("500", 500), ("10K", 10240), ("1.5M", 3 << 19), ("2GiB", 2 * GIB), ("3 tb", 3 << 40), ("0", 0)],
)
def test_the_bound_is_read_from_the_environment(
    text: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOP_CACHE_SIZE", text)
    assert cache_limit() == size


def test_the_bound_has_a_default_and_a_mistake_has_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOP_CACHE_SIZE", raising=False)
    assert cache_limit() == GIB
    monkeypatch.setenv("MOP_CACHE_SIZE", "plenty")
    with pytest.raises(UsageError, match="MOP_CACHE_SIZE is 'plenty'"):
        cache_limit()


def test_the_folder_is_the_users_own_unless_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOP_CACHE_DIR", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.delenv("MOP_CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root().name == "mop"
    assert tmp_path in cache_root().parents
