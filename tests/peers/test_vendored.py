"""What `inv vendor` writes for jsonnet-bundler and Tanka: do `jb install` and `tk tool charts vendor` fetch the same?

MOP_JB, MOP_TK and MOP_HELM name the programs; PATH is asked otherwise. Servers are on loopback.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.git_http import Repositories, git_server
from tests.servers.web import Site, site

pytestmark = pytest.mark.peers

HOST = "https://libs.example.com"


def program(variable: str, name: str) -> str:
    """The path of a program, or the test is skipped."""
    found = os.environ.get(variable) or shutil.which(name)
    if not found:
        pytest.skip(f"there is no {name}: set {variable}")
    return found


@pytest.fixture
def git(tmp_path: Path) -> Iterator[Repositories]:
    with git_server(tmp_path / "git") as server:
        yield server


@pytest.fixture
def charts() -> Iterator[Site]:
    with site() as server:
        yield server


def environ(tmp_path: Path, git: Repositories | None = None) -> dict[str, str]:
    """`https://libs.example.com/` is the server on loopback, for every git."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    found = {**kept, "HOME": str(tmp_path), "MOP_CACHE_DIR": str(tmp_path / "cache"), "NO_COLOR": "1"}
    if git:
        found |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{git.url}/.insteadOf",
            "GIT_CONFIG_VALUE_0": f"{HOST}/",
        }
    return found


def run(root: Path, env: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def tree(folder: Path) -> dict[str, str]:
    """Every file's bytes and every link's destination."""
    return {
        path.relative_to(folder).as_posix(): (
            f"-> {path.readlink()}" if path.is_symlink() else path.read_bytes().hex()
        )
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def asks(*dependencies: tuple[str, str, str], **more: object) -> str:
    listed = [
        {"source": {"git": {"remote": f"{HOST}/{name}.git", "subdir": subdir}}, "version": version, **more}
        for name, subdir, version in dependencies
    ]
    return json.dumps({"version": 1, "dependencies": listed, "legacyImports": True})


def test_jb_installs_the_same_trees_and_changes_no_file(tmp_path: Path, git: Repositories) -> None:
    jb, env, root = program("MOP_JB", "jb"), environ(tmp_path, git), tmp_path / "shop"
    git.commit("acme/base", {"base.libsonnet": "{}", "util/x.libsonnet": "x"})
    git.commit("acme/leaf", {"leaf.libsonnet": "{}", "jsonnetfile.json": asks(("acme/base", "", "main"))})
    git.commit("acme/alone", {"jsonnetfile.json": asks(("acme/nowhere", "", "main"))})
    git.commit(
        "acme/middle",
        {
            "jsonnetfile.json": asks(("acme/alone", "", "main"), single=True),
            "a/z": "1",
            "a.b": "2",
            "a-b": "3",
        },
    )
    git.commit("acme/named", {"x.libsonnet": "{}"}, tag="v1.0.0")
    git.commit("acme/b", {"util/y.libsonnet": "{}", ".gitattributes": "* export-ignore\n"})
    git.commit("acme/top", {"jsonnetfile.json": asks(("acme/named", "", "v1.0.0"), name="short")})
    git.commit("acme/moved", {"old": "1"})
    root.mkdir()
    (root / "ours").mkdir()
    (root / "ours" / "ours.libsonnet").write_text("{}")
    host = HOST.removeprefix("https://")
    (root / "mop.yaml").write_text(
        f"""\
version: 1
platform: shop
kubernetes: "1.34"
libraries:
  util: {host}/acme/b/util@main
  leaf: {host}/acme/leaf@main
  middle: {host}/acme/middle@main
  top: {host}/acme/top@main
  moved: {host}/acme/moved@main
  ours: ./ours
components: {{web: {{}}}}
environments: {{dev: {{target: embedded}}}}
"""
    )
    run(root, env, sys.executable, "-m", "mop", "vendor")
    git.commit("acme/moved", {"new": "1"})
    mine, files = tree(root / "vendor"), {p.name: p.read_text() for p in root.glob("jsonnetfile*")}
    assert f"{host}/acme/moved/old" in mine
    assert mine["short"] == f"-> {host}/acme/named"

    run(root, env, jb, "install")
    assert tree(root / "vendor") == mine  # nothing to do
    assert {p.name: p.read_text() for p in root.glob("jsonnetfile*")} == files

    shutil.rmtree(root / "vendor")
    run(root, env, jb, "install")
    theirs = tree(root / "vendor")
    assert theirs == mine
    locked = json.loads((root / "jsonnetfile.lock.json").read_text())
    assert json.loads(files["jsonnetfile.lock.json"]) == locked
    run(root, env, sys.executable, "-m", "mop", "vendor", "--check")


def test_tk_vendors_the_same_charts(tmp_path: Path, charts: Site) -> None:
    tk, helm = program("MOP_TK", "tk"), program("MOP_HELM", "helm")
    env, root = {**environ(tmp_path), "TANKA_HELM_PATH": helm}, tmp_path / "shop"
    entries = []
    for name, version in (("web", "1.2.3"), ("store", "0.1.0")):
        charts.answers[f"/{name}-{version}.tgz"] = chart(name, version)
        entries.append(
            f"  {name}:\n  - {{name: {name}, version: {version}, apiVersion: v2, urls: [{name}-{version}.tgz]}}\n"
        )
    charts.answers["/index.yaml"] = ("apiVersion: v1\nentries:\n" + "".join(entries)).encode()
    root.mkdir()
    (root / "mop.yaml").write_text(
        f"""\
version: 1
platform: shop
kubernetes: "1.34"
repositories:
  shop: {{url: "{charts.url}"}}
charts:
  web: {{chart: shop/web, version: ^1.0}}
  database: {{chart: shop/store, version: 0.1.0}}
components: {{app: {{}}}}
environments: {{dev: {{target: embedded}}}}
"""
    )
    run(root, env, sys.executable, "-m", "mop", "vendor")
    mine = tree(root / "charts")
    assert "database/Chart.yaml" in mine
    shutil.rmtree(root / "charts")
    run(root, env, tk, "tool", "charts", "vendor")
    assert tree(root / "charts") == mine
    run(root, env, sys.executable, "-m", "mop", "vendor", "--check")


def chart(name: str, version: str) -> bytes:
    """A packed chart."""
    buffer = io.BytesIO()
    files = {
        "Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n",
        "values.yaml": "a: 1\n",
        "templates/x.yaml": "kind: ConfigMap\n",
        ".helmignore": "*.md\n",
        "files/script.sh": "#!/bin/sh\n",
    }
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}/{path}")
            member.size = len(text)
            member.mode = 0o755 if path.endswith(".sh") else 0o644
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()
