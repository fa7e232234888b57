"""Requests that outlive trouble, and logins that go nowhere else."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mop.engines.registry.answers import Asker, expect, shown
from mop.engines.registry.credentials import Logins
from mop.engines.registry.http import Http, Patience
from mop.errors import UsageError, VendorError
from tests.servers.certificates import Authority
from tests.servers.web import Answer, Site, site
from tests.unit.engines.registry.conftest import QUICK

#: The same machine under another name: for logins it is another host.
ELSEWHERE = "localhost"


@pytest.fixture
def http(tmp_path: Path, home: Path) -> Iterator[Http]:
    made = Http(Logins(tmp_path / "platform"), QUICK)
    yield made
    made.close()


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("REPO_USERNAME", "ada")
    monkeypatch.setenv("REPO_PASSWORD", "correct-horse")
    return "correct-horse"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_trouble_is_outlived(server: Site, http: Http, status: int) -> None:
    server.answers["/x"] = [Answer(b"", status), Answer(b"", status), Answer(b"here")]
    assert http.get(f"{server.url}/x").body == b"here"
    assert [request.status for request in server.requests] == [status, status, 200]


def test_lasting_trouble_is_told_with_the_number_of_tries(server: Site, http: Http) -> None:
    server.answers["/x"] = Answer(b"", 503)
    with pytest.raises(VendorError, match=r"it answered 503 \(3 tries\)"):
        http.get(f"{server.url}/x")


def test_retry_after_is_honoured_in_seconds_and_as_a_date(server: Site, http: Http) -> None:
    at = email.utils.formatdate(time.time() + 2, usegmt=True)
    server.answers["/x"] = [
        Answer(b"", 429, {"Retry-After": "1"}),
        Answer(b"", 503, {"Retry-After": at}),
        Answer(b"here"),
    ]
    began = time.monotonic()
    assert http.get(f"{server.url}/x").body == b"here"
    assert time.monotonic() - began >= 1.0


def test_a_retry_after_beyond_all_patience_is_not_waited_for(server: Site, http: Http) -> None:
    server.answers["/x"] = Answer(b"", 429, {"Retry-After": "3600"})
    with pytest.raises(VendorError, match="it asks to wait 3600 s"):
        http.get(f"{server.url}/x")
    assert len(server.requests) == 1


def test_a_broken_download_is_begun_again(server: Site, http: Http) -> None:
    server.answers["/x"] = [Answer(b"0123456789", cut=4), Answer(b"0123456789")]
    assert http.get(f"{server.url}/x").body == b"0123456789"


def test_a_download_that_breaks_every_time_is_an_error(server: Site, http: Http) -> None:
    server.answers["/x"] = Answer(b"0123456789", cut=4)
    with pytest.raises(VendorError, match="could not be read"):
        http.get(f"{server.url}/x")


def test_silence_ends(server: Site, tmp_path: Path, home: Path) -> None:
    server.answers["/x"] = Answer(hang=True)
    http = Http(Logins(tmp_path), Patience(silence=0.3, total=1.0, tries=2))
    with pytest.raises(VendorError, match="it went silent"):
        http.get(f"{server.url}/x")


def test_nobody_there_is_told(http: Http) -> None:
    with site() as gone:
        url = gone.url
    with pytest.raises(VendorError, match="could not be read") as caught:
        http.get(f"{url}/x")
    assert "HTTPS_PROXY" in caught.value.hint


def test_too_much_is_refused_while_it_comes(server: Site, http: Http) -> None:
    server.answers["/x"] = b"\0" * (2 << 20)
    with pytest.raises(VendorError, match="sends more than 1 MiB"):
        http.get(f"{server.url}/x", most=1 << 20)


def test_a_login_is_sent_to_its_own_host(server: Site, http: Http, secret: str) -> None:
    server.user, server.password = "ada", secret
    server.answers["/x"] = b"here"
    assert http.get(f"{server.url}/x", Asker(server.url, "REPO")).body == b"here"


def test_a_redirect_to_another_host_sheds_the_login(server: Site, http: Http, secret: str) -> None:
    with site(host=ELSEWHERE) as other:
        server.answers["/x"] = Answer(b"", 302, {"Location": f"{other.url}/y"})
        other.answers["/y"] = b"here"
        assert http.get(f"{server.url}/x", Asker(server.url, "REPO")).body == b"here"
        assert "authorization" in server.asked("/x")[0].headers
        assert "authorization" not in other.asked("/y")[0].headers


def test_a_redirect_to_another_port_sheds_the_login_too(server: Site, http: Http, secret: str) -> None:
    with site() as other:
        server.answers["/x"] = Answer(b"", 307, {"Location": f"{other.url}/y"})
        other.answers["/y"] = b"here"
        http.get(f"{server.url}/x", Asker(server.url, "REPO"))
        assert "authorization" not in other.asked("/y")[0].headers


def test_a_redirect_back_home_carries_it_again(server: Site, http: Http, secret: str) -> None:
    server.user, server.password = "ada", secret
    with site(host=ELSEWHERE) as other:
        server.answers["/x"] = Answer(b"", 302, {"Location": f"{other.url}/y"})
        other.answers["/y"] = Answer(b"", 302, {"Location": f"{server.url}/z"})
        server.answers["/z"] = b"here"
        assert http.get(f"{server.url}/x", Asker(server.url, "REPO")).body == b"here"


def test_another_host_that_wants_a_login_gets_none_and_the_message_no_password(
    server: Site, http: Http, secret: str
) -> None:
    with site(host=ELSEWHERE) as other:
        other.user, other.password = "eve", "x"
        server.answers["/x"] = Answer(b"", 302, {"Location": f"{other.url}/y?signature=abc"})
        asker = Asker(server.url, "REPO")
        with pytest.raises(VendorError, match="no login for this host was found") as caught:
            expect(http.get(f"{server.url}/x", asker), "file", asker)
        assert secret not in str(caught.value) + caught.value.hint
        assert "signature" not in str(caught.value)


def test_redirects_without_end_are_told(server: Site, http: Http) -> None:
    server.answers["/x"] = Answer(b"", 302, {"Location": "/x"})
    with pytest.raises(VendorError, match="redirects again and again"):
        http.get(f"{server.url}/x")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.com/x"])
def test_a_redirect_to_something_else_than_the_web_is_refused(server: Site, http: Http, target: str) -> None:
    server.answers["/x"] = Answer(b"", 302, {"Location": target})
    with pytest.raises(VendorError, match="no web address"):
        http.get(f"{server.url}/x")


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tmp_path: Path, http: Http) -> None:
    authority = Authority(tmp_path)
    with (
        site(authority.server()) as server,
        pytest.raises(VendorError, match="certificate cannot be verified") as e,
    ):
        http.get(f"{server.url}/x")
    assert "tries" not in e.value.message
    assert "NAME_CA" in e.value.hint


def test_a_private_authority_is_trusted_where_it_is_named(
    tmp_path: Path, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("REPO_CA", str(authority.certificate))
    with site(authority.server()) as server:
        server.answers["/x"] = b"here"
        assert http.get(f"{server.url}/x", Asker(server.url, "REPO")).body == b"here"
        with pytest.raises(VendorError, match="certificate"):
            http.get(f"{server.url}/x", Asker("https://example.com", "REPO"))


def test_a_client_certificate_is_shown_to_its_own_host_alone(
    tmp_path: Path, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    pair = authority.sign("client")
    for part, path in (("CA", authority.certificate), ("CERT", pair.certificate), ("KEY", pair.key)):
        monkeypatch.setenv(f"REPO_{part}", str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with site(authority.server(clients=True)) as server, site(authority.server(clients=True)) as other:
        server.answers["/x"] = other.answers["/x"] = b"here"
        asker = Asker(server.url, "REPO")
        assert http.get(f"{server.url}/x", asker).body == b"here"
        with pytest.raises(VendorError, match="could not be read"):
            http.get(f"{other.url}/x", asker)


def test_https_does_not_lead_to_http(tmp_path: Path, http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("REPO_CA", str(authority.certificate))
    with site(authority.server()) as server, site() as plain:
        server.answers["/x"] = Answer(b"", 302, {"Location": f"{plain.url}/x"})
        with pytest.raises(VendorError, match="anybody could change"):
            http.get(f"{server.url}/x", Asker(server.url, "REPO"))
        assert plain.requests == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, "no login for this host"),
        (403, "no login for this host"),
        (404, "there is no file"),
        (418, "answered 418"),
    ],
)
def test_each_refusal_says_what_to_do(server: Site, http: Http, status: int, expected: str) -> None:
    server.answers["/x"] = Answer(b"", status)
    with pytest.raises(VendorError, match=expected):
        expect(http.get(f"{server.url}/x"), "file")


def test_a_wrong_password_is_told_by_where_it_came_from(server: Site, http: Http, secret: str) -> None:
    server.user, server.password = "ada", "another"
    asker = Asker(server.url, "REPO")
    with pytest.raises(VendorError, match="to ada of REPO_USERNAME and REPO_PASSWORD"):
        expect(http.get(f"{server.url}/x", asker), "file", asker)


def test_the_time_limit_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOP_HTTP_TIMEOUT", "5")
    assert Patience.of_environment() == Patience(5.0, 20.0)
    monkeypatch.setenv("MOP_HTTP_TIMEOUT", "soon")
    with pytest.raises(UsageError, match="MOP_HTTP_TIMEOUT"):
        Patience.of_environment()


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert shown("https://ada:pw@example.com/x?token=abc#y") == "https://example.com/x"


def test_a_proxy_is_used_for_other_hosts_and_not_for_this_machine(
    server: Site, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        proxy.answers["http://charts.example.com/x"] = b"by proxy"
        server.answers["/x"] = b"direct"
        assert http.get("http://charts.example.com/x").body == b"by proxy"
        assert http.get(f"{server.url}/x").body == b"direct"
        assert len(proxy.requests) == 1


def test_after_an_interruption_nothing_is_tried_again(server: Site, http: Http) -> None:
    server.answers["/x"] = Answer(b"", 503)
    http.stopped.set()
    with pytest.raises(VendorError, match="it answered 503"):
        http.get(f"{server.url}/x")
    assert len(server.requests) == 1
