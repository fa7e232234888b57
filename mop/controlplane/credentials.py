"""The control plane's own certificates, tokens and kubeconfigs. Nothing of the user's is read or changed."""

from __future__ import annotations

import csv
import datetime
import io
import ipaddress
import json
import secrets
from pathlib import Path

from mop.controlplane.layout import ADMIN, FIRST_SERVICE, Layout
from mop.files import PRIVATE_FILE, private_folder, write_atomic

#: Who authenticates by token, and its group. The scheduler's name is that of Kubernetes' own role for it; the
#: controllers' role would do only with a service account for each of them, which makes a start slower.
ACCOUNTS = {
    ADMIN: "system:masters",
    "kwok": "system:masters",
    "companion": "system:masters",
    "system:kube-controller-manager": "system:masters",
    "system:kube-scheduler": "",
}

_LIFETIME = datetime.timedelta(days=365)
_RENEW_BEFORE = datetime.timedelta(days=30)
_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_ADDRESSES = ("127.0.0.1", "::1", FIRST_SERVICE)


def ensure_certificates(pki: Path) -> None:
    """CA, server and client certificates, the service accounts' key; made where missing or ending in a month.

    ca.crt ca.key: signs the rest. server.crt: etcd, API server and kwok on loopback. client.crt: the API
    server to etcd. sa.key sa.pub: service accounts' tokens; never renewed, so that those in use stay valid.
    """
    private_folder(pki)
    if not (pki / "sa.key").exists():
        _service_account_key(pki)
    if not _valid(pki / "client.crt"):
        _certificates(pki)


def ensure_tokens(layout: Layout) -> dict[str, str]:
    """Account → random bearer token, kept between starts."""
    known = read_tokens(layout)
    tokens = {account: known.get(account) or secrets.token_urlsafe(32) for account in ACCOUNTS}
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for account, groups in ACCOUNTS.items():
        rows.writerow([tokens[account], account, account, groups])
    write_atomic(layout.tokens, text.getvalue(), mode=PRIVATE_FILE)
    return tokens


def read_tokens(layout: Layout) -> dict[str, str]:
    """Account → token as the last start left them; empty if there are none."""
    try:
        rows = list(csv.reader(layout.tokens.read_text().splitlines()))
    except OSError:
        return {}
    return {row[1]: row[0] for row in rows if len(row) >= 2}


def write_kubeconfig(path: Path, server: str, ca: Path, token: str) -> None:
    """A kubeconfig with the one context `mop`; JSON is YAML."""
    private_folder(path.parent)
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "mop", "cluster": {"server": server, "certificate-authority": str(ca)}}],
        "users": [{"name": "mop", "user": {"token": token}}],
        "contexts": [{"name": "mop", "context": {"cluster": "mop", "user": "mop"}}],
        "current-context": "mop",
    }
    write_atomic(path, json.dumps(document, indent=2) + "\n", mode=PRIVATE_FILE)


def _valid(certificate: Path) -> bool:
    from cryptography import x509

    try:
        ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return False
    return ends - _RENEW_BEFORE > datetime.datetime.now(datetime.UTC)


def _service_account_key(pki: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.PEM, form)
    write_atomic(pki / "sa.pub", public, mode=PRIVATE_FILE)
    write_atomic(pki / "sa.key", _pem(key), mode=PRIVATE_FILE)


def _certificates(pki: Path) -> None:
    """client.crt is written last: its presence says that all of them are there."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mop embedded control plane")])

    def issue(name: str, key: ec.EllipticCurvePrivateKey, extensions: list[x509.ExtensionType]) -> None:
        subject = (
            authority if name == "ca" else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"mop-{name}")])
        )
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + _LIFETIME)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        certificate = builder.sign(authority_key, hashes.SHA256())
        write_atomic(pki / f"{name}.key", _pem(key), mode=PRIVATE_FILE)
        write_atomic(
            pki / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM), mode=PRIVATE_FILE
        )

    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in _ADDRESSES]
    names = x509.SubjectAlternativeName([*map(x509.DNSName, _NAMES), *addresses])
    server, client = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
    # etcd's gRPC gateway is its own client with its server certificate.
    issue("ca", authority_key, [x509.BasicConstraints(ca=True, path_length=0)])
    issue("server", ec.generate_private_key(ec.SECP256R1()), [names, x509.ExtendedKeyUsage([server, client])])
    issue("client", ec.generate_private_key(ec.SECP256R1()), [x509.ExtendedKeyUsage([client])])


def _pem(key: object) -> bytes:
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)  # noqa: S101 - for the type checker
    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
