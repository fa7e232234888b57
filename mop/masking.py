"""What is secret in an object or a text, and what is shown instead: the one place that decides.

A value is replaced by a keyed fingerprint, `<sha:1a2b3c4d>`. Equal values of one run look equal, so that a
change shows, but nobody without the key can test a guess. The key is the run's own, or MOP_PLAN_KEY where two
runs must agree. A doubtful name counts as secret: a fingerprint too many costs a look, a leak stays.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

KEY_VARIABLE = "MOP_PLAN_KEY"

#: A key with one of these in its name holds a secret, unless it ends like _REFERENCE.
_WORDS = r"pass(?:word|wd|phrase)|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential|htpasswd"
#: `secretName`, `tokenSecretRef`, `password_file`, `tokenTTL` point at a secret or describe it.
_REFERENCE = (
    r"(?:names?|refs?|files?|paths?|dir|class|type|namespace|url|uri|audiences?|length|ttl|enabled|seconds|"
    r"expir\w*|timeout|interval|duration|lifetime|limit)"
)
_SECRET_KEY = re.compile(rf"(?i)(?:{_WORDS})")
_REFERENCE_KEY = re.compile(rf"(?i){_REFERENCE}$")

_KEY = rf"""(?P<key> [\w.-]* (?:{_WORDS}) [\w.-]* )"""
#: `password: x` and `password = x` to the end of the line; `"token": "x"`, `--password=x` to the next blank.
#: A key is tried where it begins and nowhere inside: else a megabyte without a blank takes hours.
_ASSIGNMENT = re.compile(
    rf"""(?imx)
    (?<! [\w.-] ) {_KEY} (?P<mark> ["']? (?: [ \t]* : [ \t]+ | [ \t]+ = [ \t]+ | [:=] ) )
    (?P<value> "(?:[^"\\\n]|\\.)*" | '[^'\n]*'
             | (?<=[ \t]) [^\s"',;}}\]] [^\n,}}\]]*? (?= [ \t]* (?: [ \t]\#.* )? (?: [,}}\]] | $ ) )
             | [^\s"',;}}\]]+ )
    """
)
#: A YAML block: `private_key: |` and the lines indented below it.
_BLOCK = re.compile(
    rf"""(?imx)
    ^ (?P<indent> [ \t]* ) (?P<mark> (?: -[ ]+ )? ["']? {_KEY} ["']? : [ \t]+ [|>][+-]?\d* [ \t]* \n )
    (?P<value> (?: (?: (?P=indent) [ \t]+ .* | [ \t]* ) (?: \n | \Z ) )+ )
    """
)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
#: `https://user:password@host`.
_USERINFO = re.compile(r"(?i)(?P<before>\b[a-z][a-z0-9+.-]*://[^/\s:@\"']*:)(?P<value>[^/\s@\"']+)(?=@)")
#: Nothing secret in it: an expansion done elsewhere, a switch, nothing at all, the mark of a YAML block.
_HARMLESS = re.compile(
    r"(?i)^[\"']?(?:\$.*|\{\{.*|<sha:[0-9a-f]{8}>.*|true|false|null|nil|none|~|[|>][+-]?\d*|[\[{&*-])?[\"']?$"
)
#: Old API servers quote a piece of a body that they cannot read (json-iterator's error context).
_QUOTED_BODY = re.compile(r",? ?error found in #\d+ byte of .*", re.DOTALL)
_INVALID_VALUE = re.compile(r"""(Invalid|Unsupported|Duplicate) value: ("(?:[^"\\]|\\.)*"|[^\s:,]+)""")
_INVALID_CHARACTER = re.compile(r"invalid character '[^']*'")
#: Shorter values would blank out half of any text; those of Secrets are caught by _INVALID_VALUE.
_SHORTEST = 4

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MASKED = "<masked>"


class Fingerprint:
    """Turns a value into `<sha:1a2b3c4d>`: the first eight hex digits of its HMAC-SHA256."""

    def __init__(self, key: bytes | None = None) -> None:
        """`key`: 32 secret bytes; left out, MOP_PLAN_KEY, else random bytes for this object's life."""
        self._key = key or os.environ.get(KEY_VARIABLE, "").encode() or secrets.token_bytes(32)

    def __call__(self, value: str | bytes) -> str:
        """The fingerprint of `value` (text as UTF-8)."""
        data = value.encode(errors="surrogatepass") if isinstance(value, str) else value
        return f"<sha:{hmac.new(self._key, data, hashlib.sha256).hexdigest()[:8]}>"


def is_secret_key(name: str) -> bool:
    """Whether a field or variable of that name holds a secret, by its name alone."""
    return bool(_SECRET_KEY.search(name)) and not _REFERENCE_KEY.search(name)


def mask_manifest(manifest: Mapping[str, Any], fingerprint: Fingerprint) -> dict[str, Any]:
    """A copy of `manifest` that anybody may see.

    A Secret loses every value; other objects lose those whose key's name says that they are secret: fields,
    environment variables, ConfigMap entries, and assignments inside texts (configuration, command lines).
    """
    masked: dict[str, Any] = {}
    for key, value in manifest.items():
        if manifest.get("kind") == "Secret" and key in ("data", "stringData"):
            masked[key] = _mask_data(value, fingerprint, encoded=key == "data")
        else:
            masked[key] = _mask(key, value, fingerprint)
    return masked


def _mask_data(data: Any, fingerprint: Fingerprint, *, encoded: bool) -> Any:
    """`data` and `stringData` of a Secret: one value has one fingerprint in both."""
    if not isinstance(data, Mapping):
        return fingerprint(repr(data)) if data else data
    return {
        key: None if value is None else fingerprint(_decoded(value) if encoded else str(value))
        for key, value in data.items()
    }


def _mask(key: str, value: Any, fingerprint: Fingerprint) -> Any:
    if isinstance(value, Mapping):
        fields = {k: _mask(k, v, fingerprint) for k, v in value.items()}
        if _is_variable(value):
            fields["value"] = _mask(value["name"], value["value"], fingerprint)
        return fields
    if isinstance(value, list):
        return _mask_list(key, value, fingerprint)
    if not isinstance(value, str):
        return value
    if key == LAST_APPLIED or (is_secret_key(key) and not _HARMLESS.match(value)):
        return fingerprint(value)
    return mask_assignments(value, fingerprint)


def _mask_list(key: str, values: list[Any], fingerprint: Fingerprint) -> list[Any]:
    """Items of a list; the one after a bare `--password` is its value."""
    masked: list[Any] = []
    flagged = False
    for value in values:
        text = isinstance(value, str)
        masked.append(fingerprint(value) if flagged and text and value else _mask(key, value, fingerprint))
        flagged = text and value.startswith("-") and "=" not in value and is_secret_key(value)
    return masked


def _is_variable(value: Mapping[str, Any]) -> bool:
    """An environment variable, or another pair of the same shape: `{name: DB_PASSWORD, value: …}`."""
    return isinstance(value.get("name"), str) and isinstance(value.get("value"), str)


def mask_assignments(text: str, fingerprint: Fingerprint) -> str:
    """`text` without the values of `password: …`, `token=…`, private keys, and the passwords in URLs."""
    if len(text) < _SHORTEST:
        return text

    def value(match: re.Match[str]) -> str:
        if not is_secret_key(match["key"]) or _HARMLESS.match(match["value"]):
            return match[0]
        return f"{match['key']}{match['mark']}{fingerprint(match['value'].strip(chr(34) + chr(39)))}"

    def block(match: re.Match[str]) -> str:
        if not is_secret_key(match["key"]) or not match["value"].strip():
            return match[0]
        end = "\n" if match["value"].endswith("\n") else ""
        return f"{match['indent']}{match['mark']}{match['indent']}  {fingerprint(match['value'])}{end}"

    def userinfo(match: re.Match[str]) -> str:
        hidden = match["value"] if _HARMLESS.match(match["value"]) else fingerprint(match["value"])
        return match["before"] + hidden

    text = _PEM.sub(lambda match: fingerprint(match[0]), text)
    return _USERINFO.sub(userinfo, _ASSIGNMENT.sub(value, _BLOCK.sub(block, text)))


def secret_values(manifest: Mapping[str, Any]) -> frozenset[str]:
    """The values of a Secret as they may appear in a text: plain and in base64; none for other kinds."""
    if manifest.get("kind") != "Secret":
        return frozenset()
    found: set[str] = set()
    for value in _entries(manifest, "data"):
        found.update((value, _decoded(value).decode(errors="replace")))
    for value in _entries(manifest, "stringData"):
        found.update((value, base64.b64encode(value.encode()).decode()))
    return frozenset(value for value in found if len(value) >= _SHORTEST)


def _entries(manifest: Mapping[str, Any], field: str) -> list[str]:
    data = manifest.get(field)
    return [str(value) for value in data.values()] if isinstance(data, Mapping) else []


def mask_text(text: str, values: Iterable[str] = ()) -> str:
    """`text` (an error's, a log's) without the given secret values: plain, quoted, or line by line."""
    text = _QUOTED_BODY.sub("", text)
    forms: set[str] = set()
    for value in values:
        forms.update(
            (value, value.strip(), value.encode("unicode_escape").decode(), value.replace('"', '\\"'))
        )
        forms.update(line.strip() for line in value.splitlines())
    for form in sorted(forms, key=len, reverse=True):
        if len(form) >= _SHORTEST:
            text = text.replace(form, _MASKED)
    return text


def mask_rejection(text: str, manifest: Mapping[str, Any]) -> str:
    """What a server says about `manifest`; of a Secret, no value that the server quotes."""
    text = mask_text(text, secret_values(manifest))
    if manifest.get("kind") == "Secret":
        text = _INVALID_VALUE.sub(rf"\1 value: {_MASKED}", text)
        text = _INVALID_CHARACTER.sub(f"invalid character {_MASKED}", text)
    return text


def _decoded(value: Any) -> bytes:
    """The bytes of one base64 entry; what is no base64 counts as it stands."""
    text = value if isinstance(value, str) else str(value)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode(errors="surrogatepass")
