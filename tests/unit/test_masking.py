"""No secret value survives masking, and what is no secret stays readable."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.manifest import Manifest
from mop.masking import (
    LAST_APPLIED,
    Fingerprint,
    is_secret_key,
    mask_assignments,
    mask_manifest,
    mask_rejection,
    mask_text,
    secret_values,
)
from tests.unit.objects import config_map, deployment, obj, secret

MARKER = "s3cr3t-MARKER-42"
KEY = b"k" * 32


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def with_env(name: str, value: str) -> Manifest:
    manifest = deployment()
    manifest["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": name, "value": value}]
    return manifest


def with_args(*args: str) -> Manifest:
    manifest = deployment()
    manifest["spec"]["template"]["spec"]["containers"][0]["args"] = list(args)
    return manifest


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(secret(anything=MARKER), id="stringData"),
        pytest.param(obj("v1", "Secret", "s", data={"anything": encoded(MARKER)}), id="data"),
        pytest.param(
            obj("v1", "Secret", "s", data={"not-base64": f"!{MARKER}!"}), id="data that is no base64"
        ),
        pytest.param(obj("v1", "Secret", "s", data=f"not a mapping {MARKER}"), id="data that is no mapping"),
        pytest.param(
            obj("v1", "Secret", "s", metadata={"annotations": {LAST_APPLIED: json.dumps({"data": MARKER})}}),
            id="kubectl's copy",
        ),
        pytest.param(config_map(password=MARKER), id="a ConfigMap's key"),
        pytest.param(config_map(**{"app.ini": f"[db]\nadmin_password = {MARKER}\n"}), id="ini"),
        pytest.param(config_map(**{"app.yaml": f"s3:\n  secret_access_key: {MARKER}\n"}), id="YAML"),
        pytest.param(config_map(**{"app.yaml": f"auth: {{user: x, token: {MARKER}}}\n"}), id="YAML flow"),
        pytest.param(
            config_map(**{"app.yaml": f"token: |\n  {MARKER}\n  {MARKER}\nnext: 1\n"}), id="YAML block"
        ),
        pytest.param(config_map(**{"app.yaml": f"- password: one two {MARKER}\n"}), id="words with blanks"),
        pytest.param(config_map(**{"app.json": json.dumps({"api_key": MARKER})}), id="JSON"),
        pytest.param(
            config_map(**{"app.json": json.dumps({"apiKey": f'a"{MARKER}'})}), id="JSON with a quote"
        ),
        pytest.param(config_map(url=f"postgres://grafana:{MARKER}@db:5432/grafana"), id="a URL"),
        pytest.param(
            config_map(pem=f"-----BEGIN RSA PRIVATE KEY-----\n{MARKER}\n-----END RSA PRIVATE KEY-----"),
            id="PEM",
        ),
        pytest.param(with_env("DB_PASSWORD", MARKER), id="environment variable"),
        pytest.param(with_env("DSN", f"user=x password={MARKER} host=y"), id="inside a variable"),
        pytest.param(with_args(f"--auth.token={MARKER}"), id="flag"),
        pytest.param(with_args("--password", MARKER), id="flag and value"),
        pytest.param(
            obj("example.com/v1", "Tenant", "t", spec={"auth": {"apiKey": MARKER}}), id="custom resource"
        ),
    ],
)
def test_a_secret_value_does_not_survive(manifest: Manifest) -> None:
    text = json.dumps(mask_manifest(manifest, Fingerprint(KEY)))

    assert MARKER not in text
    assert encoded(MARKER) not in text
    assert "<sha:" in text


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(config_map(colour="blue", note="tokens are counted: 3"), id="plain values"),
        pytest.param(config_map(password="$__file{/etc/secret}"), id="expanded elsewhere"),
        pytest.param(
            config_map(**{"a.yaml": "token: ${TOKEN}\npassword_file: /etc/p\nsecretName: x\n"}), id="refs"
        ),
        pytest.param(with_env("TOKEN_FILE", "/var/run/token"), id="a path"),
        pytest.param(with_args("--token-file=/x", "--secret-name", "plain"), id="flags that name files"),
        pytest.param(
            obj("v1", "ServiceAccount", "a", automountServiceAccountToken=True, secrets=[{"name": "pull"}]),
            id="references of an account",
        ),
    ],
)
def test_what_is_no_secret_stays(manifest: Manifest) -> None:
    assert mask_manifest(manifest, Fingerprint(KEY)) == manifest


def test_the_given_object_is_left_alone() -> None:
    manifest = secret(password=MARKER)
    mask_manifest(manifest, Fingerprint(KEY))
    assert manifest == secret(password=MARKER)


def test_one_value_has_one_fingerprint_in_data_and_string_data() -> None:
    fingerprint = Fingerprint(KEY)
    plain = mask_manifest(secret(a=MARKER), fingerprint)["stringData"]["a"]
    in_base64 = mask_manifest(obj("v1", "Secret", "s", data={"a": encoded(MARKER)}), fingerprint)["data"]["a"]
    assert plain == in_base64


def test_fingerprints_agree_under_one_key_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Fingerprint(KEY)("x") == Fingerprint(KEY)("x")
    assert Fingerprint(KEY)("x") != Fingerprint(KEY)("y")
    monkeypatch.delenv("MOP_PLAN_KEY", raising=False)
    assert Fingerprint()("x") != Fingerprint()("x")
    monkeypatch.setenv("MOP_PLAN_KEY", "shared between two runs")
    assert Fingerprint()("x") == Fingerprint()("x")


@given(st.text(min_size=12, alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_no_value_of_a_secret_survives_whatever_it_is(value: str) -> None:
    text = json.dumps(mask_manifest(secret(key=value), Fingerprint(KEY)), ensure_ascii=False)
    assert value not in text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)
       | st.dictionaries(st.text(), inner), max_leaves=20))  # fmt: skip
def test_masking_keeps_the_shape(value: object) -> None:
    """Whatever a custom resource holds, only texts change."""
    masked = mask_manifest({"kind": "Thing", "spec": value}, Fingerprint(KEY))
    assert _shape(masked["spec"]) == _shape(value)


def _shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return "text" if isinstance(value, str) else value


PIECES = (
    "password",
    "token",
    ": ",
    "=",
    " = ",
    "\n",
    "  ",
    "|",
    "- ",
    "x",
    '"',
    "'",
    "{",
    "}",
    ",",
    " #",
    "$",
    "\\",
)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=300))
def test_any_text_can_be_masked_twice_with_one_result(text: str) -> None:
    fingerprint = Fingerprint(KEY)
    once = mask_assignments(text, fingerprint)
    assert mask_assignments(once, fingerprint) == once


@pytest.mark.parametrize(
    ("name", "secret_name"),
    [
        ("password", True),
        ("GF_SECURITY_ADMIN_PASSWORD", True),
        ("apiKey", True),
        ("api-key", True),
        ("secretAccessKey", True),
        ("client_secret", True),
        ("secretName", False),
        ("tokenSecretRef", False),
        ("password_file", False),
        ("GF_SECURITY_ADMIN_PASSWORD__FILE", False),
        ("tokenTTL", False),
        ("colour", False),
        ("key", False),
    ],
)
def test_a_name_tells_what_is_secret(name: str, secret_name: bool) -> None:
    assert is_secret_key(name) is secret_name


def test_an_error_that_quotes_the_object_is_cleaned() -> None:
    manifest = secret(password=MARKER)
    words = f'Secret "login" is invalid: data[x]: Invalid value: "{MARKER}": no; also {encoded(MARKER)}'
    cleaned = mask_rejection(words, manifest)
    assert MARKER not in cleaned
    assert encoded(MARKER) not in cleaned
    assert 'Secret "login" is invalid' in cleaned


def test_short_values_that_a_server_quotes_are_cleaned_too() -> None:
    assert "Invalid value: <masked>" in mask_rejection('data[x]: Invalid value: "abc": no', secret(x="abc"))


def test_a_piece_of_a_body_in_an_old_servers_message_is_cut() -> None:
    words = 'decode base64, error found in #10 byte of ...|"a":"hunter22|..., bigger context ...|x|...'
    assert mask_text(words) == "decode base64"


def test_log_lines_lose_values_of_several_lines() -> None:
    values = secret_values(secret(key=f"first line\n{MARKER}\n"))
    assert MARKER not in mask_text(f"loaded {MARKER} from disk", values)


def test_other_kinds_have_no_secret_values() -> None:
    assert secret_values(config_map(password=MARKER)) == frozenset()


def test_a_megabyte_without_a_blank_is_searched_once() -> None:
    """It took hours: a dashboard or a page may hold an image as base64."""
    image = "x" * 2**20
    manifest = config_map(page=f'{{"image": "{image}", "password": "{MARKER}"}}')
    masked = str(mask_manifest(manifest, Fingerprint()))
    assert image in masked
    assert MARKER not in masked
