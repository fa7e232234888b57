"""`charts.*`, `libs.*`, `repos.add`, `envs.import` as their users run them, against servers on loopback."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Mop, write
from tests.servers.git_http import Repositories, git_server
from tests.servers.web import Answer, Site, site

MOP_YAML = """\
version: 1
platform: shop                 # the name of all
kubernetes: "1.34"

repositories:
  shop:   {url: "URL"}         # ours

charts:
  web:    {chart: shop/web, version: 1.2.0}   # pinned

components: {app: {}}

environments:
  dev: {target: embedded}
"""


@pytest.fixture
def charts() -> Iterator[Site]:
    """A Helm repository with many versions of `web` and one of `store`."""
    with site() as server:
        versions = ["1.2.0", "1.2.7", "1.3.1", "2.0.0", "2.1.0-rc.1"]
        listed = "".join(f"  - {{name: web, version: {v}, urls: [web-{v}.tgz]}}\n" for v in versions)
        store = "  - {name: store, version: 0.3.0, urls: [s.tgz]}\n"
        index = f"apiVersion: v1\nentries:\n  web:\n{listed}  store:\n{store}"
        server.answers["/index.yaml"] = index.encode()
        yield server


@pytest.fixture
def git(tmp_path: Path) -> Iterator[Repositories]:
    with git_server(tmp_path / "git") as server:
        yield server


@pytest.fixture
def root(tmp_path: Path, charts: Site) -> Path:
    folder = tmp_path / "shop"
    write(folder, {"mop.yaml": MOP_YAML.replace("URL", charts.url)})
    return folder


def added(root: Path, charts: Site) -> list[str]:
    """How mop.yaml differs from what it was, as `+line` and `-line`."""
    before = MOP_YAML.replace("URL", charts.url).splitlines()
    lines = difflib.unified_diff(before, (root / "mop.yaml").read_text().splitlines(), n=0, lineterm="")
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


def test_a_chart_is_added_with_its_newest_version(mop: Mop, root: Path, charts: Site) -> None:
    done = mop(root, "charts.add", "shop/store")
    assert (done.code, done.out) == (0, "charts.store: {chart: shop/store, version: 0.3.0}\n")
    assert added(root, charts) == ["+  store: {chart: shop/store, version: 0.3.0}"]


def test_a_chart_that_is_there_gets_another_version(mop: Mop, root: Path, charts: Site) -> None:
    assert mop(root, "charts.add", "shop/web@^1.3").code == 0
    assert added(root, charts) == [
        "-  web:    {chart: shop/web, version: 1.2.0}   # pinned",
        "+  web:    {chart: shop/web, version: ^1.3}   # pinned",
    ]
    assert mop(root, "charts.add", "shop/web@^1.3").err == "mop.yaml says so already\n"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["shop/web@9.9.9"], "has no version 9.9.9 of web"),
        (["shop/wbe@1.2.0"], "has no chart 'wbe'"),
        (["shpo/web@1.2.0"], "did you mean shop?"),
        (["web@1.2.0"], "expected REPOSITORY/CHART@VERSION"),
        (["shop/store", "--name", "web"], "mop.yaml has a chart web already: shop/web"),
        (["shop/store", "--name", "No Name"], "DNS label"),
    ],
)
def test_what_cannot_be_added_leaves_the_file_alone(
    mop: Mop, root: Path, charts: Site, arguments: list[str], what: str
) -> None:
    done = mop(root, "charts.add", *arguments)
    assert done.code == 1
    assert what in done.err
    assert added(root, charts) == []


def test_charts_of_git_and_of_this_repository_need_no_version(
    mop: Mop, root: Path, charts: Site, git: Repositories
) -> None:
    files = {"Chart.yaml": "apiVersion: v2\nname: thing\nversion: 3.0.0\n", "values.yaml": ""}
    git.commit("ops/charts", {f"thing/{name}": text for name, text in files.items()})
    write(root, {f"own/{name}": text for name, text in files.items()})
    source = f"git+{git.url}/ops/charts.git//thing?ref=main"
    assert mop(root, "charts.add", source).code == 0
    assert mop(root, "charts.add", "./own").code == 0
    assert added(root, charts) == [
        f'+  thing: {{chart: "{source}"}}',
        "+  own: {chart: ./own, version: 3.0.0}",
    ]
    assert "no branch, tag or commit" in mop(root, "charts.add", source.replace("main", "gone")).err
    assert "no such folder" in mop(root, "charts.add", "./nowhere").err


def test_newer_charts_of_each_kind_are_named(mop: Mop, root: Path, charts: Site) -> None:
    mop(root, "charts.add", "shop/store")
    done = mop(root, "charts.outdated")
    assert done.code == 0
    assert done.out.splitlines() == [
        "CHART  CURRENT  PATCH  MINOR  MAJOR  FROM",
        "web    1.2.0    1.2.7  1.3.1  2.0.0  shop/web",
    ]
    facts = json.loads(mop(root, "charts.outdated", "--json").out)["charts"]
    assert facts[0] == {
        "name": "web", "chart": "shop/web", "current": "1.2.0",
        "patch": "1.2.7", "minor": "1.3.1", "major": "2.0.0", "trouble": "",
    }  # fmt: skip
    assert [each["name"] for each in facts] == ["web", "store"]


def test_a_repository_that_does_not_answer_is_said(mop: Mop, root: Path, charts: Site) -> None:
    charts.answers["/index.yaml"] = Answer(b"", 403)
    done = mop(root, "charts.outdated")
    assert done.code == 1
    assert "web: not known:" in done.out
    assert "403" in done.out


def test_a_repository_is_added(mop: Mop, root: Path, charts: Site) -> None:
    done = mop(
        root, "repos.add", "internal", "oci://registry.example.com/charts", "--credentials", "REGISTRY"
    )
    assert done.code == 0
    assert added(root, charts) == [
        "+  internal: {url: oci://registry.example.com/charts, credentials: env:REGISTRY}"
    ]
    assert "https://, http:// or oci://" in mop(root, "repos.add", "other", "ftp://x.example.com").err


def test_a_library_is_added_and_vendored_with_what_it_asks_for(
    mop: Mop, root: Path, charts: Site, git: Repositories
) -> None:
    git.commit("acme/tools", {"util/main.libsonnet": "{ answer: 42 }"})
    done = mop(root, "libs.add", f"{git.url}/acme/tools/util")
    assert (done.code, done.err) == (0, "")
    assert added(root, charts) == [
        "+libraries:",
        f"+  util: {git.url}/acme/tools.git/util@main",
        "+",
    ]
    text = (root / "mop.yaml").read_text()
    web = next(line for line in text.splitlines() if "# pinned" in line)
    text = text.replace(f"charts:\n{web}\n\n", "").replace("app: {}", "app: {libraries: [util]}")
    (root / "mop.yaml").write_text(text)
    write(root, {"environments/dev/main.jsonnet": MAIN})
    shown = mop(root, "show", "--json")
    assert shown.code == 0, shown.err
    assert json.loads(shown.out)[0]["data"] == {"answer": "42"}
    assert "vendor:library:util" in shown.err or (root / "mop.lock").exists()
    git.requests.clear()
    again = mop(root, "vendor")
    assert "nothing to do" in again.err
    assert git.requests == []
    assert mop(root, "vendor", "--check").code == 0
    library = root / "vendor" / "127.0.0.1" / "acme" / "tools" / "util" / "main.libsonnet"
    library.write_text("{ answer: 43 }")
    checked = mop(root, "vendor", "--check")
    assert checked.code == 1
    assert "changed since it was vendored" in checked.out
    assert "was edited" in mop(root, "vendor").err


def test_a_library_that_is_not_there_is_not_added(
    mop: Mop, root: Path, charts: Site, git: Repositories
) -> None:
    git.commit("acme/tools", {"util/main.libsonnet": "{}"}, tag="v1")
    for text, what in {
        f"{git.url}/acme/tools/util@v2": "no branch, tag or commit 'v2'",
        f"{git.url}/acme/tools/nothing@v1": "no folder 'nothing'",
        f"{git.url}/acme/other@v1": "could not be read",
        "tools": "names no Jsonnet library",
        "./nowhere": "there is no folder ./nowhere",
    }.items():
        done = mop(root, "libs.add", text)
        assert (done.code, what in done.err) == (1, True), done.err
    assert added(root, charts) == []


def test_a_library_gets_another_version_and_its_name_no_other_library(
    mop: Mop, root: Path, charts: Site, git: Repositories
) -> None:
    git.commit("acme/tools", {"x": "1"}, tag="v1")
    git.commit("other/tools", {"x": "1"}, tag="v1")
    assert mop(root, "libs.add", f"{git.url}/acme/tools@main").code == 0
    assert (
        mop(root, "libs.add", f"{git.url}/acme/tools@v1").out
        == f"libraries.tools: {git.url}/acme/tools.git@v1\n"
    )
    taken = mop(root, "libs.add", f"{git.url}/other/tools@v1", "--name", "tools")
    assert "mop.yaml has a library tools already" in taken.err
    assert mop(root, "libs.add", f"{git.url}/other/tools@v1").out.startswith("libraries.tools-2: ")


def test_a_tanka_repository_is_taken_in_whole(
    mop: Mop, tmp_path: Path, charts: Site, git: Repositories
) -> None:
    old = git.commit("acme/tools", {"util/main.libsonnet": "{}"})
    root = tmp_path / "tanka"
    remote = {"remote": f"{git.url}/acme/tools.git", "subdir": "util"}
    write(
        root,
        {
            "environments/prod/main.jsonnet": "{}",
            "environments/prod/spec.json": json.dumps(
                {"kind": "Environment", "apiVersion": "tanka.dev/v1alpha1", "metadata": {"name": "prod"},
                 "spec": {"contextNames": ["prod-eu"], "namespace": "web"}}
            ),
            "chartfile.yaml": f"version: 1\ndirectory: charts\nrepositories:\n- name: My_Shop\n  url: {charts.url}\n"
            "requires:\n- chart: My_Shop/store\n  version: 0.3.0\n  directory: database\n",
            "jsonnetfile.json": json.dumps(
                {"version": 1, "dependencies": [{"source": {"git": remote}, "version": "main"}]}
            ),
        },
    )  # fmt: skip
    assert mop(root, "init").code == 0
    git.commit("acme/tools", {"util/main.libsonnet": "{ new: 1 }"})
    assert mop(root, "charts.import").code == 0
    assert mop(root, "libs.import").code == 0
    assert (root / "mop.yaml").read_text().startswith("# yaml-language-server")
    text = (root / "mop.yaml").read_text()
    assert f"repositories:\n  my-shop: {{url: {charts.url}}}\n" in text
    assert "charts:\n  database: {chart: my-shop/store, version: 0.3.0}\n" in text
    assert f"libraries:\n  util: {git.url}/acme/tools.git/util@main\n" in text

    write(
        root,
        {
            "environments/new/main.jsonnet": "{}",
            "environments/new/spec.json": json.dumps({"spec": {"apiServer": "https://10.0.0.1:6443"}}),
        },
    )
    done = mop(root, "envs.import")
    assert done.code == 0, done.err
    assert "say which cluster new is" in done.err
    assert (
        "\n  new:\n    whole: true\n    target: {context: FILL-IN-THE-CONTEXT}\n"
        in (root / "mop.yaml").read_text()
    )
    assert mop(root, "envs.import").err == "mop.yaml says so already\n"
    assert old


def test_credentials_of_a_chartfile_stay_out(mop: Mop, root: Path, charts: Site) -> None:
    write(
        root,
        {
            "chartfile.yaml": "requires: []\nrepositories:\n"
            "- {name: x, url: 'https://x.example.com', username: u, password: geheim}\n"
        },
    )
    done = mop(root, "charts.import")
    assert done.code == 0
    assert "credentials are not taken over" in done.err
    assert "geheim" not in done.out + done.err + (root / "mop.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("requires: [", "is no YAML"),
        ("[]", "expected one mapping"),
        ("a: 1", "unknown key a"),
        ("requires: [{chart: web, version: 1.0.0}]", "expected REPOSITORY/CHART"),
        ("requires: [{chart: x/web, version: 1.0.0}]", "no repository is called x"),
        ("requires: [{chart: shop/web}]", "expected a text for `version`"),
        ("requires: {}\nrepositories: 1", "no list of mappings"),
    ],
)
def test_a_broken_chartfile_is_named(mop: Mop, root: Path, charts: Site, text: str, what: str) -> None:
    write(root, {"chartfile.yaml": text})
    done = mop(root, "charts.import")
    assert (done.code, what in done.err) == (1, True), done.err
    assert added(root, charts) == []


def test_a_file_that_is_not_there_is_named(mop: Mop, root: Path) -> None:
    assert "cannot be read" in mop(root, "libs.import").err
    assert "cannot be read" in mop(root, "charts.import", "--file", "other.yaml").err


@pytest.mark.parametrize("command", ["charts.add", "libs.add", "repos.add", "charts.outdated", "libs.import"])
def test_each_shows_its_flags_and_an_example(mop: Mop, root: Path, command: str) -> None:
    done = mop(root, command, "--help")
    assert (done.code, "Example: inv" in done.out) == (0, True)


MAIN = """\
{
  app: {
    apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' },
    data: { answer: '%d' % (import '127.0.0.1/acme/tools/util/main.libsonnet').answer },
  },
}
"""
