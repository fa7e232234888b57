"""Jsonnet libraries from real git repositories: what lands in vendor/ and mop.lock, and what is refused."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mop import jsonnetfile, trees
from mop.engines import git_remote
from mop.errors import VendorError
from mop.steps import vendor_libraries
from mop.steps.vendor import Options
from tests.servers.git_http import Repositories, git_server
from tests.unit.steps.libraries import FREE, Shop, asking


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repositories]:
    with git_server(tmp_path_factory.mktemp("git")) as found:
        yield found


@pytest.fixture
def git(server: Repositories, request: pytest.FixtureRequest) -> Repositories:
    """The server, with a folder of its own for each test: owners are `acme`."""
    server.requests.clear()
    for name in ("acme", ".work"):
        shutil.rmtree(server.folder / name, ignore_errors=True)
    return server


@pytest.fixture
def shop(tmp_path: Path, git: Repositories) -> Shop:
    return Shop(tmp_path / "shop", git)


def test_a_library_lies_where_jsonnet_bundler_would_put_it(shop: Shop) -> None:
    commit = shop.git.commit("acme/tools", {"util/main.libsonnet": "{ a: 1 }", "other/x.libsonnet": "{}"})
    shop.asks = {"util": shop.source("acme/tools/util")}
    outcome = shop.vendor()["util"]
    assert shop.tree() == {
        "127.0.0.1/acme/tools/util/main.libsonnet": "{ a: 1 }",
        "util": "-> 127.0.0.1/acme/tools/util",
    }
    entry = shop.lock().libraries["127.0.0.1/acme/tools/util"]
    assert (entry.commit, entry.version) == (commit, "main")
    assert entry.source == f"{shop.git.url}/acme/tools.git"
    assert entry.sum == b64encode(sha256(b"{ a: 1 }").digest()).decode()
    assert (outcome.change, outcome.before) == ("added", "")
    assert outcome.fetched > 0
    assert shop.current()


def test_a_second_run_asks_nobody(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"main.libsonnet": "{}"})
    shop.asks = {"tools": shop.source("acme/tools")}
    shop.vendor()
    shop.git.requests.clear()
    assert shop.current()
    assert shop.vendor()["tools"].change == "kept"
    assert shop.git.requests == []


def test_what_the_cache_has_needs_no_network(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"main.libsonnet": "{}"})
    shop.git.commit("acme/top", {"jsonnetfile.json": asking(shop.source("acme/tools"))})
    shop.asks = {"top": shop.source("acme/top")}
    shop.vendor()
    before = shop.tree()
    shutil.rmtree(shop.root / "vendor")
    assert not shop.current()
    shop.git.requests.clear()
    assert shop.vendor()["top"].change == "restored"
    assert shop.git.requests == []
    assert shop.tree() == before


def test_what_libraries_depend_on_comes_along(shop: Shop) -> None:
    shop.git.commit("acme/base", {"base.libsonnet": "{}"})
    shop.git.commit("acme/middle", {"jsonnetfile.json": asking(shop.source("acme/base"))})
    shop.git.commit("acme/top", {"jsonnetfile.json": asking(shop.source("acme/middle"))})
    shop.asks = {"top": shop.source("acme/top")}
    outcome = shop.vendor()["top"]
    assert sorted(shop.lock().libraries) == [f"127.0.0.1/acme/{name}" for name in ("base", "middle", "top")]
    assert sorted(outcome.also) == ["127.0.0.1/acme/base", "127.0.0.1/acme/middle"]
    assert shop.place("acme/base/base.libsonnet").exists()


def test_a_single_dependency_brings_nothing(shop: Shop) -> None:
    shop.git.commit("acme/base", {"base.libsonnet": "{}"})
    shop.git.commit("acme/middle", {"jsonnetfile.json": asking(shop.source("acme/base"))})
    remote = {"git": {"remote": f"{shop.git.url}/acme/middle.git", "subdir": ""}}
    shop.git.commit(
        "acme/top", {"jsonnetfile.json": asking({"source": remote, "version": "main", "single": True})}
    )
    shop.asks = {"top": shop.source("acme/top")}
    shop.vendor()
    assert sorted(shop.lock().libraries) == ["127.0.0.1/acme/middle", "127.0.0.1/acme/top"]


def test_libraries_may_depend_on_each_other(shop: Shop) -> None:
    shop.git.commit("acme/one", {"jsonnetfile.json": asking(shop.source("acme/two"))})
    shop.git.commit("acme/two", {"jsonnetfile.json": asking(shop.source("acme/one"))})
    shop.asks = {"one": shop.source("acme/one")}
    shop.vendor()
    assert sorted(shop.lock().libraries) == ["127.0.0.1/acme/one", "127.0.0.1/acme/two"]
    assert shop.current()


def test_a_branch_that_moved_stays_where_the_lock_has_it(shop: Shop) -> None:
    old = shop.git.commit("acme/tools", {"main.libsonnet": "{ old: 1 }"})
    shop.asks = {"tools": shop.source("acme/tools")}
    shop.vendor()
    new = shop.git.commit("acme/tools", {"main.libsonnet": "{ new: 1 }"})
    shutil.rmtree(shop.root / "vendor")
    shop.vendor()
    assert shop.place("acme/tools/main.libsonnet").read_text() == "{ old: 1 }"
    outcome = shop.vendor(Options(locked=False, update=("tools",)))["tools"]
    assert shop.place("acme/tools/main.libsonnet").read_text() == "{ new: 1 }"
    assert outcome.change == "updated"
    assert (outcome.before, outcome.version) == (f"main ({old[:12]})", f"main ({new[:12]})")


def test_an_update_of_one_leaves_what_it_depends_on(shop: Shop) -> None:
    shop.git.commit("acme/base", {"base.libsonnet": "1"})
    shop.git.commit("acme/top", {"jsonnetfile.json": asking(shop.source("acme/base"))})
    shop.asks = {"top": shop.source("acme/top")}
    shop.vendor()
    shop.git.commit("acme/base", {"base.libsonnet": "2"})
    assert shop.vendor(Options(locked=False, update=("top",)))["top"].change == "kept"
    assert shop.place("acme/base/base.libsonnet").read_text() == "1"
    outcome = shop.vendor(Options(locked=False, update=None))["top"]
    assert outcome.also == ("127.0.0.1/acme/base",)
    assert shop.place("acme/base/base.libsonnet").read_text() == "2"


def test_the_lock_may_not_change_where_that_is_forbidden(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"main.libsonnet": "{}"})
    shop.asks = {"tools": shop.source("acme/tools")}
    with pytest.raises(VendorError, match=r"has no entry for 127.0.0.1/acme/tools"):
        shop.vendor(Options(locked=True))
    assert not (shop.root / "mop.lock").exists()
    assert not shop.place("acme/tools").exists()
    shop.vendor()
    shutil.rmtree(shop.root / "vendor")
    assert shop.vendor(Options(locked=True))["tools"].change == "restored"


def test_another_version_in_mop_yaml_is_taken_only_when_asked(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"main.libsonnet": "1"}, tag="v1")
    shop.git.commit("acme/tools", {"main.libsonnet": "2"}, tag="v2")
    shop.asks = {"tools": shop.source("acme/tools", "v1")}
    shop.vendor()
    shop.asks = {"tools": shop.source("acme/tools", "v2")}
    assert not shop.current()
    with pytest.raises(VendorError, match="asks for v2") as caught:
        shop.vendor()
    assert "--update tools" in caught.value.hint
    shop.vendor(Options(locked=False, update=("tools",)))
    assert shop.place("acme/tools/main.libsonnet").read_text() == "2"


def test_two_libraries_that_disagree_are_both_named(shop: Shop) -> None:
    shop.git.commit("acme/base", {"base.libsonnet": "1"}, tag="v1")
    shop.git.commit("acme/base", {"base.libsonnet": "2"}, tag="v2")
    shop.git.commit("acme/one", {"jsonnetfile.json": asking(shop.source("acme/base", "v1"))})
    shop.git.commit("acme/two", {"jsonnetfile.json": asking(shop.source("acme/base", "v2"))})
    shop.asks = {"one": shop.source("acme/one"), "two": shop.source("acme/two")}
    for _ in range(2):  # also when the first one is in the lock
        with pytest.raises(VendorError) as caught:
            shop.vendor()
        assert "acme/one asks for v1" in caught.value.message
        assert "acme/two for v2" in caught.value.message
        assert "mop.yaml" in caught.value.hint
    # The word of mop.yaml ends it.
    shop.asks = {"base": shop.source("acme/base", "v2"), **shop.asks}
    shop.vendor(Options(locked=False, update=("base",)))
    assert shop.place("acme/base/base.libsonnet").read_text() == "2"


def test_two_names_of_one_commit_are_no_conflict(shop: Shop) -> None:
    shop.git.commit("acme/base", {"base.libsonnet": "1"}, tag="v1")
    shop.git.commit("acme/one", {"jsonnetfile.json": asking(shop.source("acme/base", "v1"))})
    shop.git.commit("acme/two", {"jsonnetfile.json": asking(shop.source("acme/base", "main"))})
    shop.git.commit(
        "acme/top",
        {"jsonnetfile.json": asking(*(shop.source(f"acme/{name}") for name in ("one", "two")))},
    )
    shop.asks = {"top": shop.source("acme/top")}
    shop.vendor()
    assert shop.current()


def test_a_version_that_is_nowhere_names_the_nearest(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"main.libsonnet": "1"}, tag="v1.2.0")
    shop.asks = {"tools": shop.source("acme/tools", "v1.2.1")}
    with pytest.raises(VendorError, match=r"no branch, tag or commit 'v1.2.1'") as caught:
        shop.vendor()
    assert "v1.2.0" in caught.value.hint


def test_a_branch_that_is_gone_does_no_harm_while_its_commit_is_there(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"main.libsonnet": "1"})
    shop.git.commit("acme/tools", {"main.libsonnet": "2"}, branch="next")
    shop.asks = {"tools": shop.source("acme/tools", "next")}
    shop.vendor()
    shop.git.delete("acme/tools", "next")
    shutil.rmtree(shop.root / "vendor")
    shutil.rmtree(shop.root.parent / "cache")
    shop.vendor()
    assert shop.place("acme/tools/main.libsonnet").read_text() == "2"
    with pytest.raises(VendorError, match="'next'"):
        shop.vendor(Options(locked=False, update=None))


def test_a_commit_that_is_gone_is_named_and_the_old_tree_stays(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"main.libsonnet": "1"})
    shop.asks = {"tools": shop.source("acme/tools")}
    shop.vendor()
    commit = shop.lock().libraries["127.0.0.1/acme/tools"].commit
    shutil.rmtree(shop.git.folder / "acme" / "tools.git")
    shutil.rmtree(shop.git.folder / ".work" / "acme" / "tools")
    shop.git.commit("acme/tools", {"main.libsonnet": "rewritten"})
    assert shop.vendor()["tools"].change == "kept"
    shutil.rmtree(shop.root.parent / "cache")
    shutil.rmtree(shop.root / "vendor")
    with pytest.raises(VendorError, match=f"no longer has the commit {commit[:12]}"):
        shop.vendor()


def test_a_folder_that_is_not_there_is_named(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"main.libsonnet": "1"})
    shop.asks = {"tools": shop.source("acme/tools/nothing")}
    with pytest.raises(VendorError, match="no folder 'nothing'"):
        shop.vendor()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "no JSON"),
        ("[]", "expected an object"),
        ('{"version": 7}', "expected version 0 or 1"),
        ('{"version": 1, "dependencies": {}}', "no list"),
        ('{"version": 1, "dependencies": [1]}', r"dependencies\[0\]: expected `source`"),
        ('{"version": 1, "dependencies": [{"source": {}}]}', "neither `git` nor `local`"),
        ('{"version": 1, "dependencies": [{"source": {"git": {}}}]}', "has no `remote`"),
        ('{"version": 1, "dependencies": [{"source": {"git": {"remote": "x"}}}]}', "names no Jsonnet"),
        (
            '{"version": 1, "dependencies": [{"source": {"git": {"remote": "https://a.example/b/c", '
            '"subdir": "../../x"}}, "version": "v"}]}',
            "names no Jsonnet library",
        ),
        (
            '{"version": 1, "dependencies": [{"source": {"git": {"remote": "https://a.example/b/c"}}, '
            '"version": "--upload-pack=x"}]}',
            "is no name of a branch",
        ),
    ],
)
def test_a_broken_jsonnetfile_is_named(shop: Shop, text: str, what: str) -> None:
    shop.git.commit("acme/tools", {"jsonnetfile.json": text})
    shop.asks = {"tools": shop.source("acme/tools")}
    with pytest.raises(VendorError, match=what) as caught:
        shop.vendor()
    assert "jsonnetfile.json" in caught.value.message or "Jsonnet library" in caught.value.message
    assert not (shop.root / "vendor").exists()


def test_links_inside_stay_links_and_others_are_refused(shop: Shop) -> None:
    shop.git.commit(
        "acme/tools", {"a/one.libsonnet": "1", "b": "-> a", "c/two.libsonnet": "-> ../a/one.libsonnet"}
    )
    shop.asks = {"tools": shop.source("acme/tools")}
    shop.vendor()
    assert shop.place("acme/tools/b").readlink() == Path("a")
    assert shop.place("acme/tools/c/two.libsonnet").read_text() == "1"
    assert shop.current()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../../secret", "../outside.libsonnet"])
def test_a_link_that_leads_out_of_the_library_is_refused(shop: Shop, target: str) -> None:
    shop.git.commit("acme/tools", {"outside.libsonnet": "1", "lib/evil.libsonnet": f"-> {target}"})
    shop.asks = {"lib": shop.source("acme/tools/lib")}
    with pytest.raises(VendorError, match=r"the link evil.libsonnet leads out of the library"):
        shop.vendor()
    assert not (shop.root / "vendor").exists()


def test_a_link_through_a_link_cannot_lead_out_either(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"a/b/c/x": "1", "here": "-> a/b/c", "up": "-> here/../../../../secret"})
    shop.asks = {"tools": shop.source("acme/tools")}
    with pytest.raises(VendorError, match="leads out of the library"):
        shop.vendor()


def test_submodules_are_passed_over(shop: Shop, tmp_path: Path) -> None:
    shop.git.commit("acme/inner", {"x": "1"})
    shop.git.commit("acme/tools", {"main.libsonnet": "1"})
    work = shop.git.folder / ".work" / "acme" / "tools"
    commands = [
        ["git", "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},inner"],
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-qm", "Add a submodule"],
        ["git", "push", "-q", "origin", "main"],
    ]
    for command in commands:
        subprocess.run(command, cwd=work, check=True, capture_output=True)
    shop.asks = {"tools": shop.source("acme/tools")}
    shop.vendor()
    assert shop.tree() == {"127.0.0.1/acme/tools/main.libsonnet": "1", "tools": "-> 127.0.0.1/acme/tools"}


def test_an_edited_tree_is_named_file_by_file_and_kept(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"a.libsonnet": "1", "b.libsonnet": "2"})
    shop.asks = {"tools": shop.source("acme/tools")}
    shop.vendor()
    shop.place("acme/tools/a.libsonnet").write_text("mine")
    shop.place("acme/tools/new.libsonnet").write_text("mine too")
    shop.place("acme/tools/b.libsonnet").unlink()
    assert not shop.current()
    problems = vendor_libraries.check(shop.platform(), ["tools"])
    assert [(p.message, p.file.rpartition("/")[2]) for p in problems] == [
        ("changed since it was vendored", "a.libsonnet"),
        ("missing since it was vendored", "b.libsonnet"),
        ("added since it was vendored", "new.libsonnet"),
    ]
    with pytest.raises(VendorError) as caught:
        shop.vendor()
    assert "changed: a.libsonnet\n  missing: b.libsonnet\n  added: new.libsonnet" in caught.value.message
    assert shop.place("acme/tools/a.libsonnet").read_text() == "mine"
    shop.vendor(Options(locked=False, force=True))
    assert shop.place("acme/tools/a.libsonnet").read_text() == "1"
    assert vendor_libraries.check(shop.platform(), ["tools"]) == []


def test_a_folder_that_mop_did_not_make_is_not_overwritten(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"a.libsonnet": "1"})
    shop.asks = {"tools": shop.source("acme/tools")}
    shop.place("acme/tools").mkdir(parents=True)
    shop.place("acme/tools/a.libsonnet").write_text("mine")
    with pytest.raises(VendorError, match=r"changed: a.libsonnet"):
        shop.vendor()
    shop.place("acme/tools/a.libsonnet").write_text("1")  # as jb would have put it
    assert shop.vendor()["tools"].change == "added"


def test_a_flipped_byte_anywhere_is_found(shop: Shop) -> None:
    shop.git.commit("acme/base", {"deep/er/x.libsonnet": "12345"})
    shop.git.commit("acme/top", {"jsonnetfile.json": asking(shop.source("acme/base"))})
    shop.asks = {"top": shop.source("acme/top")}
    shop.vendor()
    assert vendor_libraries.check(shop.platform(), ["top"]) == []
    shop.place("acme/base/deep/er/x.libsonnet").write_text("12346")
    assert [p.file for p in vendor_libraries.check(shop.platform(), ["top"])] == [
        "vendor/127.0.0.1/acme/base/deep/er/x.libsonnet"
    ]


def test_a_folder_of_this_repository_is_linked_and_followed(shop: Shop) -> None:
    shop.git.commit("acme/base", {"base.libsonnet": "1"})
    shop.root.mkdir()
    (shop.root / "shared" / "ours").mkdir(parents=True)
    (shop.root / "shared" / "ours" / "jsonnetfile.json").write_text(
        asking(shop.source("acme/base"), {"source": {"local": {"directory": "../theirs"}}, "version": ""})
    )
    (shop.root / "shared" / "theirs").mkdir()
    shop.asks = {"ours": "./shared/ours"}
    shop.vendor()
    assert (shop.root / "vendor" / "ours").readlink() == Path("../shared/ours")
    assert (shop.root / "vendor" / "theirs").readlink() == Path("../shared/theirs")
    assert list(shop.lock().libraries) == ["127.0.0.1/acme/base"]
    assert shop.current()


def test_a_folder_that_is_not_in_this_repository_is_an_error(shop: Shop) -> None:
    shop.asks = {"ours": "./shared/ours"}
    with pytest.raises(VendorError, match="no folder shared/ours"):
        shop.vendor()


def test_a_library_inside_another_comes_with_it(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"all.libsonnet": "1", "util/x.libsonnet": "2"}, tag="v1")
    shop.asks = {"util": shop.source("acme/tools/util"), "all": shop.source("acme/tools")}
    shop.vendor()
    assert shop.current()
    assert sorted(shop.lock().libraries) == ["127.0.0.1/acme/tools", "127.0.0.1/acme/tools/util"]
    shutil.rmtree(shop.place("acme/tools"))
    shop.vendor()
    assert shop.current()


def test_a_library_inside_another_at_another_commit_is_refused(shop: Shop) -> None:
    shop.git.commit("acme/tools", {"all.libsonnet": "1", "util/x.libsonnet": "2"}, tag="v1")
    shop.git.commit("acme/tools", {"util/x.libsonnet": "3"})
    shop.asks = {"all": shop.source("acme/tools"), "util": shop.source("acme/tools/util", "v1")}
    with pytest.raises(VendorError, match=r"acme/tools/util lies in vendor/127.0.0.1/acme/tools"):
        shop.vendor()


def test_what_jsonnet_bundler_locked_is_taken_over(shop: Shop) -> None:
    old = shop.git.commit("acme/tools", {"a.libsonnet": "1"})
    shop.git.commit("acme/tools", {"a.libsonnet": "2"})
    shop.asks = {"tools": shop.source("acme/tools")}
    sum_ = b64encode(sha256(b"1").digest()).decode()
    locked = jsonnetfile.Dependency(jsonnetfile.git(f"{shop.git.url}/acme/tools"), old, sum_)
    shop.root.mkdir()
    text = jsonnetfile.dump(jsonnetfile.JsonnetFile((locked,), False))
    (shop.root / "jsonnetfile.lock.json").write_text(text.replace(sum_, sum_[::-1]))
    with pytest.raises(VendorError, match=r"not what jsonnetfile.lock.json says"):
        shop.vendor()
    (shop.root / "jsonnetfile.lock.json").write_text(text)
    shop.vendor()
    assert shop.place("acme/tools/a.libsonnet").read_text() == "1"
    assert shop.lock().libraries["127.0.0.1/acme/tools"].commit == old


def test_what_nothing_asks_for_any_more_goes(shop: Shop) -> None:
    shop.git.commit("acme/base", {"base.libsonnet": "1"})
    shop.git.commit("acme/top", {"jsonnetfile.json": asking(shop.source("acme/base"))})
    shop.git.commit("acme/edited", {"x.libsonnet": "1"})
    shop.git.commit("acme/other", {"x.libsonnet": "1"})
    shop.asks = {name: shop.source(f"acme/{name}") for name in ("top", "edited", "other")}
    shop.vendor()
    shop.place("acme/edited/x.libsonnet").write_text("mine")
    shop.asks = {"other": shop.source("acme/other")}
    with pytest.raises(VendorError, match=r"acme/base, 127.0.0.1/acme/edited, 127.0.0.1/acme/top"):
        vendor_libraries.forget(shop.platform(), Options(locked=True))
    gone = vendor_libraries.forget(shop.platform(), FREE)
    assert [each.rpartition("/")[2] for each in gone] == ["base", "edited", "top"]
    assert shop.tree() == {
        "127.0.0.1/acme/edited/x.libsonnet": "mine",
        "127.0.0.1/acme/other/x.libsonnet": "1",
        "edited": "-> 127.0.0.1/acme/edited",
        "other": "-> 127.0.0.1/acme/other",
    }


def test_the_first_library_of_a_name_has_the_link(shop: Shop) -> None:
    shop.git.commit("acme/b", {"util/x": "b"})
    shop.git.commit("acme/a", {"util/x": "a"})
    shop.asks = {"first": shop.source("acme/b/util"), "second": shop.source("acme/a/util")}
    shop.vendor()
    assert (shop.root / "vendor" / "util" / "x").read_text() == "b"
    assert shop.current()


def test_files_keep_their_bytes_and_their_executable_bit(shop: Shop) -> None:
    shop.git.commit(
        "acme/tools",
        {".gitattributes": "x export-ignore\n*.txt text eol=lf\n", "x": b"\r\n\xff\0", "run": "#!"},
    )
    work = shop.git.folder / ".work" / "acme" / "tools"
    for command in (
        ["git", "update-index", "--chmod=+x", "run"],
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-qm", "Run"],
        ["git", "push", "-q", "origin", "main"],
    ):
        subprocess.run(command, cwd=work, check=True, capture_output=True)
    shop.asks = {"tools": shop.source("acme/tools")}
    shop.vendor()
    assert shop.place("acme/tools/x").read_bytes() == b"\r\n\xff\0"
    assert os.access(shop.place("acme/tools/run"), os.X_OK)


def test_many_libraries_at_once_and_twice_at_once(shop: Shop) -> None:
    shop.git.commit("acme/base", {"base.libsonnet": "1"})
    names = [f"lib{number}" for number in range(6)]
    for name in names:
        shop.git.commit(f"acme/{name}", {"jsonnetfile.json": asking(shop.source("acme/base")), name: name})
    shop.asks = {name: shop.source(f"acme/{name}") for name in names}
    platform, errors = shop.platform(), []

    def one(name: str, tools: Any, outputs: Any) -> None:
        try:
            vendor_libraries.vendor(platform, name, outputs, tools, FREE)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            errors.append(error)

    from tests.unit.steps.libraries import Tools

    threads = [
        threading.Thread(target=one, args=(name, tools, shop.outputs()))
        for tools in (Tools(shop.engine()), Tools(shop.engine()))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert shop.current()
    assert len(shop.lock().libraries) == 7
    assert not list((shop.root / "vendor").rglob(".mop-*"))


@pytest.mark.parametrize("moment", ["before", "lock", "replace", "links"])
def test_a_kill_leaves_the_old_tree_or_the_new_one(shop: Shop, moment: str) -> None:
    shop.git.commit("acme/tools", {"a.libsonnet": "1"})
    shop.asks = {"tools": shop.source("acme/tools")}
    shop.vendor()
    old = shop.tree()
    shop.git.commit("acme/tools", {"a.libsonnet": "2", "b.libsonnet": "2"})
    shop.platform()
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(shop.root), moment], capture_output=True, text=True
    )
    assert done.returncode == -9, done.stderr
    found = {name: text for name, text in shop.tree().items() if ".mop-staging" not in name}
    new = {
        "127.0.0.1/acme/tools/a.libsonnet": "2",
        "127.0.0.1/acme/tools/b.libsonnet": "2",
        "tools": "-> 127.0.0.1/acme/tools",
    }
    assert found in (old, new)
    shop.vendor(Options(locked=False, update=None))
    assert shop.tree() == new
    assert shop.current()


#: Vendors with --update and dies by SIGKILL at a given moment.
_KILLED = """
import os, signal, sys
from pathlib import Path
from mop import config, lockfile, trees
from mop.cache import Cache
from mop.engines.libraries import GitLibraries
from mop.files import Digests
from mop.outputs import Outputs
from mop.steps import vendor_libraries
from mop.steps.vendor import Options

