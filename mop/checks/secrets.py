"""No secret stands in the manifests: secrets come from outside, such as ExternalSecret objects.

With `validate: {secrets: external}` (the default where an environment is protected) a rendered Secret with values
is an error, and so is a password, token or key in a ConfigMap, an environment variable or an argument: by the
name of its field, by a format that only credentials have, or by its entropy. What is found is named, never shown.
With `secrets: any` only credentials outside of Secrets are told, as warnings.
"""

from __future__ import annotations

import base64
import binascii
import functools
import math
import re
from collections import Counter
from collections.abc import Iterator

from mop.checks.objects import Item, Objects, dashboard, mapping, objects_in, text
from mop.problem import Problem

#: Formats that only credentials have.
_FORMATS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z ]+ )?PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b"),
    "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}\b"),
    "a Grafana token": re.compile(r"\bgl(?:sa|c)_[A-Za-z0-9_=-]{30,}"),
    "a Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "a Slack webhook": re.compile(r"hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,}"),
    "a Google API key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'{}$<>]+:[^\s/@\"'{}$<>]{3,}@"),
}
_HINTS = (
    "-----BEGIN",
    "AKIA",
    "ASIA",
    "gh",
    "glpat-",
    "gls",
    "glc",
    "xox",
    "hooks.slack",
    "AIza",
    "eyJ",
    "@",
)
#: What a credential's name ends with; a doubtful name is none here, for a finding stops a deploy.
_NAME = r"(?:pass(?:word|wd|phrase)|secret|token|(?:api|access|secret|private)[-_]?key|credentials?)"
_SECRET_NAME = re.compile(rf"(?i){_NAME}\Z")
#: `password: value`, `"token": "value"`, `secret_key = value`, `-auth.password=value`.
_ASSIGNED = re.compile(rf"{_NAME}[\"']?[ \t]*[:=]")
_ASSIGNED_ANY = re.compile(_ASSIGNED.pattern, re.IGNORECASE)
_VALUE = re.compile(r"""[ \t]*["']?(?P<value>[^\s"'#,]+)["']?[ \t]*(?:[,#][^\n]*)?(?=\n|\Z)""")
_KEY = re.compile(r"[\w.-]*\Z")
_PLACEHOLDER = re.compile(
    r"[$<{%*]|^(?:true|false|null|none|nil|~|changeme|x+|example\S*|file|env)$|^/", re.IGNORECASE
)
_WORDLIKE = re.compile(r"[a-z]+(?:[-_.][a-z]+)*", re.IGNORECASE)


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each value that should not stand in a manifest."""
    environment = objects.environment
    policy = environment.validate.get("secrets") or ("external" if environment.protected else "any")
    level = "error" if policy == "external" else "warning"
    for item in objects.kind("Secret"):
        if policy == "external" and not item.ref.group:
            yield from _secret(item)
    for item in objects.kind("ConfigMap"):
        if not item.ref.group:
            for key, value in mapping(item.manifest, "data").items():
                if isinstance(value, str) and not dashboard(key, value):
                    yield from _text(item, f'data["{key}"]', key, value, level)
    for workload in objects.workloads:
        for path, container in workload.containers:
            for index, variable in objects_in(container, "env"):
                value = text(variable, "value")
                yield from _text(
                    workload.item, f"{path}.env[{index}].value", text(variable, "name"), value, level
                )
            for field in ("command", "args"):
                for index, word in enumerate(container.get(field) or ()):
                    if isinstance(word, str):
                        yield from _text(
                            workload.item, f"{path}.{field}[{index}]", "", word.lstrip("-"), level
                        )


def _secret(item: Item) -> Iterator[Problem]:
    keys = [
        key
        for field in ("data", "stringData")
        for key, value in mapping(item.manifest, field).items()
        if value
    ]
    # A token that the cluster fills in, and certificates without their keys, are no secrets of ours.
    keys = [key for key in keys if not key.endswith((".crt", ".pem", ".pub")) or _private(item, key)]
    if keys and item.manifest.get("type") != "kubernetes.io/service-account-token":
        yield item.problem(
            f"a Secret with values in the manifests: {', '.join(sorted(keys))}",
            "data",
            hint="let an ExternalSecret make it, or set validate: {secrets: any} for this environment",
        )


def _private(item: Item, key: str) -> bool:
    value = text(item.manifest, "stringData", key)
    try:
        value = value or base64.b64decode(text(item.manifest, "data", key)).decode(errors="replace")
    except binascii.Error:
        return True
    return "PRIVATE KEY" in value


def _text(item: Item, path: str, name: str, value: str, level: str) -> Iterator[Problem]:
    """Problems of a text under the key `name`: a whole credential, or a configuration with some inside."""
    if "\n" not in value and _SECRET_NAME.search(name) and credible(value):
        yield _found(item, path, f"the value of {name}", level)
        return
    for what, line in _credentials(value):
        yield _found(item, f"{path} line {line}" if line else path, what, level)


@functools.lru_cache(maxsize=4096)
def _credentials(value: str) -> tuple[tuple[str, int], ...]:
    """The credentials in a text: what each is, and its line; 0 if there is one line only."""
    found = []
    if any(hint in value for hint in _HINTS):
        for what, form in _FORMATS.items():
            match = form.search(value)
            if match is not None:
                found.append((what, _line(value, match.start())))
    # In small letters the search is several times faster than without regard to them.
    for name in _ASSIGNED.finditer(value.lower()) if value.isascii() else _ASSIGNED_ANY.finditer(value):
        match = _VALUE.match(value, name.end())
        if match is not None and credible(match["value"]):
            before = _KEY.search(value[max(0, name.start() - 80) : name.start()])
            key = (before[0] if before else "") + re.split(r"[\"'\s:=]", value[name.start() :], maxsplit=1)[0]
            found.append((f"the value of {key.lstrip('-')}", _line(value, name.start())))
    return tuple(found)


def _line(value: str, place: int) -> int:
    return value.count("\n", 0, place) + 1 if "\n" in value else 0


def credible(value: str) -> bool:
    """Whether `value` can be a credential: no placeholder, no word, no reference, and with some entropy."""
    if len(value) < 8 or _PLACEHOLDER.search(value) or _WORDLIKE.fullmatch(value) or value.isdigit():
        return False
    counts = Counter(value)
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return entropy > 2.5


def _found(item: Item, path: str, what: str, level: str) -> Problem:
    return item.problem(
        f"{what} stands in the manifest",
        path,
        level=level,
        hint="take it from a Secret that comes from outside (valueFrom.secretKeyRef, or a file)",
    )
