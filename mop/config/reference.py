"""docs/reference/mop-yaml.md, from the schema: what editors show is what the reference says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mop.config.scalars import Ambiguous, resolve
from mop.config.schema import resolved, schema

_HEAD: Final = """\
# mop.yaml

<!-- Made from mop/schema.json by mop.config.reference; a test holds the two together. -->

{description}
`mop.yaml` is found in the working directory or the nearest folder above it, and its folder is the platform's root:
paths are relative to it. Every mistake is reported at once, with its line, what was expected and the nearest valid
name. The first line of the example lets editors complete and check the file; MOP lays the schema there.

```yaml
{example}```

"""

#: Valid, and with most of what there is in it; a test loads it.
EXAMPLE: Final = """\
# yaml-language-server: $schema=.mop/schema.json
version: 1
platform: observability
kubernetes: "1.34"

repositories:
  grafana: {url: https://grafana.github.io/helm-charts}
  community: {url: https://grafana-community.github.io/helm-charts}

charts: # a name is a folder below charts/
  loki: {chart: community/loki, version: 18.11.0}
  mimir: {chart: grafana/mimir-distributed, version: 5.7.0}
  grafana: {chart: community/grafana, version: 12.11.1}

components:
  loki: {charts: [loki], ready: {timeout: 15m}}
  mimir: {charts: [mimir]}
  grafana: {charts: [grafana], needs: [loki, mimir]}

environments:
  dev:
    target: embedded
  staging:
    target: {context: staging-eu-1}
    namespace: monitoring
    order: component-by-component
  production:
    target: {context: prod-eu-1}
    namespace: monitoring
    order: component-by-component
    protected: true
    after: staging
    rollout:
      loki: {canary: {pods: 1, hold: 5m, checks: [{http: "pods:3100/ready"}]}}
      grafana: {blue-green: {keep: 15m}}
    validate:
      checks: {requests: error}
      external: [vault.security, Secret/grafana-admin]
"""

_FOOT: Final = """\
## How the file is read

It is one YAML 1.1 document in UTF-8, with anchors and merge keys if you like. Plain `tk` reads the same file through
`std.parseYaml`, so a value that readers of YAML do not agree on is a mistake, and the message says what to write:

- `yes`, `no`, `on`, `off`, `y`, `n`: write `true` or `false`, or quote them.
- `0777`, `0x1F`, `1_000`, `+1`, `.5`, `1.`: write the number in plain decimal digits, or quote it.
- Versions such as `1.30` are numbers to YAML, and lose their zero: quote them.
- A key that stands twice in one mapping, a `<<` after a key that it would override, tags other than `!!str`,
  directives, a `---` line, and a `?` in unquoted text between braces.

A name is made of lower-case letters, digits and hyphens, at most 63 characters (a DNS label). A duration is made of
whole numbers with units, larger ones first: `90s`, `10m`, `1h30m`; the units are d, h, m, s and ms.
"""


def markdown() -> str:
    """The whole page."""
    parts = [_HEAD.format(description=schema()["description"], example=EXAMPLE)]
    parts += _section("Top level", schema())
    for rule in _titled():
        parts += _section(rule["title"], rule)
    return "".join([*parts, _FOOT])


def _titled() -> list[Mapping[str, Any]]:
    return [rule for rule in schema()["definitions"].values() if "title" in rule and "description" in rule]


def _section(title: str, rule: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {title[0].upper() + title[1:] if ' ' in title else title}\n\n"
    if rule is not schema():
        yield f"{rule['description']}\n\n"
    if rule.get("type") == "string":
        yield _examples(rule)
    options = [rule, *(resolved(option) for option in rule.get("anyOf", ()))]
    if "anyOf" in rule:
        yield f"One of: {rule['errorMessage']}.\n\n"
    for option in options:
        if "properties" in option and (option is rule or "title" not in option):
            yield from _table(option)
    if "anyOf" in rule:
        yield _examples(rule)


def _table(rule: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | value | default | meaning |\n|---|---|---|---|\n"
    for key, reference in rule["properties"].items():
        inner = resolved(reference)
        default = "needed" if key in rule.get("required", ()) else _default(inner)
        yield f"| `{key}` | {_value(inner)} | {default} | {inner['description']} |\n"
    yield "\n"


def _default(rule: Mapping[str, Any]) -> str:
    if "default" not in rule or rule["default"] in ([], {}):
        return ""
    return f"`{_yaml(rule['default'])}`"


def _value(rule: Mapping[str, Any]) -> str:
    if "errorMessage" in rule:
        return f"[{rule['title'].rpartition('.')[2]}](#{_anchor(rule['title'])})"
    if "const" in rule or "enum" in rule:
        return ", ".join(f"`{_yaml(value)}`" for value in rule.get("enum", [rule.get("const")]))
    if "patternErrorMessage" in rule:
        return _form(rule["patternErrorMessage"])
    if rule["type"] == "array":
        items = resolved(rule["items"])
        linked = _linked(items)
        return "a list of names" if linked == "a name" else f"a list, each {linked}"
    if "additionalProperties" in rule and isinstance(rule["additionalProperties"], dict):
        return f"a mapping of names to {_linked(resolved(rule['additionalProperties']))}"
    if "title" in rule:
        return _linked(rule)
    return {"string": "text", "integer": "a whole number", "boolean": "`true`, `false`"}[rule["type"]]


def _form(words: str) -> str:
    """A short form of what errors say in full; names and durations are explained once, at the end."""
    if "DNS label" in words:
        return "a name"
    return words.partition(" such as")[0] if "duration" in words else words


def _linked(rule: Mapping[str, Any]) -> str:
    return f"[{rule['title']}](#{_anchor(rule['title'])})" if "title" in rule else _value(rule)


def _anchor(title: str) -> str:
    """As GitHub makes them from headings."""
    kept = (character for character in title.lower() if character.isalnum() or character in " -")
    return "".join(kept).replace(" ", "-")


def _examples(rule: Mapping[str, Any]) -> str:
    shown = ", ".join(f"`{_yaml(example)}`" for example in rule.get("examples", ()))
    return f"For example {shown}.\n\n" if shown else ""


def _yaml(value: Any) -> str:
    """`value` in YAML's flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, str):
        return value if re.fullmatch(r"[\w:/.@-]+", value) and _is_text(value) else json.dumps(value)
    return json.dumps(value)


def _is_text(value: str) -> bool:
    """Whether `value` is a text to every reader where it stands without quotes."""
    try:
        return isinstance(resolve(value), str)
    except Ambiguous:
        return False
