"""What the user declared, as frozen values. No I/O, no defaults of its own: `mop.config` fills it all in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

OrderName = Literal["all-at-once", "component-by-component"]


@dataclass(frozen=True, slots=True)
class Repository:
    """Where charts come from: an HTTP(S) repository or an `oci://` registry."""

    name: str
    url: str
    credentials: str = (
        ""  # NAME of NAME_USERNAME / NAME_PASSWORD / NAME_TOKEN in the environment; "" = none named
    )


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart to vendor at `charts/<name>`; `chart` is `repository/name` or a source that can be fetched."""

    name: str
    chart: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Library:
    """A Jsonnet library, named as jsonnet-bundler does: `host/owner/repo/subdir@version`."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Seconds that a component may take to become ready, and may stand still in a bad state."""

    timeout: float = 600.0
    grace: float = 180.0


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the platform; in an environment it is the unit of render, diff, apply and rollback."""

    name: str
    charts: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    ready: Ready = Ready()


@dataclass(frozen=True, slots=True)
class Target:
    """The cluster of an environment. Nothing but this names one: there is no default context."""

    kind: Literal["embedded", "context", "in-cluster"]
    context: str = ""
    kubeconfig: str = (
        ""  # path relative to the platform's root; "" = the user's ($KUBECONFIG, ~/.kube/config)
    )


@dataclass(frozen=True, slots=True)
class Check:
    """A question asked during a rollout: an HTTP path of new pods or of a Service, or a PromQL expression."""

    http: str = ""
    promql: str = ""
    service: str = ""
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a component's workloads change over; times in seconds."""

    strategy: Literal["rolling", "canary", "blue-green"] = "rolling"
    pods: int = 1
    hold: float = 300.0
    keep: float = 0.0
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class TankaEnvironment:
    """A static Tanka environment, as its spec.json says (Tanka: pkg/spec/spec.go, pkg/spec/v1alpha1/).

    `name` is the folder's path and `entrypoint` that of main.jsonnet, both relative to Tanka's project root:
    Tanka writes them over metadata.name and metadata.namespace, and its environment label is made from them.
    """

    name: str
    entrypoint: str
    labels: Mapping[str, str] = field(default_factory=dict)
    api_server: str = ""
    context_names: tuple[str, ...] = ()
    namespace: str = "default"
    diff_strategy: str = ""
    apply_strategy: str = ""
    inject_labels: bool = False
    label_fields: tuple[str, ...] = ()  # spec.tankaEnvLabelFromFields, such as `.metadata.name`
    default_annotations: Mapping[str, str] = field(default_factory=dict)  # spec.resourceDefaults.annotations
    default_labels: Mapping[str, str] = field(default_factory=dict)  # spec.resourceDefaults.labels
    expect_tanka: str = ""  # spec.expectVersions.tanka, a version constraint
    export_implementation: str = ""

    def document(self) -> dict[str, Any]:
        """The object that `import 'tk'` shows as `env`, without what Go's `omitempty` would leave out."""
        full = self._fields()
        spec = {
            key: _filled(value) if isinstance(value, dict) else value for key, value in full["spec"].items()
        }
        kept = {key: value for key, value in spec.items() if value or key in _ALWAYS}
        return {**full, "metadata": _filled(full["metadata"]), "spec": kept}

    def _fields(self) -> dict[str, Any]:
        return {
            "apiVersion": "tanka.dev/v1alpha1",
            "kind": "Environment",
            "metadata": {"name": self.name, "namespace": self.entrypoint, "labels": dict(self.labels)},
            "spec": {
                "apiServer": self.api_server,
                "contextNames": list(self.context_names),
                "namespace": self.namespace,
                "diffStrategy": self.diff_strategy,
                "applyStrategy": self.apply_strategy,
                "injectLabels": self.inject_labels,
                "tankaEnvLabelFromFields": list(self.label_fields),
                "resourceDefaults": {
                    "annotations": dict(self.default_annotations),
                    "labels": dict(self.default_labels),
                },
                "expectVersions": {"tanka": self.expect_tanka},
                "exportJsonnetImplementation": self.export_implementation,
            },
        }

    @property
    def label(self) -> str:
        """The value of `tanka.dev/environment`: 48 hex digits over the fields that make it itself.

        Raises ValueError where `label_fields` names a field that is no text, number or boolean.
        """
        values = [_field_text(self._fields(), path) for path in self.label_fields or _LABEL_FIELDS]
        return hashlib.sha256(":".join(values).encode()).hexdigest()[:48]


#: Fields of the spec that Go writes even when they are empty.
_ALWAYS = ("namespace", "resourceDefaults", "expectVersions")

#: Tanka: Environment.NameLabel in pkg/spec/v1alpha1/environment.go
_LABEL_FIELDS = (".metadata.name", ".metadata.namespace")


def _field_text(document: Mapping[str, Any], path: str) -> str:
    value: Any = document
    for key in path.removeprefix(".").split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"{path} is no text, number or boolean of the environment")


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value}


@dataclass(frozen=True, slots=True)
class Environment:
    """Where components run. `components` is in the order of `needs` (a need stands before who needs it)."""

    name: str
    namespace: str
    kubernetes: str  # "1.34"
    target: Target
    components: tuple[str, ...]
    path: str  # folder of main.jsonnet, relative to the platform's root
    order: OrderName = "all-at-once"
    protected: bool = False
    after: str = ""
    whole: bool = False  # a Tanka environment taken as it is: one component named like the environment
    rollout: Mapping[str, Rollout] = field(default_factory=dict)  # a component that is not here: rolling
    tla: Mapping[str, Argument] = field(default_factory=dict)
    ext: Mapping[str, Argument] = field(default_factory=dict)
    validate: Mapping[str, Any] = field(default_factory=dict)
    tanka: TankaEnvironment | None = None  # of the spec.json beside main.jsonnet; None = there is none

    @property
    def kube_version(self) -> str:
        """The version that Helm's capabilities and Tanka-style renders see: `v1.34.0`."""
        return f"v{self.kubernetes}.0"


@dataclass(frozen=True, slots=True)
class Argument:
    """A top-level argument or external variable of Jsonnet: text, or code to evaluate."""

    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Platform:
    """The whole of mop.yaml. `declared` is the document as it was written, for `environment_slice`."""

    root: Path
    name: str
    repositories: Mapping[str, Repository]
    charts: Mapping[str, Chart]
    libraries: Mapping[str, Library]
    components: Mapping[str, Component]
    environments: Mapping[str, Environment]
    declared: Mapping[str, Any]

    def environment_slice(self, environment: str) -> dict[str, Any]:
        """What Jsonnet sees of mop.yaml in `environment`: everything but the other environments.

        Editing production therefore leaves staging's evaluation alone.
        """
        shared = {key: value for key, value in self.declared.items() if key != "environments"}
        return {**shared, "environments": {environment: self.declared["environments"][environment]}}
