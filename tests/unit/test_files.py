"""Files are written whole or not at all, and their digests are believed only where that is safe."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mop.files import Digests, Input, sha256, write_atomic, write_folder


def test_a_write_is_one_rename_and_says_whether_bytes_changed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    assert write_atomic(path, "one") is True
    before = path.stat().st_ino
    assert write_atomic(path, "one") is False
    assert path.stat().st_ino == before
    assert write_atomic(path, b"two") is True
    assert path.read_text() == "two"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_a_write_tightens_the_mode_even_where_the_bytes_are_equal(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("s")
    path.chmod(0o644)
    write_atomic(path, "s", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_readers_see_the_old_or_the_new_content_never_a_part(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [letter * 50_000 for letter in "ab"]
    write_atomic(path, contents[0])
    stop = threading.Event()

    def write() -> None:
        for turn in range(200):
            write_atomic(path, contents[turn % 2])
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not stop.is_set():
        assert path.read_text() in contents
    writer.join()


def test_digests_know_files_folders_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "folder").mkdir()
    digests = Digests(tmp_path)
    assert digests.file("a") == sha256("x")
    assert digests.file("folder") is None
    assert digests.file("gone") is None
    assert digests.file("a/below-a-file") is None
    assert digests.unchanged(Input("gone", "absent"))
    assert digests.unchanged(Input("a", "file", sha256("x")))
    assert not digests.unchanged(Input("a", "file", sha256("y")))


def age(path: Path, seconds: int = 3600) -> None:
    """Make a file's mtime old; its ctime stays new, as after `touch -d`."""
    then = path.stat().st_mtime_ns - seconds * 10**9
    os.utime(path, ns=(then, then))


def test_an_edit_that_keeps_size_and_mtime_is_still_seen(tmp_path: Path) -> None:
    """`touch -d`, `cp -p` and rsync restore mtimes; ctime and the racy window tell the truth."""
    path, store = tmp_path / "a", tmp_path / "store.json"
    path.write_text("one")
    age(path)
    first = Digests(tmp_path, store)
    assert first.file("a") == sha256("one")
    first.save()
    marks = path.stat()
    path.write_text("two")
    os.utime(path, ns=(marks.st_atime_ns, marks.st_mtime_ns))
    assert Digests(tmp_path, store).file("a") == sha256("two")


def test_a_settled_file_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, store = tmp_path / "a", tmp_path / "store.json"
    path.write_text("one")
    monkeypatch.setattr("mop.files.RACY_NS", -(10**12))
    first = Digests(tmp_path, store)
    first.file("a")
    first.save()
    opened: list[object] = []
    monkeypatch.setattr("mop.files.open", opened.append, raising=False)
    assert Digests(tmp_path, store).file("a") == sha256("one")
    assert opened == []


@pytest.mark.parametrize("damage", ["", "{", "null", '{"version":1,"sum":"x","files":{}}', "\x00\xff"])
def test_a_damaged_store_costs_time_never_correctness(tmp_path: Path, damage: str) -> None:
    (tmp_path / "a").write_text("one")
    store = tmp_path / "store.json"
    store.write_text(damage)
    assert Digests(tmp_path, store).file("a") == sha256("one")


def test_a_store_that_lies_about_a_digest_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mop.files.RACY_NS", -(10**12))
    (tmp_path / "a").write_text("one")
    store = tmp_path / "store.json"
    digests = Digests(tmp_path, store)
    digests.file("a")
    digests.save()
    document = json.loads(store.read_text())
    document["files"][str(tmp_path / "a")][4] = sha256("lie")
    store.write_text(json.dumps(document, separators=(",", ":")))
    assert Digests(tmp_path, store).file("a") == sha256("one")


def test_a_tree_is_its_names_bytes_and_executable_bits(tmp_path: Path) -> None:
    tree = tmp_path / "chart"
    (tree / "templates").mkdir(parents=True)
    (tree / "templates" / "a.yaml").write_text("a")
    seen = {Digests(tmp_path).tree("chart")}

    def changed() -> bool:
        digest = Digests(tmp_path).tree("chart")
        known = digest in seen
        seen.add(digest)
        return not known

    (tree / "templates" / "a.yaml").write_text("b")
    assert changed()
    (tree / "templates" / "a.yaml").rename(tree / "templates" / "c.yaml")
    assert changed()
    (tree / "templates" / "c.yaml").chmod(0o755)
    assert changed()
    (tree / "empty").mkdir()
    assert not changed(), "Helm does not see an empty folder"
    os.utime(tree / "templates" / "c.yaml", (0, 0))
    assert not changed(), "a touch is no change"


def test_links_in_a_tree_are_followed_as_helm_follows_them(tmp_path: Path) -> None:
    (tmp_path / "shared.yaml").write_text("one")
    tree = tmp_path / "chart"
    tree.mkdir()
    (tree / "linked.yaml").symlink_to("../shared.yaml")
    (tree / "dangling").symlink_to("../nowhere")
    (tree / "loop").symlink_to(".")
    before = Digests(tmp_path).tree("chart")
    (tmp_path / "shared.yaml").write_text("two")
    assert Digests(tmp_path).tree("chart") != before


def test_fresh_looks_again(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "a"
    write_atomic(path, "one")
    digests = Digests(tmp_path)
    tree = digests.tree("sub")
    digests.file("sub/a")
    write_atomic(path, "two")
    assert digests.file("sub/a") == sha256("one")
    digests.fresh("sub")
    assert digests.file("sub/a") == sha256("two")
    assert digests.tree("sub") != tree


@settings(max_examples=50, deadline=None)
@given(contents=st.lists(st.sampled_from(["a", "b", "cc"]), min_size=1, max_size=6))
def test_a_remembered_digest_always_equals_the_bytes(
    contents: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("digests")
    for content in contents:
        (root / "file").write_text(content)
        digests = Digests(root, root / "store.json")
        assert digests.file("file") == sha256(content)
        digests.save()


def test_a_new_folder_comes_whole_and_with_its_modes(tmp_path: Path) -> None:
    folder = tmp_path / "sub" / "folder"
    assert write_folder(folder, [("a", "ä", 0o644), ("s", "secret", 0o600)])
    assert {path.name: (path.read_text(), path.stat().st_mode & 0o777) for path in folder.iterdir()} == {
        "a": ("ä", 0o644),
        "s": ("secret", 0o600),
    }
    assert [path.name for path in folder.parent.iterdir()] == ["folder"]


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert not write_folder(tmp_path / "folder", [("a", "1", 0o644)])
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_folder_that_cannot_be_written_leaves_no_rest(tmp_path: Path) -> None:
    assert not write_folder(tmp_path / "folder", [("a", "1", 0o644), ("no/such/a", "2", 0o644)])
    assert list(tmp_path.iterdir()) == []
