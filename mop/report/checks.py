"""The list of checks for people: what each finds, and how grave that is. docs/reference/checks.md is this text."""

from __future__ import annotations

import sys

from mop.checks import CHECKS, Check

_HEAD = """\
# Checks

`inv validate` looks at what was rendered; nothing here needs a cluster or a network. Each finding is an error,
which stops a deploy, or a warning. Which of them a check gives depends on the environment:

| check | looks at | in an environment | where it is `protected` |
|---|---|---|---|
| `schema`, `api-versions`, `unknown-kinds` | each object | error | error |
| `chart-values`, `random-values` | the charts of an environment | warning | warning |
| `sharing` | the environments of one target | error | error |
"""

_TAIL = """\
## Changing what a check does

For an environment, in mop.yaml:

```yaml
environments:
  production:
    protected: true
    validate:
      images: digest                 # any, pinned (a tag that does not move) or digest; protected: pinned
      secrets: external              # any or external; protected: external
      unknown-kinds: allow           # or error, the default
      checks: {probes: error, availability: "off"}
      external:                      # what is there without being rendered here
        - vault.security             # addresses: service.namespace, with :port if only that one is meant
        - "*.kube-system"
        - Secret/grafana-admin       # objects: Kind/name or Kind/namespace/name
        - StorageClass/gp3
```

For one object, with the reason:

```yaml
metadata:
  annotations:
    mop.raibid-labs.dev/skip-checks: privileges, availability — reads the logs of its node
```

For one run: `inv validate --skip probes,requests`.

## schema

Every object is checked against the API of the environment's Kubernetes version, as strictly as the API server does
with `fieldValidation=Strict`: unknown fields, types, quantities, base64, times, enumerations, and the values that
the server requires beyond its OpenAPI. Custom resources are checked against their CustomResourceDefinition: one
that any component of the environment renders, that a vendored chart brings in `crds/`, or that stands in the
platform's folder `schemas/`, where JSON Schemas of single kinds serve as well (`<group>/<kind>_<version>.json`).

## api-versions

An API version that the environment's Kubernetes no longer has is an error that names its replacement; one that a
later Kubernetes will not have is a warning.

## chart-values

A value given to a chart that neither its values.yaml nor its schema nor any of its templates knows, with the known
one that is nearest. Helm drops such a value silently.

## random-values

A chart that draws a random value (a password, a certificate) renders something else every time. Give it the value,
or the name of a Secret that has one.

## sharing

Two environments of one target render the same object, cluster-scoped or in a namespace that both use: they would
overwrite each other, and each would prune what the other applied. Namespaces and CRDs may be shared.

## unknown-kinds

An object whose kind neither Kubernetes nor any CustomResourceDefinition defines. `unknown-kinds: allow` lets such
objects through unchecked.
"""


def checks_markdown() -> str:
    """docs/reference/checks.md."""
    rows = [f"| [`{c.name}`](#{c.name}) | {_scope(c)} | {c.level} | {c.protected} |" for c in CHECKS]
    sections = [f"## {check.name}\n\n{_doc(check)}\n" for check in CHECKS]
    return f"{_HEAD}{chr(10).join(rows)}\n\n{_TAIL}\n{chr(10).join(sections)}"


def _scope(check: Check) -> str:
    return "all components together" if check.across else "each component"


def _doc(check: Check) -> str:
    return (sys.modules[check.run.__module__].__doc__ or "").strip()
