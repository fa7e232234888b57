"""The files for jsonnet-bundler and Tanka: what is in them, and whose they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mop import config, goyaml, jsonnetfile, lockfile
from mop.lockfile import ChartLock, LibraryLock, Lock, SubchartLock
from mop.model import Platform
from mop.steps import interop

TREE, COMMIT = "a" * 64, "c" * 40

MOP_YAML = """\
version: 1
platform: shop
kubernetes: "1.34"
repositories: {shop: {url: https://shop.example.com/charts}}
charts:
  web: {chart: shop/web, version: ^1.0}
  database: {chart: shop/store, version: 2.0.0}
  straight: {chart: oci://registry.example.com/charts/thing, version: 1.0.0}
  fresh: {chart: "git+https://git.example.com/a/b.git//chart?ref=main"}
  bare: {chart: shop/bare, version: 1.0.0}
libraries:
  k8s: github.com/acme/k8s/1.34@main
  inner: http://git.example.com/acme/inner@main
  ours: ./ours
components: {app: {}}
environments: {dev: {target: embedded}}
"""


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    """A platform that is locked, with its libraries in place."""
    (tmp_path / "mop.yaml").write_text(MOP_YAML)
    (tmp_path / "ours").mkdir()
    shop, oci = "https://shop.example.com/charts", "oci://registry.example.com/charts"
    charts = [
        ChartLock("web", "shop/web", shop, "1.4.2", TREE),
        ChartLock("database", "shop/store", shop, "2.0.0", TREE),
        ChartLock("straight", f"{oci}/thing", oci, "1.0.0", TREE),
        ChartLock("fresh", "git+x", "git+https://git.example.com/a/b.git//chart?ref=main", "1.0.0", TREE),
        ChartLock("bare", "shop/bare", shop, "1.0.0", TREE, subcharts=(SubchartLock("c", "c", shop, "1"),)),
    ]
    nested = {"git": {"remote": "https://github.com/acme/base.git", "subdir": ""}}
    folder = tmp_path / "vendor" / "github.com" / "acme" / "k8s" / "1.34"
    folder.mkdir(parents=True)
    (folder / "jsonnetfile.json").write_text(
        json.dumps({"version": 1, "dependencies": [{"source": nested, "version": "v1", "single": True}]})
    )
    libraries = [
        LibraryLock(f"github.com/acme/{name}", "https://x", "main", COMMIT, TREE, "sum=")
        for name in ("k8s/1.34", "base")
    ] + [LibraryLock("git.example.com/acme/inner", "http://x", "main", COMMIT, TREE, "sum=")]
    lock = Lock({each.name: each for each in charts}, {each.path: each for each in libraries})
    (tmp_path / "mop.lock").write_text(lockfile.dump(lock))
    return config.load(tmp_path / "mop.yaml")


def test_tanka_finds_the_locked_versions_and_is_told_what_is_missing(platform: Platform) -> None:
    assert interop.write(platform) == []
    text = (platform.root / "chartfile.yaml").read_text()
    (document,) = goyaml.load_all(text)
    assert document["requires"] == [
        {"chart": "shop/web", "version": "1.4.2", "directory": "web"},
        {"chart": "shop/store", "version": "2.0.0", "directory": "database"},
        {"chart": "straight-registry/thing", "version": "1.0.0", "directory": "straight"},
    ]
    assert document["repositories"] == [
        {"name": "shop", "url": "https://shop.example.com/charts"},
        {"name": "straight-registry", "url": "oci://registry.example.com/charts"},
    ]
    comments = [line for line in text.splitlines() if line.startswith("# Not in it")]
    assert [comment.split()[4].strip(",") for comment in comments] == ["fresh", "bare"]


def test_jsonnet_bundler_finds_the_commits_and_is_told_what_is_missing(platform: Platform) -> None:
    interop.write(platform)
    asked = json.loads((platform.root / "jsonnetfile.json").read_text())
    assert asked["_comment"].endswith("jb cannot name where it is: git.example.com/acme/inner.")
    assert [each["version"] for each in asked["dependencies"]] == ["main", ""]
    locked = jsonnetfile.parse((platform.root / "jsonnetfile.lock.json").read_bytes(), "x").dependencies
    assert [(each.source.path, each.version, each.sum, each.single) for each in locked] == [
        ("github.com/acme/base", COMMIT, "sum=", True),
        ("github.com/acme/k8s/1.34", COMMIT, "sum=", False),
        ("ours", "", "", False),
    ]


def test_what_is_written_is_the_same_every_time(platform: Platform) -> None:
    names = ("chartfile.yaml", "jsonnetfile.json", "jsonnetfile.lock.json")
    interop.write(platform)
    before = [(platform.root / name).stat().st_mtime_ns for name in names]
    interop.write(platform)
    assert [(platform.root / name).stat().st_mtime_ns for name in names] == before


def test_files_of_somebody_else_stay(platform: Platform) -> None:
    theirs = {"chartfile.yaml": "version: 1\nrequires: []\n", "jsonnetfile.json": '{"version": 1}'}
    for name, text in theirs.items():
        (platform.root / name).write_text(text)
    notes = interop.write(platform)
    assert [note.split()[0] for note in notes] == ["jsonnetfile.json", "chartfile.yaml"]
    assert all("import" in note for note in notes)
    assert {name: (platform.root / name).read_text() for name in theirs} == theirs
    assert not (platform.root / "jsonnetfile.lock.json").exists()


def test_files_that_say_the_same_become_ours(platform: Platform) -> None:
    interop.write(platform)
    document = json.loads((platform.root / "jsonnetfile.json").read_text())
    del document["_comment"]
    (platform.root / "jsonnetfile.json").write_text(json.dumps(document))
    text = (platform.root / "chartfile.yaml").read_text()
    plain = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    (platform.root / "chartfile.yaml").write_text(plain)
    assert interop.write(platform) == []
    assert "_comment" in (platform.root / "jsonnetfile.json").read_text()
    assert (platform.root / "chartfile.yaml").read_text() == text


def test_nothing_to_say_leaves_no_file(platform: Platform) -> None:
    interop.write(platform)
    text = "\n".join(line for line in MOP_YAML.splitlines() if not line.startswith("  "))
    (platform.root / "mop.yaml").write_text(text.replace("\ncharts:", "").replace("\nlibraries:", ""))
    assert interop.write(config.load(platform.root / "mop.yaml")) == []
    assert not list(platform.root.glob("*file*"))
