"""What `helm template` prints: which documents, in which order, read as which objects.

Both implementations of the Helm protocol share it. The in-process one gets the rendered text of each template
and arranges it (`arrange`); the binary prints the finished stream (`split_stream`). `objects` reads either.
Rules: Helm's pkg/release/v1/util/{manifest,manifest_sorter,kind_sorter}.go, pkg/action/action.go
(renderResources) and pkg/cmd/template.go; reading: Tanka's pkg/helm/template.go, a YAML stream in which empty
documents are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from mop import goyaml
from mop.engines.protocols import HelmObject
from mop.errors import ChartError

#: Helm's InstallOrder (pkg/release/v1/util/kind_sorter.go); other kinds come last, by name.
INSTALL_ORDER = (
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
)
_RANK = {kind: rank for rank, kind in enumerate(INSTALL_ORDER)}

#: Events that Helm knows (release.HookEvent); an object with any other is left out of the release altogether.
HOOK_EVENTS = frozenset(
    f"{when}-{what}" for when in ("pre", "post") for what in ("install", "delete", "upgrade", "rollback")
) | {"test", "test-success"}
_TESTS = {"test", "test-success"}
HOOK = "helm.sh/hook"

#: Go's unicode.IsSpace.
_GO_BLANK = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_SEPARATOR = re.compile(r"(?:\A|[\t\n\f\r ]*\n)---[\t\n\f\r ]*")
_SOURCE = re.compile(r"^---\n# Source: (.*)\n", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """A part of the rendered stream and the template (`grafana/templates/deployment.yaml`) or CRD file it is
    from.
    """

    template: str
    text: str

    @cached_property
    def bodies(self) -> list[Any]:
        """Its YAML documents, read as Tanka reads them; ChartError names template, line and text.

        What Tanka refuses and Helm and kubectl accept (a key that stands twice, or is no string) is read as
        those two do: real charts render it, with Loki's own values in ci/ for one.
        """
        try:
            return goyaml.load_all(self.text)
        except goyaml.YamlError:
            try:
                return goyaml.load_all_v2(self.text)
            except goyaml.YamlError as error:
                raise _unreadable(self, error) from error

    @cached_property
    def kind(self) -> str:
        """The kind that Helm sorts by; "" for a document without one."""
        return str(self._head.get("kind") or "")

    @cached_property
    def hooks(self) -> tuple[str, ...]:
        """The events of the `helm.sh/hook` annotation, in lower case; empty for an object that is no hook."""
        annotations = (self._head.get("metadata") or {}).get("annotations") or {}
        declared = annotations.get(HOOK)
        if declared is None:
            return ()
        return tuple(event.strip(_GO_BLANK).lower() for event in str(declared).split(","))

    @property
    def _head(self) -> Mapping[str, Any]:
        """The first body, checked as Helm checks it (manifest_sorter.go, SimpleHead)."""
        head = self.bodies[0] if self.bodies else None
        if head is None:
            return {}
        if not isinstance(head, dict):
            raise _misshapen(self, f"a Kubernetes object, found {_kind_of(head)}")
        metadata = head.get("metadata")
        if metadata is not None and not isinstance(metadata, dict):
            raise _misshapen(self, f"a mapping at metadata, found {_kind_of(metadata)}")
        annotations = (metadata or {}).get("annotations")
        if annotations is not None and not isinstance(annotations, dict):
            raise _misshapen(self, f"a mapping at metadata.annotations, found {_kind_of(annotations)}")
        return head


def arrange(
    files: Mapping[str, str], crds: Iterable[tuple[str, str]] = (), *, skip_tests: bool, no_hooks: bool
) -> list[Document]:
    """The documents of `helm template` in its order: CRD files as they are, objects by kind, then hooks by
    kind.

    `files`: rendered text by template. `crds`: name and text of the files in `crds/` folders, in Helm's
    order. Raises ChartError for text that is no YAML, or that Helm would refuse as an object.
    """
    plain: list[Document] = []
    hooks: list[Document] = []
    for template in sorted(files):
        name = template.rpartition("/")[2]
        if name.startswith("_") or name.endswith("NOTES.txt"):
            continue
        for text in split_manifests(files[template]):
            document = Document(template, text + "\n")
            events = document.hooks
            if not events:
                plain.append(document)
            elif HOOK_EVENTS.issuperset(events) and not (skip_tests and _TESTS.intersection(events)):
                hooks.append(document)
    plain = [*(_crd_file(name, text + "\n") for name, text in crds), *sorted(plain, key=_by_kind)]
    if plain:  # `helm template` trims the stream before it appends the hooks
        plain[-1] = _trimmed(plain[-1])
    return plain if no_hooks else [*plain, *sorted(hooks, key=_by_kind)]


@lru_cache(maxsize=512)
def _crd_file(name: str, text: str) -> Document:
    """CRD files are no templates: the same megabytes for every environment, read once."""
    return Document(name, text)


def split_manifests(text: str) -> list[str]:
    """The documents of one rendered template, by Helm's own rule (SplitManifests), which is no parser's."""
    text = text.lstrip(_GO_BLANK)
    separated = text.startswith("---") or "\n---" in text  # the expression is slow on megabytes of dashboards
    parts = _SEPARATOR.split(text) if separated else [text]
    return [part.lstrip(_GO_BLANK) for part in parts if part.strip(_GO_BLANK)]


def split_stream(text: str) -> list[Document]:
    """The documents of the text that `helm template` printed, by the `# Source:` comments that it writes."""
    _, *parts = _SOURCE.split(text)
    return [Document(template, body) for template, body in zip(parts[::2], parts[1::2], strict=True)]


def objects(documents: Iterable[Document]) -> tuple[HelmObject, ...]:
    """Every object in `documents`, in order; documents that hold only comments are dropped. Raises
    ChartError.
    """
    found: list[HelmObject] = []
    for document in documents:
        for body in document.bodies:
            if not body and (body is None or isinstance(body, dict)):
                continue
            if not isinstance(body, dict):
                raise _misshapen(document, f"a Kubernetes object, found {_kind_of(body)}")
            found.append(HelmObject(document.template, body))
    return tuple(found)


def require_chart(chart: Path) -> None:
    """Raises ChartError, with the remedy, if nothing is at `chart`."""
    if not chart.exists():
        raise no_chart(chart)


def no_chart(chart: Path) -> ChartError:
    """The error for a chart that is not there."""
    return ChartError(
        f"no chart at {chart}",
        hint="`inv vendor` brings the charts that mop.yaml names; one of your own belongs at that path",
    )


def _by_kind(document: Document) -> tuple[int, str]:
    rank = _RANK.get(document.kind, len(INSTALL_ORDER))
    return (rank, document.kind if rank == len(INSTALL_ORDER) else "")


def _trimmed(document: Document) -> Document:
    text = document.text.rstrip(_GO_BLANK) + "\n"
    return document if text == document.text else Document(document.template, text)


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return f"{value!r:.60}"


def _misshapen(document: Document, what: str) -> ChartError:
    return ChartError(f"{_where(document.template)} rendered something else than expected: expected {what}")


def _unreadable(document: Document, error: goyaml.YamlError) -> ChartError:
    return ChartError(
        f"{_where(document.template)} rendered text that is no YAML: {error}",
        hint=_context(document.text, error.line),
    )


def _where(template: str) -> str:
    return f"chart {template.partition('/')[0]}, template {template}:"


def _context(text: str, line: int) -> str:
    lines = text.splitlines()
    if not 0 < line <= len(lines):
        return ""
    return f"line {line} of its rendered text is: {lines[line - 1].strip()[:120]}"
