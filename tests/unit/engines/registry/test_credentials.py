"""Logins: where they are found, whose they are, and that nothing of them is seen."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from mop.engines.registry.credentials import Login, Logins, origin
from mop.errors import VendorError

URL = "https://registry.example.com/charts"


def logins(tmp_path: Path, **environ: str) -> Logins:
    return Logins(
        tmp_path / "platform", {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin"), **environ}
    )


def docker(tmp_path: Path, **config: Any) -> None:
    path = tmp_path / "home" / ".docker" / "config.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(config))


def helper(tmp_path: Path, name: str, body: str) -> None:
    path = tmp_path / "bin" / f"docker-credential-{name}"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_environment_variables_of_the_repositorys_name(tmp_path: Path) -> None:
    found = logins(tmp_path, REG_USERNAME="ada", REG_PASSWORD="pw").find(URL, "REG", URL)
    assert found == Login("REG_USERNAME and REG_PASSWORD", "ada", "pw")
    token = logins(tmp_path, REG_TOKEN="t").find(URL, "REG", URL)
    assert token is not None and token.header == "Bearer t"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/charts",
        "https://registry.example.com.evil.example/charts",
        "https://registry.example.com:8443/charts",
        "http://registry.example.com/charts",
        "https://registry.example.com@evil.example/charts",
    ],
)
def test_they_belong_to_its_origin_alone(tmp_path: Path, url: str) -> None:
    assert logins(tmp_path, REG_USERNAME="ada", REG_PASSWORD="pw").find(url, "REG", URL) is None


def test_an_oci_address_means_https() -> None:
    assert origin("oci://registry.example.com/a") == origin("https://registry.example.com:443/b")


def test_dockers_configuration(tmp_path: Path) -> None:
    auth = base64.b64encode(b"ada:p:w").decode()
    docker(tmp_path, auths={"registry.example.com": {"auth": auth}})
    found = logins(tmp_path).find(URL)
    assert found is not None and (found.user, found.password) == ("ada", "p:w")
    assert logins(tmp_path).find("https://other.example.com") is None


def test_helms_own_registry_configuration(tmp_path: Path) -> None:
    path = tmp_path / "helm.json"
    path.write_text(json.dumps({"auths": {"registry.example.com": {"username": "ada", "password": "pw"}}}))
    found = logins(tmp_path, HELM_REGISTRY_CONFIG=str(path)).find(URL)
    assert found is not None and found.user == "ada"


def test_docker_hub_is_one_registry_with_several_names(tmp_path: Path) -> None:
    auth = base64.b64encode(b"ada:pw").decode()
    docker(tmp_path, auths={"https://index.docker.io/v1/": {"auth": auth}})
    for host in ("registry-1.docker.io", "auth.docker.io"):
        assert logins(tmp_path).find(f"https://{host}/token") is not None
    assert logins(tmp_path).find("https://docker.io.example.com") is None


def test_a_credential_helper_is_asked_for_its_host(tmp_path: Path) -> None:
    docker(tmp_path, credHelpers={"registry.example.com": "vault"})
    helper(tmp_path, "vault", """read host; echo "{\\"Username\\": \\"$host\\", \\"Secret\\": \\"s\\"}" """)
    found = logins(tmp_path, PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin").find(URL)
    assert found == Login("docker-credential-vault", "registry.example.com", "s")


def test_a_credential_store_that_knows_nothing_is_no_error(tmp_path: Path) -> None:
    docker(tmp_path, credsStore="vault")
    helper(tmp_path, "vault", "echo 'credentials not found in native keychain'; exit 1")
    assert logins(tmp_path, PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin").find(URL) is None


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"credHelpers": {"registry.example.com": "absent"}}, "not on PATH"),
        ({"credHelpers": {"registry.example.com": "../evil"}}, "no name of a credential helper"),
        ({"credHelpers": {"registry.example.com": "odd"}}, "something else than a username"),
        ({"auths": {"registry.example.com": {"auth": "%%%"}}}, "no base64"),
    ],
)
def test_a_broken_docker_configuration_is_told(tmp_path: Path, config: dict[str, Any], expected: str) -> None:
    docker(tmp_path, **config)
    helper(tmp_path, "odd", "echo secret-that-nobody-should-see")
    found = logins(tmp_path, PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(VendorError, match=expected) as caught:
        found.find(URL)
    assert "nobody-should-see" not in str(caught.value)


def test_a_docker_configuration_that_is_no_json(tmp_path: Path) -> None:
    docker(tmp_path)
    (tmp_path / "home/.docker/config.json").write_text("{")
    with pytest.raises(VendorError, match="no JSON"):
        logins(tmp_path).find(URL)


def test_netrc(tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    path.write_text("machine registry.example.com login ada password pw\n")
    found = logins(tmp_path, NETRC=str(path)).find(URL)
    assert found is not None and (found.user, found.password) == ("ada", "pw")
    assert logins(tmp_path, NETRC=str(path)).find("https://other.example.com/") is None
    path.write_text("machine registry.example.com login\nbad bad bad")
    with pytest.raises(VendorError, match="no netrc"):
        logins(tmp_path, NETRC=str(path)).find(URL)


@pytest.mark.parametrize("variable", ["NETRC", "DOCKER_CONFIG", "HELM_REGISTRY_CONFIG"])
def test_nothing_is_read_from_the_repository(tmp_path: Path, variable: str) -> None:
    folder = tmp_path / "platform"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"auths": {"registry.example.com": {"auth": "YTpi"}}}))
    (folder / "netrc").write_text("machine registry.example.com login ada password pw\n")
    path = {"NETRC": "netrc", "DOCKER_CONFIG": "", "HELM_REGISTRY_CONFIG": "config.json"}[variable]
    with pytest.raises(VendorError, match="a file of this repository"):
        logins(tmp_path, **{variable: str(folder / path)}).find(URL)
    with pytest.raises(VendorError, match="a file of this repository"):
        logins(tmp_path, REG_KEY=str(folder / "key.pem")).tls(URL, "REG", URL)


def test_a_login_shows_no_secret() -> None:
    assert "pw" not in repr(Login("x", "ada", "pw", "tok-en")) and "tok-en" not in repr(
        Login("x", token="tok-en")
    )


def test_a_helper_is_asked_once_for_an_origin(tmp_path: Path) -> None:
    docker(tmp_path, credHelpers={"registry.example.com": "vault"})
    helper(tmp_path, "vault", f"""echo asked >> {tmp_path}/log; echo '{{"Username": "a", "Secret": "s"}}'""")
    found = logins(tmp_path, PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert [found.find(f"https://registry.example.com/{n}") is not None for n in range(5)] == [True] * 5
    assert (tmp_path / "log").read_text() == "asked\n"