root, moment = Path(sys.argv[1]), sys.argv[2]
die = lambda *_arguments, **_named: os.kill(os.getpid(), signal.SIGKILL)
if moment == "before":
    trees.files = die
elif moment == "lock":
    lockfile.edit = die
elif moment == "replace":
    trees.replace = die
else:
    vendor_libraries.links.make = die

class Tools:
    def libraries(self):
        return engine

engine = GitLibraries(Cache(root.parent / "cache"))
platform = config.load(root / "mop.yaml")
vendor_libraries.vendor(
    platform, "tools", Outputs(root, Digests(root)), Tools(), Options(locked=False, update=None)
)
"""


def test_a_password_is_never_shown_or_locked(shop: Shop) -> None:
    text = f"{shop.git.url}/acme/none@main".replace("://", "://user:geheim@")
    shop.asks = {"none": text}
    with pytest.raises(VendorError) as caught:
        shop.vendor()
    assert "geheim" not in caught.value.message + caught.value.hint


def test_import_by_the_long_name_and_by_the_short_one(shop: Shop) -> None:
    import _gojsonnet

    from mop.engines.helm_sdk import HelmSdk  # noqa: F401 - what the engine may need is there

    shop.git.commit("acme/tools", {"util/kausal.libsonnet": "{ answer: 42 }"})
    shop.asks = {"util": shop.source("acme/tools/util")}
    shop.vendor()
    text = "(import '127.0.0.1/acme/tools/util/kausal.libsonnet') + (import 'util/kausal.libsonnet')"
    found = _gojsonnet.evaluate_snippet("x", text, jpathdir=[str(shop.root / "vendor")])
    assert json.loads(found) == {"answer": 42}


def test_a_resolved_name_is_asked_for_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.git.commit("acme/tools", {"a/x": "1", "b/x": "1"})
    shop.asks = {"a": shop.source("acme/tools/a"), "b": shop.source("acme/tools/b")}
    shop.vendor(engine=shop.engine())
    listings = [path for path in shop.git.requests if "info/refs" in path]
    assert git_remote.public(shop.git.url) == shop.git.url
    assert len(listings) == 2  # which commit is main, and the fetch of it


FILES = st.dictionaries(
    st.from_regex(r"[a-c](/[a-c]){0,2}\.x", fullmatch=True), st.text("ab", max_size=3), min_size=1, max_size=4
)


@given(old=FILES, new=FILES, calls=st.integers(0, 14))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_fails_whenever_there_is_the_old_tree_or_the_new_one(
    git: Repositories, old: dict[str, str], new: dict[str, str], calls: int
) -> None:
    for name in ("acme", ".work"):
        shutil.rmtree(git.folder / name, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder) / "shop", git)
        git.commit("acme/tools", old)
        shop.asks = {"tools": shop.source("acme/tools")}
        shop.vendor()
        before = shop.tree()
        git.commit("acme/tools", new, keep=False)
        update = Options(locked=False, update=None)
        with _failing_after(calls), contextlib.suppress(VendorError, OSError):
            shop.vendor(update)
        found = {name: text for name, text in shop.tree().items() if ".mop-staging" not in name}
        shop.vendor(update)
        assert found in (before, shop.tree())
        assert shop.current()


@contextlib.contextmanager
def _failing_after(calls: int) -> Iterator[None]:
    """Every file system call of a kind that changes folders fails, from the given one on: the disk is full."""
    left = [calls]

    def failing(real: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for module, name in [(os, "rename"), (os, "replace"), (os, "mkdir"), (trees, "_exchange")]:
            patch.setattr(module, name, failing(getattr(module, name)))
        yield
