"""The control plane's own identity: valid, private, and renewed before it ends."""

from __future__ import annotations

import datetime
import json
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from mop.controlplane import credentials
from mop.controlplane.layout import ADMIN, Layout


def load(pki: Path, name: str) -> x509.Certificate:
    """A certificate of the folder."""
    return x509.load_pem_x509_certificate((pki / f"{name}.crt").read_bytes())


def test_server_and_client_are_signed_by_the_authority(tmp_path: Path) -> None:
    credentials.ensure_certificates(tmp_path / "pki")

    authority = load(tmp_path / "pki", "ca")
    for name in ("server", "client"):
        load(tmp_path / "pki", name).verify_directly_issued_by(authority)


def test_the_server_is_valid_on_loopback_alone(tmp_path: Path) -> None:
    credentials.ensure_certificates(tmp_path / "pki")

    names = (
        load(tmp_path / "pki", "server").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    )
    addresses = {str(one) for one in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "::1", "10.96.0.1"}
    assert "localhost" in names.get_values_for_type(x509.DNSName)


def test_nobody_else_can_read_keys_tokens_or_kubeconfigs(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "cluster")

    credentials.ensure_certificates(layout.pki)
    credentials.ensure_tokens(layout)
    credentials.write_kubeconfig(layout.kubeconfig, "https://127.0.0.1:1", layout.pki / "ca.crt", "token")

    for path in layout.folder.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_certificates_stay_while_they_are_valid_and_are_renewed_before_they_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials.ensure_certificates(tmp_path)
    first = (tmp_path / "ca.crt").read_bytes()
    account_key = (tmp_path / "sa.key").read_bytes()
    credentials.ensure_certificates(tmp_path)
    assert (tmp_path / "ca.crt").read_bytes() == first

    monkeypatch.setattr(credentials, "_RENEW_BEFORE", datetime.timedelta(days=400))
    credentials.ensure_certificates(tmp_path)

    assert (tmp_path / "ca.crt").read_bytes() != first
    assert (tmp_path / "sa.key").read_bytes() == account_key, (
        "tokens of service accounts in the cluster stay valid"
    )


@pytest.mark.parametrize("damage", ["", "no certificate"])
def test_a_damaged_certificate_is_made_anew(tmp_path: Path, damage: str) -> None:
    credentials.ensure_certificates(tmp_path)
    (tmp_path / "client.crt").write_text(damage)

    credentials.ensure_certificates(tmp_path)

    assert isinstance(load(tmp_path, "client").public_key(), ec.EllipticCurvePublicKey)


def test_tokens_are_random_and_kept_between_starts(tmp_path: Path) -> None:
    here, there = Layout(tmp_path / "a" / "cluster"), Layout(tmp_path / "b" / "cluster")

    first, again, other = (credentials.ensure_tokens(each) for each in (here, here, there))

    assert first == again == credentials.read_tokens(here)
    assert len(set(first.values()) | set(other.values())) == len(first) + len(other)
    assert all(len(token) >= 40 for token in first.values())


def test_no_tokens_are_read_where_there_are_none(tmp_path: Path) -> None:
    assert credentials.read_tokens(Layout(tmp_path)) == {}


def test_the_kubeconfig_names_one_context(tmp_path: Path) -> None:
    credentials.write_kubeconfig(
        tmp_path / "kubeconfig", "https://127.0.0.1:6443", tmp_path / "ca.crt", "secret"
    )

    document = json.loads((tmp_path / "kubeconfig").read_text())
    assert document["current-context"] == "mop"
    assert document["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert document["users"][0]["user"] == {"token": "secret"}


def test_the_administrator_is_among_the_accounts() -> None:
    assert credentials.ACCOUNTS[ADMIN] == "system:masters"
