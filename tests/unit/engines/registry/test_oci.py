"""Charts from the distribution project's registry, open, with passwords, with tokens, and with TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mop.engines.protocols import ChartSource, Located
from mop.engines.registry import ChartRegistry
from mop.errors import VendorError
from mop.files import sha256
from tests.servers.certificates import Authority
from tests.servers.charts import HelmRepository, chart
from tests.servers.oci import Registry, registry, token_service
from tests.servers.web import site

pytestmark = pytest.mark.usefixtures("registry_program")

Make = Callable[..., ChartRegistry]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Registry]:
    with registry(tmp_path / "registry") as found:
        yield found


@pytest.fixture
def ada(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REG_USERNAME", "ada")
    monkeypatch.setenv("REG_PASSWORD", "lovelace")


def source(found: Registry, credentials: str = "") -> ChartSource:
    return ChartSource("oci", f"{found.url}/charts", "web", credentials)


def fetched(engine: ChartRegistry, asked: ChartSource, wanted: str, target: Path) -> Located:
    located = engine.locate(asked, wanted)
    engine.unpack(asked, located, target)
    assert (target / "Chart.yaml").is_file()
    return located


def test_a_chart_is_found_by_range_and_fetched_by_digest(
    opened: Registry, make: Make, tmp_path: Path
) -> None:
    for version in ("6.0.0", "6.1.0+build.1", "7.0.0"):
        opened.push("charts/web", version, chart("web", version))
    located = fetched(make(), source(opened), "^6", tmp_path / "web")
    assert located.version == "6.1.0+build.1"
    assert located.archive == sha256(chart("web", "6.1.0+build.1"))
    assert set(make().versions(source(opened))) == {"6.0.0", "6.1.0+build.1", "7.0.0"}


def test_a_locked_archive_is_asked_for_by_its_digest_alone(
    opened: Registry, make: Make, tmp_path: Path
) -> None:
    """One request where TLS is spoken; on loopback one more finds out that it is not."""
    digest = opened.push("charts/web", "6.0.0", chart("web", "6.0.0"))
    engine = make()
    engine.unpack(
        source(opened), Located("6.0.0", f"{opened.url}/charts/web:6.0.0", digest), tmp_path / "web"
    )
    assert engine.requests == 2
    again = make()
    again.unpack(source(opened), Located("6.0.0", f"{opened.url}/charts/web:6.0.0", digest), tmp_path / "two")
    assert again.requests == 0


def test_more_tags_than_one_page(opened: Registry, make: Make) -> None:
    for number in range(25):
        opened.push("charts/web", f"1.{number}.0", chart("web", f"1.{number}.0"))
    opened.push("charts/web", "latest", chart("web", "1.0.0"))
    engine = make()
    assert len(engine.versions(source(opened))) == 25
    assert engine.locate(source(opened), "*").version == "1.24.0"


def test_a_version_that_is_not_there_names_the_nearest(opened: Registry, make: Make) -> None:
    opened.push("charts/web", "6.1.0", chart("web", "6.1.0"))
    with pytest.raises(VendorError, match=r"no version 6\.2\.0 of web") as caught:
        make().locate(source(opened), "6.2.0")
    assert "6.1.0" in caught.value.hint


def test_a_repository_that_is_not_there_is_told(opened: Registry, make: Make) -> None:
    with pytest.raises(VendorError, match="there is no repository charts/web"):
        make().locate(source(opened), "^1")


def test_something_else_than_a_chart_is_told(opened: Registry, make: Make) -> None:
    opened.push("charts/web", "1.0.0", b"x", media_type="application/vnd.oci.image.layer.v1.tar+gzip")
    with pytest.raises(VendorError, match=r"is no Helm chart: it holds application/vnd\.oci\.image\.layer"):
        make().locate(source(opened), "1.0.0")


def test_with_a_password(make: Make, tmp_path: Path, ada: None) -> None:
    with registry(tmp_path / "registry", passwords=True) as found:
        found.push("charts/web", "6.0.0", chart("web", "6.0.0"))
        fetched(make(), source(found, "REG"), "^6", tmp_path / "web")
        with pytest.raises(VendorError, match="401 Unauthorized"):
            make().locate(source(found), "^6")


def test_with_a_wrong_password_nothing_of_it_is_told(
    make: Make, tmp_path: Path, ada: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REG_PASSWORD", "correct-horse")
    with registry(tmp_path / "registry", passwords=True) as found:
        found.push("charts/web", "6.0.0", chart("web", "6.0.0"))
        with pytest.raises(VendorError, match="to ada of REG_USERNAME") as caught:
            make().locate(source(found, "REG"), "^6")
    assert "correct-horse" not in str(caught.value) + caught.value.hint


def test_with_a_token_of_a_service_that_has_a_login_of_its_own(
    make: Make, tmp_path: Path, home: Path
) -> None:
    with token_service() as tokens, registry(tmp_path / "registry", tokens=tokens) as found:
        found.push("charts/web", "6.0.0", chart("web", "6.0.0"))
        (home / ".netrc").write_text("machine 127.0.0.1 login ada password lovelace\n")
        fetched(make(), source(found), "^6", tmp_path / "web")
        assert any("scope=repository%3Acharts%2Fweb%3Apull" in request.path for request in tokens.requests)


def test_a_token_service_elsewhere_does_not_get_the_registrys_login(
    make: Make, tmp_path: Path, ada: None
) -> None:
    with token_service("localhost") as tokens, registry(tmp_path / "registry", tokens=tokens) as found:
        found.push("charts/web", "6.0.0", chart("web", "6.0.0"))
        with pytest.raises(VendorError, match="wants a login at localhost"):
            make().locate(source(found, "REG"), "^6")
        assert all("authorization" not in request.headers for request in tokens.requests)


def test_with_tls_of_a_private_authority(
    make: Make, tmp_path: Path, ada: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    with registry(tmp_path / "registry", passwords=True, tls=authority) as found:
        found.push("charts/web", "6.0.0", chart("web", "6.0.0"))
        with pytest.raises(VendorError, match="certificate cannot be verified"):
            make().locate(source(found, "REG"), "^6")
        monkeypatch.setenv("REG_CA", str(authority.certificate))
        fetched(make(), source(found, "REG"), "^6", tmp_path / "web")


def test_an_index_may_name_a_registry(opened: Registry, make: Make, tmp_path: Path) -> None:
    opened.push("charts/web", "6.0.0", chart("web", "6.0.0"))
    with site() as server:
        helm = HelmRepository(server)
        helm.add("web", "6.0.0", urls=[f"{opened.url}/charts/web"])
        located = fetched(make(), ChartSource("http", helm.url, "web"), "^6", tmp_path / "web")
        assert located.url == f"{opened.url}/charts/web:6.0.0"
