"""A cluster is reached only as its target names it; what is missing is said with what is there."""

from __future__ import annotations

import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mop.engines.cluster import Endpoint, connect
from mop.engines.cluster.target import Connection, resolve
from mop.errors import ClusterError, Denied, ToolError
from mop.manifest import ref
from mop.model import Target
from tests.unit.engines.cluster.server import Answer, Server, status
from tests.unit.objects import config_map


def kubeconfig(path: Path, *contexts: str, server: str = "https://api.example.com", **user: Any) -> Path:
    """A kubeconfig in which every context has a cluster and a user of its own name."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": contexts[0] if contexts else "",
        "clusters": [{"name": c, "cluster": {"server": server}} for c in contexts],
        "users": [{"name": c, "user": user or {"token": "t"}} for c in contexts],
        "contexts": [{"name": c, "context": {"cluster": c, "user": c}} for c in contexts],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


def context(name: str, file: Path | str = "config") -> Target:
    return Target("context", context=name, kubeconfig=str(file))


@pytest.fixture(autouse=True)
def nobodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


class TestContexts:
    def test_a_context_of_the_targets_own_file(self, tmp_path: Path) -> None:
        kubeconfig(tmp_path / "config", "staging", "production")
        found = resolve(context("production"), tmp_path)
        assert (found.name, found.server, found.user) == (
            "production",
            "https://api.example.com",
            "production",
        )

    def test_a_context_that_is_not_there_names_those_that_are(self, tmp_path: Path) -> None:
        kubeconfig(tmp_path / "config", "staging", "production")
        with pytest.raises(ClusterError) as caught:
            resolve(context("stagin"), tmp_path)
        assert (
            f"context stagin is not in {tmp_path / 'config'}, which has: production, staging"
            in caught.value.message
        )
        assert caught.value.hint == "did you mean staging?"

    def test_the_current_context_is_never_taken(self, tmp_path: Path) -> None:
        kubeconfig(tmp_path / "config", "production")
        with pytest.raises(ClusterError, match="which has: production"):
            resolve(context(""), tmp_path)

    def test_without_a_file_of_its_own_it_is_the_users(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kubeconfig(tmp_path / "home" / ".kube" / "config", "staging")
        assert resolve(context("staging", ""), tmp_path).name == "staging"
        one, two = kubeconfig(tmp_path / "1", "one"), kubeconfig(tmp_path / "2", "two")
        monkeypatch.setenv("KUBECONFIG", f"{one}:{two}")
        assert resolve(context("two", ""), tmp_path).name == "two"
        with pytest.raises(ClusterError, match="which has: one, two"):
            resolve(context("staging", ""), tmp_path)

    def test_no_kubeconfig_at_all(self, tmp_path: Path) -> None:
        with pytest.raises(ClusterError, match=r"no kubeconfig at ~/\.kube/config"):
            resolve(context("staging", ""), tmp_path)
        with pytest.raises(ClusterError, match=r"kubeconfig .*/gone of context staging is not there"):
            resolve(context("staging", "gone"), tmp_path)

    @pytest.mark.parametrize("text", ["{", "- a list", "\tx: 1", "\udcff"])
    def test_a_broken_kubeconfig(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "config").write_bytes(text.encode(errors="surrogateescape"))
        with pytest.raises(ClusterError, match="kubeconfig"):
            resolve(context("staging"), tmp_path)

    def test_a_cluster_that_the_context_names_but_nobody_declares(self, tmp_path: Path) -> None:
        path = kubeconfig(tmp_path / "config", "staging")
        document = yaml.safe_load(path.read_text())
        document["clusters"] = []
        path.write_text(yaml.safe_dump(document))
        with pytest.raises(ClusterError, match=r"names cluster 'staging', which .* lacks"):
            resolve(context("staging"), tmp_path)

    def test_files_of_a_kubeconfig_are_relative_to_it(self, tmp_path: Path) -> None:
        certificate, _ = make_certificate(datetime.now(UTC) + timedelta(days=1))
        path = kubeconfig(tmp_path / "deep" / "config", "staging")
        (tmp_path / "deep" / "ca.crt").write_bytes(certificate)
        document = yaml.safe_load(path.read_text())
        document["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
        path.write_text(yaml.safe_dump(document))
        assert resolve(context("staging", "deep/config"), tmp_path).tls.get_ca_certs()

    def test_a_certificate_that_is_not_there(self, tmp_path: Path) -> None:
        kubeconfig(
            tmp_path / "config", "staging", **{"client-certificate": "gone.crt", "client-key": "gone.key"}
        )
        with pytest.raises(ClusterError, match="credentials of context staging cannot be used"):
            resolve(context("staging"), tmp_path)

    def test_a_proxy_and_a_server_name_are_minded(self, tmp_path: Path) -> None:
        path = kubeconfig(tmp_path / "config", "staging")
        document = yaml.safe_load(path.read_text())
        document["clusters"][0]["cluster"] |= {
            "proxy-url": "http://proxy:3128",
            "tls-server-name": "api.internal",
        }
        path.write_text(yaml.safe_dump(document))
        found = resolve(context("staging"), tmp_path)
        assert (found.proxy, found.sni) == ("http://proxy:3128", "api.internal")

    def test_a_removed_way_to_log_in_is_said_so(self, tmp_path: Path) -> None:
        kubeconfig(tmp_path / "config", "staging", **{"auth-provider": {"name": "gcp"}})
        with pytest.raises(ClusterError, match="auth-provider, which Kubernetes removed") as caught:
            resolve(context("staging"), tmp_path)
        assert "exec" in caught.value.hint


class TestOtherTargets:
    def test_the_embedded_cluster_is_its_endpoint(self, tmp_path: Path) -> None:
        certificate, _ = make_certificate(datetime.now(UTC) + timedelta(days=1))
        (tmp_path / "ca.crt").write_bytes(certificate)
        endpoint = Endpoint("https://127.0.0.1:6443", tmp_path / "ca.crt", "secret-token")
        found = resolve(Target("embedded"), tmp_path, endpoint)
        assert (found.server, found.loopback) == ("https://127.0.0.1:6443", True)
        assert "secret-token" not in f"{found} {endpoint}"
        assert connect(Target("embedded"), tmp_path, endpoint).simulated

    def test_the_embedded_cluster_may_be_stopped(self, tmp_path: Path) -> None:
        with pytest.raises(ClusterError, match="is stopped"):
            resolve(Target("embedded"), tmp_path)

    def test_in_cluster_needs_a_pod(self, tmp_path: Path) -> None:
        with pytest.raises(ClusterError, match="this is no pod"):
            resolve(Target("in-cluster"), tmp_path)

    @pytest.mark.parametrize(
        ("server", "loopback"),
        [
            ("https://127.0.0.9:1", True),
            ("http://localhost:1", True),
            ("https://[::1]:1", True),
            ("https://10.0.0.1", False),
        ],
    )
    def test_loopback_is_known(self, server: str, loopback: bool) -> None:
        assert Connection("x", server, "u", tls=None).loopback is loopback  # type: ignore[arg-type]


class TestCredentials:
    def test_a_token_is_sent(self, server: Server, tmp_path: Path) -> None:
        kubeconfig(tmp_path / "config", "staging", server=server.url, token="abc")
        server.answers = [Answer(body=config_map())]
        connect(context("staging"), tmp_path).get(ref(config_map()))
        assert server.seen[0].headers["Authorization"] == "Bearer abc"

    def test_a_token_that_has_expired_is_said_so(self, server: Server, tmp_path: Path) -> None:
        claims = base64.urlsafe_b64encode(json.dumps({"exp": 1_700_000_000}).encode()).decode().rstrip("=")
        kubeconfig(tmp_path / "config", "staging", server=server.url, token=f"e30.{claims}.sig")
        server.answers = [Answer(401, status("Unauthorized"))]
        with pytest.raises(Denied, match="expired on 2023-11-14 22:13 UTC") as caught:
            connect(context("staging"), tmp_path).get(ref(config_map()))
        assert claims not in caught.value.message

    def test_a_client_certificate_that_has_expired_is_said_so(self, server: Server, tmp_path: Path) -> None:
        certificate, key = make_certificate(datetime(2026, 1, 31, tzinfo=UTC))
        data = {"client-certificate-data": base64.b64encode(certificate).decode()}
        kubeconfig(
            tmp_path / "config",
            "staging",
            server=server.url,
            **data,
            **{"client-key-data": base64.b64encode(key).decode()},
        )
        server.answers = [Answer(401, status("Unauthorized"))]
        with pytest.raises(Denied, match="expired on 2026-01-31"):
            connect(context("staging"), tmp_path).get(ref(config_map()))


class TestPlugins:
    def plugin(self, folder: Path, script: str) -> None:
        path = folder / "bin" / "login"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def cluster(self, server: Server, folder: Path, version: str = "v1", **more: Any):  # type: ignore[no-untyped-def]
        spec = {"apiVersion": f"client.authentication.k8s.io/{version}", "command": "./bin/login", **more}
        kubeconfig(folder / "config", "staging", server=server.url, exec=spec)
        return connect(context("staging"), folder)

    def credential(self, **status_: str) -> str:
        return json.dumps({"kind": "ExecCredential", "status": status_})

    @pytest.mark.parametrize("version", ["v1", "v1beta1"])
    def test_a_plugin_is_run_once_and_its_token_sent(
        self, server: Server, tmp_path: Path, version: str
    ) -> None:
        self.plugin(tmp_path, f"echo run >> {tmp_path}/runs; echo '{self.credential(token='abc')}'")
        cluster = self.cluster(server, tmp_path, version)
        server.answers = [Answer(body=config_map())] * 2
        cluster.get(ref(config_map()))
        cluster.get(ref(config_map()))
        assert [seen.headers["Authorization"] for seen in server.seen] == ["Bearer abc"] * 2
        assert (tmp_path / "runs").read_text() == "run\n"

    def test_it_is_run_again_after_401_and_before_its_token_ends(
        self, server: Server, tmp_path: Path
    ) -> None:
        soon = (datetime.now(UTC) + timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.plugin(tmp_path, f"echo run >> {tmp_path}/runs; echo '{self.credential(token='abc')}'")
        cluster = self.cluster(server, tmp_path)
        server.answers = [Answer(401, status("Unauthorized")), Answer(body=config_map())]
        cluster.get(ref(config_map()))
        assert (tmp_path / "runs").read_text() == "run\n" * 2

        self.plugin(
            tmp_path,
            f"echo run >> {tmp_path}/more; echo '{self.credential(token='abc', expirationTimestamp=soon)}'",
        )
        cluster = self.cluster(server, tmp_path)
        server.answers = [Answer(body=config_map())] * 2
        cluster.get(ref(config_map()))
        cluster.get(ref(config_map()))
        assert (tmp_path / "more").read_text() == "run\n" * 3  # discovery is a request too

    def test_it_is_told_what_the_kubeconfig_says(self, server: Server, tmp_path: Path) -> None:
        self.plugin(
            tmp_path,
            f'echo "$1 $STAGE" > {tmp_path}/said; echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/info;'
            f"echo '{self.credential(token='abc')}'",
        )
        cluster = self.cluster(
            server,
            tmp_path,
            args=["get-token"],
            env=[{"name": "STAGE", "value": "eu"}],
            provideClusterInfo=True,
        )
        server.answers = [Answer(body=config_map())]
        cluster.get(ref(config_map()))
        assert (tmp_path / "said").read_text() == "get-token eu\n"
        info = json.loads((tmp_path / "info").read_text())
        assert info["spec"] == {"interactive": False, "cluster": {"server": server.url}}

    @pytest.mark.parametrize(
        ("script", "words"),
        [
            ("echo 'token expired, run: cloud login' >&2; exit 3", "failed: token expired, run: cloud login"),
            ("echo not json", "printed no ExecCredential"),
            ("echo '{\"status\": {}}'", "printed no ExecCredential"),
        ],
    )
    def test_a_plugin_that_fails(self, server: Server, tmp_path: Path, script: str, words: str) -> None:
        self.plugin(tmp_path, script)
        with pytest.raises(ToolError, match=words):
            self.cluster(server, tmp_path).get(ref(config_map()))

    def test_a_plugin_that_is_not_installed(self, server: Server, tmp_path: Path) -> None:
        cluster = self.cluster(server, tmp_path, installHint="get it from the portal")
        with pytest.raises(ToolError, match="is not installed") as caught:
            cluster.get(ref(config_map()))
        assert caught.value.hint == "get it from the portal"

    def test_a_plugin_of_another_time(self, server: Server, tmp_path: Path) -> None:
        with pytest.raises(ToolError, match="v1alpha1"):
            self.cluster(server, tmp_path, "v1alpha1").get(ref(config_map()))

    def test_a_client_certificate_of_a_plugin_is_used(self, server: Server, tmp_path: Path) -> None:
        certificate, key = make_certificate(datetime.now(UTC) + timedelta(days=1))
        (tmp_path / "credential").write_text(
            self.credential(clientCertificateData=certificate.decode(), clientKeyData=key.decode())
        )
        self.plugin(tmp_path, f"cat {tmp_path}/credential")
        server.answers = [Answer(body=config_map())]
        self.cluster(server, tmp_path).get(ref(config_map()))
        assert "Authorization" not in server.seen[0].headers


def make_certificate(until: datetime) -> tuple[bytes, bytes]:
    """A self-signed certificate and its key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alice")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(until - timedelta(days=30))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private
