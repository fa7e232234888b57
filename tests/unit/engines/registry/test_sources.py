"""Charts of git repositories, served by git itself, and of folders and archives of this repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mop.engines import git_remote
from mop.engines.protocols import ChartSource, Located
from mop.engines.registry import ChartRegistry
from mop.engines.registry.sources import parts
from mop.errors import VendorError
from mop.files import sha256
from tests.servers.charts import chart, chart_files, write_files
from tests.servers.git_http import Repositories, git_server

Make = Callable[..., ChartRegistry]


@pytest.fixture
def git(tmp_path: Path, home: Path) -> Iterator[Repositories]:
    with git_server(tmp_path / "repositories") as found:
        yield found


def commit(git: Repositories, version: str, **options: str) -> str:
    files = {f"charts/web/{name}": text for name, text in chart_files("web", version).items()}
    return git.commit("ops/charts", files, **options)


def source(git: Repositories, query: str = "", path: str = "charts/web") -> ChartSource:
    return ChartSource("git", f"git+{git.url}/ops/charts.git//{path}{query}")


@pytest.mark.parametrize("query", ["?ref=v1", "?ref=main", "?ref={commit}", ""])
def test_a_folder_of_a_tag_a_branch_a_commit_or_the_head(
    git: Repositories, make: Make, tmp_path: Path, query: str
) -> None:
    first = commit(git, "1.0.0", tag="v1")
    asked = source(git, query.format(commit=first))
    located = make().locate(asked, "")
    assert located.version == "1.0.0" and f"ref={first}" in located.url
    make().unpack(asked, located, tmp_path / "web")
    assert (tmp_path / "web" / "templates" / "configmap.yaml").is_file()


def test_a_locked_commit_stays_when_the_branch_moves_and_needs_no_request_from_the_cache(
    git: Repositories, make: Make, tmp_path: Path
) -> None:
    commit(git, "1.0.0")
    asked = source(git, "?ref=main")
    located = make().locate(asked, "^1")
    commit(git, "2.0.0")
    git.requests.clear()
    assert make().unpack(asked, located, tmp_path / "web").fetched == 0
    assert git.requests == []
    assert "1.0.0" in (tmp_path / "web" / "Chart.yaml").read_text()


def test_a_version_that_does_not_fit_is_told(git: Repositories, make: Make) -> None:
    commit(git, "1.0.0")
    with pytest.raises(VendorError, match=r"is version 1\.0\.0, and \^2 is wanted"):
        make().locate(source(git), "^2")


def test_a_ref_that_is_gone_names_near_ones(git: Repositories, make: Make) -> None:
    commit(git, "1.0.0", tag="v1.0.0")
    with pytest.raises(VendorError, match=r"no branch, tag or commit 'v1\.0\.1'") as caught:
        make().locate(source(git, "?ref=v1.0.1"), "")
    assert "v1.0.0" in caught.value.hint


def test_a_commit_that_was_rewritten_is_told(git: Repositories, make: Make) -> None:
    commit(git, "1.0.0")
    with pytest.raises(VendorError, match=r"no longer has the commit|could not be read"):
        make().locate(source(git, f"?ref={'a' * 40}"), "")


def test_a_path_that_is_not_there_is_told(git: Repositories, make: Make) -> None:
    commit(git, "1.0.0")
    with pytest.raises(VendorError, match="has no folder 'charts/db'"):
        make().locate(source(git, path="charts/db"), "")


def test_a_folder_that_is_no_chart_is_told(git: Repositories, make: Make) -> None:
    commit(git, "1.0.0")
    with pytest.raises(VendorError, match=r"no Chart\.yaml"):
        make().locate(source(git, path="charts"), "")


def test_a_repository_that_is_not_there_is_told(git: Repositories, make: Make) -> None:
    with pytest.raises(VendorError, match="could not be read"):
        make().locate(ChartSource("git", f"git+{git.url}/ops/absent.git//x?ref=main"), "")


def test_a_link_in_a_chart_of_git_is_refused(git: Repositories, make: Make, tmp_path: Path) -> None:
    commit(git, "1.0.0")
    git.commit("ops/charts", {"charts/web/values.yaml": "-> /etc/passwd"})
    located = make().locate(source(git), "")
    with pytest.raises(VendorError, match="is a link"):
        make().unpack(source(git), located, tmp_path / "web")


@pytest.mark.parametrize(
    "url",
    [
        "git+https://example.com/a.git//../x",
        "git+https://example.com/a.git//x?ref=--upload-pack=evil",
        "git+https://example.com/a.git//x?ref=a..b",
        "git+https://example.com/a.git//x?ref=a%20b",
        "git+https://ada:secret@example.com/a.git//x",
    ],
)
def test_an_address_that_means_harm_is_refused(url: str) -> None:
    with pytest.raises(VendorError) as caught:
        parts(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["--upload-pack=evil", "ext::sh -c evil", "/etc", "-x@host:path"])
def test_git_is_given_no_address_that_is_an_option_or_a_command(url: str) -> None:
    with pytest.raises(VendorError, match="no address of a git repository"):
        git_remote.resolve(url, "main")


def test_a_folder_of_this_repository(make: Make, tmp_path: Path) -> None:
    write_files(tmp_path / "platform" / "my" / "web", chart_files("web", "1.0.0"))
    asked = ChartSource("local", "./my/web")
    located = make().locate(asked, "")
    assert located == Located("1.0.0", "")
    assert make().unpack(asked, located, tmp_path / "out").archive == ""
    assert (tmp_path / "out" / "Chart.yaml").is_file()


def test_an_archive_of_this_repository(make: Make, tmp_path: Path) -> None:
    archive = chart("web", "1.0.0")
    (tmp_path / "platform").mkdir()
    (tmp_path / "platform" / "web.tgz").write_bytes(archive)
    asked = ChartSource("local", "./web.tgz")
    assert make().locate(asked, "1.0.0").version == "1.0.0"
    assert make().unpack(asked, Located("1.0.0", ""), tmp_path / "out").archive == sha256(archive)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("./../x", "leads out"), ("./absent", "no such folder"), ("./empty", "no Chart.yaml")],
)
def test_a_place_that_cannot_be_is_told(make: Make, tmp_path: Path, path: str, expected: str) -> None:
    (tmp_path / "platform" / "empty").mkdir(parents=True)
    with pytest.raises(VendorError, match=expected):
        make().locate(ChartSource("local", path), "")
