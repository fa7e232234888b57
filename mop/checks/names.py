"""Names, labels and keys are such as the API server accepts.

Object names by kind, container, port and volume names, label keys and values (the object's, its pods', its
selectors'), keys of ConfigMaps and Secrets, and the size limits of annotations, ConfigMaps and Secrets. A
StatefulSet whose name is longer than 52 characters is accepted, but its pods are not: their label
`controller-revision-hash` would be too long (kubernetes/kubernetes issue 64023).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mop.checks.objects import Item, Objects, Workload, mapping, objects_in
from mop.problem import Problem

#: k8s.io/apimachinery pkg/util/validation/validation.go.
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/%]+")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PORT = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_KEY = re.compile(r"(?!\.{1,2}$)(?!\.\.)[-._a-zA-Z0-9]+")

_SPOKEN = {
    _LABEL: "lower-case letters, digits and -, at most 63 of them",
    _LABEL_1035: "lower-case letters, digits and -, a letter first, at most 63 of them",
    _SUBDOMAIN: "lower-case letters, digits, - and ., at most 253 of them",
    _SEGMENT: "text without / and %",
    _PORT: "lower-case letters, digits and -, a letter among them, at most 15",
    _KEY: "letters, digits, -, _ and ., at most 253 of them",
}
_LIMIT = {_LABEL: 63, _LABEL_1035: 63, _PORT: 15}

#: What names of a kind must look like, where it is not a DNS subdomain (the kinds' ValidateObjectMeta).
_NAMES: Mapping[str, re.Pattern[str]] = {
    "Namespace": _LABEL,
    "Service": _LABEL_1035,
    "Role": _SEGMENT,
    "ClusterRole": _SEGMENT,
    "RoleBinding": _SEGMENT,
    "ClusterRoleBinding": _SEGMENT,
    "ClusterTrustBundle": _SEGMENT,
    "CertificateSigningRequest": _SEGMENT,
    "IPAddress": _SEGMENT,
}
_LONGEST_NAME = {"CronJob": 52, "StatefulSet": 52}

_MEBIBYTE = 1 << 20
_ANNOTATIONS = 256 << 10


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each name, label or key that the API server, or a controller, would refuse."""
    for item in objects.items:
        yield from _object(item)
    for workload in objects.workloads:
        yield from _pod(workload)


def _object(item: Item) -> Iterator[Problem]:
    kind, name = item.ref.kind, item.ref.name
    yield from _named(item, "metadata.name", name, _NAMES.get(kind, _SUBDOMAIN))
    longest = _LONGEST_NAME.get(kind, 253)
    if len(name) > longest:
        yield item.problem(
            "name is too long", "metadata.name", expected=f"at most {longest} characters", found=name
        )
    metadata = mapping(item.manifest, "metadata")
    yield from _labels(item, "metadata.labels", mapping(metadata, "labels"))
    annotations = mapping(metadata, "annotations")
    size = sum(len(str(key)) + len(str(value)) for key, value in annotations.items())
    if size > _ANNOTATIONS:
        found = f"{size} bytes"
        yield item.problem(
            "annotations are too long", "metadata.annotations", expected="256 KiB", found=found
        )
    for key in annotations:
        yield from _key(item, "metadata.annotations", key.lower())
    if kind in ("ConfigMap", "Secret") and not item.ref.group:
        yield from _data(item)
    if kind == "Service" and not item.ref.group:
        yield from _labels(item, "spec.selector", mapping(item.manifest, "spec", "selector"))
        for index, port in objects_in(item.manifest, "spec", "ports"):
            yield from _named(item, f"spec.ports[{index}].name", port.get("name"), _LABEL)


def _pod(workload: Workload) -> Iterator[Problem]:
    item = workload.item
    above = workload.path.rpartition(".")[0]
    yield from _labels(item, f"{above}.metadata.labels".lstrip("."), workload.labels)
    selector = mapping(item.manifest, "spec", "selector", "matchLabels")
    yield from _labels(item, "spec.selector.matchLabels", selector)
    yield from _labels(item, f"{workload.path}.nodeSelector", mapping(workload.pod, "nodeSelector"))
    for path, container in workload.containers:
        yield from _named(item, f"{path}.name", container.get("name"), _LABEL)
        for index, port in objects_in(container, "ports"):
            yield from _named(item, f"{path}.ports[{index}].name", port.get("name"), _PORT)
    for index, volume in objects_in(workload.pod, "volumes"):
        yield from _named(item, f"{workload.path}.volumes[{index}].name", volume.get("name"), _LABEL)


def _named(item: Item, path: str, name: Any, rule: re.Pattern[str]) -> Iterator[Problem]:
    """A Problem if `name` is text that breaks `rule`; whether it must be there is the schema's business."""
    if isinstance(name, str) and name and not _good_name(rule, name):
        yield item.problem("not a name that Kubernetes accepts", path, expected=_SPOKEN[rule], found=name)


@functools.lru_cache(maxsize=4096)
def _good_name(rule: re.Pattern[str], name: str) -> bool:
    return len(name) <= _LIMIT.get(rule, 253) and rule.fullmatch(name) is not None


def _labels(item: Item, path: str, labels: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in labels.items():
        yield from _key(item, path, key)
        if isinstance(value, str) and value and not _good_value(value):
            yield item.problem(
                "not a label value that Kubernetes accepts",
                f'{path}["{key}"]',
                expected="letters, digits, -, _ and ., at most 63 of them, a letter or digit at both ends",
                found=value,
            )


@functools.lru_cache(maxsize=4096)
def _good_value(value: str) -> bool:
    return len(value) <= 63 and _QUALIFIED.fullmatch(value) is not None


@functools.lru_cache(maxsize=4096)
def _good_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > 253 or not _SUBDOMAIN.fullmatch(prefix)):
        return False
    return _good_value(name) and bool(name)


def _key(item: Item, path: str, key: str) -> Iterator[Problem]:
    if not _good_key(key):
        expected = "name or prefix/name, name of at most 63 letters, digits, -, _ and ."
        yield item.problem("not a key that Kubernetes accepts", path, expected=expected, found=key)


def _data(item: Item) -> Iterator[Problem]:
    size = 0
    for field in ("data", "binaryData", "stringData"):
        for key, value in mapping(item.manifest, field).items():
            yield from _named(item, f'{field}["{key}"]', key, _KEY)
            size += len(value.encode()) if isinstance(value, str) else 0
    limit = _MEBIBYTE if item.ref.kind == "ConfigMap" else _MEBIBYTE * 4 // 3
    if size > limit:
        yield item.problem("too large", "data", expected="at most 1 MiB", found=f"{size} bytes")
