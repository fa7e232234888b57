"""Charts from a Helm repository: found, fetched, cached, and never taken for what they are not."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mop.engines.protocols import ChartSource, Located
from mop.engines.registry import ChartRegistry
from mop.errors import VendorError
from mop.files import sha256
from tests.servers.charts import HelmRepository, chart
from tests.servers.web import Answer, Site, site

Make = Callable[..., ChartRegistry]


@pytest.fixture
def helm(server: Site) -> HelmRepository:
    repository = HelmRepository(server)
    for version in ("6.0.0", "6.1.0", "6.10.2", "7.0.0", "7.1.0-rc.1"):
        repository.add("web", version)
    return repository


def source(helm: HelmRepository, name: str = "web", credentials: str = "") -> ChartSource:
    return ChartSource("http", helm.url, name, credentials)


def test_a_range_finds_the_newest_and_the_archive_is_unpacked(
    helm: HelmRepository, make: Make, tmp_path: Path
) -> None:
    found = make().locate(source(helm), "^6.0")
    archive = chart("web", "6.10.2")
    assert found == Located("6.10.2", f"{helm.url}/web-6.10.2.tgz", sha256(archive))
    obtained = make().unpack(source(helm), found, tmp_path / "web")
    assert (obtained.archive, obtained.fetched) == (sha256(archive), len(archive))
    assert "version: " in (tmp_path / "web" / "Chart.yaml").read_text()


def test_all_versions_are_listed(helm: HelmRepository, make: Make) -> None:
    assert set(make().versions(source(helm))) == {"6.0.0", "6.1.0", "6.10.2", "7.0.0", "7.1.0-rc.1"}


def test_the_index_is_asked_for_once_a_run_and_sent_only_if_it_changed(
    helm: HelmRepository, make: Make
) -> None:
    engine = make()
    engine.locate(source(helm), "^6")
    engine.locate(source(helm), "^7")
    make().locate(source(helm), "^7")
    assert [request.status for request in helm.site.asked(helm.index_path)] == [200, 304]
    helm.add("web", "8.0.0")
    assert make().locate(source(helm), ">7").version == "8.0.0"


def test_an_archive_that_is_cached_needs_no_request(helm: HelmRepository, make: Make, tmp_path: Path) -> None:
    found = make().locate(source(helm), "6.0.0")
    make().unpack(source(helm), found, tmp_path / "one")
    again = make()
    assert again.unpack(source(helm), found, tmp_path / "two").fetched == 0
    assert again.requests == 0


def test_the_cache_goes_by_content_and_serves_other_repositories(
    helm: HelmRepository, make: Make, tmp_path: Path
) -> None:
    make().unpack(source(helm), make().locate(source(helm), "6.0.0"), tmp_path / "one")
    mirror = HelmRepository(helm.site, "/mirror")
    mirror.add("web", "6.0.0")
    found = make().locate(source(mirror), "6.0.0")
    assert make().unpack(source(mirror), found, tmp_path / "two").fetched == 0


def test_a_cache_entry_that_was_damaged_is_fetched_again(
    helm: HelmRepository, make: Make, tmp_path: Path
) -> None:
    found = make().locate(source(helm), "6.0.0")
    make().unpack(source(helm), found, tmp_path / "one")
    entry = next(p for p in (tmp_path / "cache").rglob("*") if p.name == found.archive[2:])
    entry.write_bytes(entry.read_bytes()[:-1] + b"!")
    assert make().unpack(source(helm), found, tmp_path / "two").fetched > 0


def test_what_differs_from_the_index_is_refused_and_not_cached(
    helm: HelmRepository, make: Make, tmp_path: Path
) -> None:
    helm.site.answers["/charts/web-6.0.0.tgz"] = chart("web", "6.0.0", description="replaced")
    found = make().locate(source(helm), "6.0.0")
    for _ in range(2):
        with pytest.raises(VendorError, match="is not what was promised: expected sha256"):
            make().unpack(source(helm), found, tmp_path / "web")
    assert not list((tmp_path / "web").rglob("*"))


def test_a_version_that_is_not_there_names_the_nearest(helm: HelmRepository, make: Make) -> None:
    with pytest.raises(VendorError, match=r"no version 6\.2\.0 of web") as caught:
        make().locate(source(helm), "6.2.0")
    assert "6.1.0" in caught.value.hint


def test_a_chart_that_is_not_there_names_the_nearest(helm: HelmRepository, make: Make) -> None:
    with pytest.raises(VendorError, match="has no chart 'wbe'") as caught:
        make().locate(source(helm, "wbe"), "1")
    assert "web" in caught.value.hint


def test_a_range_that_is_none_is_told(helm: HelmRepository, make: Make) -> None:
    with pytest.raises(VendorError, match="no range of versions"):
        make().locate(source(helm), "^^1")


def test_an_address_may_be_anywhere_and_the_login_stays_home(
    helm: HelmRepository, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPO_USERNAME", "ada")
    monkeypatch.setenv("REPO_PASSWORD", "pw")
    with site(host="localhost") as releases:
        releases.answers["/web-9.0.0.tgz"] = helm.add("web", "9.0.0", urls=[f"{releases.url}/web-9.0.0.tgz"])
        helm.site.user, helm.site.password = "ada", "pw"
        asked = source(helm, credentials="REPO")
        make().unpack(asked, make().locate(asked, "9.0.0"), tmp_path / "web")
        assert "authorization" in helm.site.asked(helm.index_path)[-1].headers
        assert "authorization" not in releases.requests[0].headers


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/web.tgz"])
def test_an_address_that_is_no_web_address_is_refused(helm: HelmRepository, make: Make, url: str) -> None:
    helm.add("web", "9.0.0", urls=[url])
    with pytest.raises(VendorError, match="no web address"):
        make().locate(source(helm), "9.0.0")


def test_an_index_without_etag_or_with_gzip_is_read_too(helm: HelmRepository, make: Make) -> None:
    plain = helm.site.answers[helm.index_path]
    assert isinstance(plain, Answer)
    helm.site.answers[helm.index_path] = Answer(
        gzip.compress(plain.body), headers={"Content-Encoding": "gzip"}
    )
    assert make().locate(source(helm), "7").version == "7.0.0"


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_repository_that_refuses_is_told(helm: HelmRepository, make: Make, status: int) -> None:
    helm.site.answers[helm.index_path] = Answer(b"", status)
    with pytest.raises(VendorError, match=str(status)):
        make().locate(source(helm), "6.0.0")


def test_a_page_instead_of_the_archive_is_told(helm: HelmRepository, make: Make, tmp_path: Path) -> None:
    page = b"<!doctype html><title>Log in</title>"
    helm.add("web", "9.0.0", archive=page)
    with pytest.raises(VendorError, match="no chart archive"):
        make().unpack(source(helm), make().locate(source(helm), "9.0.0"), tmp_path / "web")


def test_an_archive_that_moved_is_found_by_the_index(
    helm: HelmRepository, make: Make, tmp_path: Path
) -> None:
    """The lock holds an old address; the digest says that it is the same."""
    found = make().locate(source(helm), "6.0.0")
    moved = replace(found, url=f"{helm.url}/old/web-6.0.0.tgz")
    assert make().unpack(source(helm), moved, tmp_path / "web").archive == found.archive
    gone = replace(moved, version="6.0.1", archive="c" * 64)
    with pytest.raises(VendorError, match=r"no version 6\.0\.1"):
        make().unpack(source(helm), gone, tmp_path / "gone")
