"""`affected` and `graph`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import MOP_YAML, Mop, write

TWO = MOP_YAML.replace("  web: {}", "  web: {}\n  api: {}").replace("[web]", "[web, api]") + (
    "  prod:\n    target: embedded\n    components: [web]\n"
)


@pytest.fixture
def committed(platform: Path) -> Path:
    """A repository with one commit: dev has web and api, prod has web."""
    write(
        platform,
        {
            ".gitignore": "/.mop/\n",
            "mop.yaml": TWO,
            "environments/dev/main.jsonnet": "{ web: (import 'web.libsonnet'), api: (import 'api.libsonnet') }",
            "environments/prod/main.jsonnet": "{ web: (import 'web.libsonnet') }",
            "lib/api.libsonnet": "{ map: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'api' } } }",
            "lib/unused.libsonnet": "{}",
        },
    )
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        subprocess.run(["git", "-C", str(platform), *identity, *arguments], check=True)
    return platform


def touched(mop: Mop, root: Path, *arguments: str) -> set[str]:
    result = mop(root, "affected", "--json", *arguments)
    assert result.code == 0, result.err
    return {f"{one['environment']}/{one['component']}" for one in json.loads(result.out)["components"]}


def test_a_library_touches_the_environments_that_import_it(committed: Path, mop: Mop) -> None:
    write(
        committed,
        {"lib/api.libsonnet": "{ map: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' } } }"},
    )
    assert touched(mop, committed, "--since", "HEAD") == {"dev/web", "dev/api"}, (
        "inputs belong to the environment"
    )
    assert touched(mop, committed, "--since", "HEAD", "--exact") == {"dev/api"}


def test_a_file_that_shadows_another_touches(committed: Path, mop: Mop) -> None:
    write(committed, {"environments/prod/web.libsonnet": "[]"})
    assert touched(mop, committed, "--since", "HEAD") == {"prod/web"}


def test_what_nobody_imports_touches_nothing(committed: Path, mop: Mop) -> None:
    write(committed, {"lib/unused.libsonnet": "{ a: 1 }", "README.md": "new"})
    assert touched(mop, committed, "--since", "HEAD") == set()


def test_mop_yaml_touches_the_environments_whose_part_changed(committed: Path, mop: Mop) -> None:
    write(committed, {"mop.yaml": TWO + "    namespace: shop-prod\n"})
    assert touched(mop, committed, "--since", "HEAD") == {"prod/web"}
    write(committed, {"mop.yaml": "# a comment\n" + TWO})
    assert touched(mop, committed, "--since", "HEAD") == set()


def test_files_can_be_named(committed: Path, mop: Mop) -> None:
    assert touched(mop, committed, "--files", "lib/web.libsonnet,README.md") == {
        "dev/web",
        "dev/api",
        "prod/web",
    }


def test_a_commit_that_is_not_there(committed: Path, mop: Mop) -> None:
    result = mop(committed, "affected", "--since", "nowhere")
    assert result.code == 1
    assert "expected a commit, found 'nowhere'" in result.err


def test_which_change_must_be_said(committed: Path, mop: Mop) -> None:
    result = mop(committed, "affected")
    assert result.code == 1
    assert "--since" in result.err


def test_graphs_show_what_waits_for_what(platform: Path, mop: Mop) -> None:
    text = mop(platform, "graph")
    assert "render:dev:web  write the manifests of web in dev\n  after evaluate:dev" in text.out
    assert '"evaluate:dev" -> "render:dev:web";' in mop(platform, "graph", "--format", "dot").out
    assert mop(platform, "graph", "--format", "mermaid").out.startswith("flowchart LR\n")
    wrong = mop(platform, "graph", "--format", "png")
    assert wrong.code == 1
    assert "expected text, dot, mermaid or svg" in wrong.err


def test_an_svg_without_graphviz_says_what_to_install(platform: Path, mop: Mop) -> None:
    result = mop(platform, "graph", "--format", "svg", environ={"PATH": "/nowhere"})
    assert result.code == 1
    assert "install graphviz" in result.err
