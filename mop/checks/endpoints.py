"""Every in-cluster address in any configuration leads to a Service of this environment, on a port that it has.

Looked through: environment variables, arguments and commands, ConfigMaps, the readable parts of Secrets,
ExternalName Services, and custom resources. Forms: `service`, `service.namespace`, `service.namespace.svc`, the
same with `.cluster.local`, with or without scheme, port, `dns+`, `dnssrv+` and `_port._tcp.`. Comments, and
sections that say `enabled: false`, do not count. A Service of another environment, or of the cluster's owner, is
declared: `validate: {external: ["vault.security", "kafka.kafka:9092", "*.kube-system"]}`.

This is the mistake that breaks observability stacks most quietly: the sender starts, and what it sends is lost.
"""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from mop.checks.addresses import Address, addresses
from mop.checks.namespaces import CLUSTER
from mop.checks.nearest import nearest
from mop.checks.network import Network, Service, network
from mop.checks.objects import Item, Objects, dashboard, mapping, objects_in, text
from mop.checks.texts import parse
from mop.problem import Problem

#: Kinds of custom resources whose texts are expressions or pictures, not configuration.
_SILENT = frozenset({"CustomResourceDefinition", "PrometheusRule", "GrafanaDashboard", "ConfigMapList"})
_LOCAL = frozenset({"localhost", "localhost.localdomain", "host.docker.internal"})


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each address that leads nowhere."""
    net = network(objects)
    judge = _Judge(objects, net)
    for item in objects.items:
        for path, value in _texts(item):
            for address in _addresses(value):
                yield from judge(item, path, value, address)
    for workload in objects.workloads:
        for path, container in workload.containers:
            for where, value in _container(path, container):
                for address in _addresses(value):
                    yield from judge(workload.item, where, value, address)


@functools.lru_cache(maxsize=4096)
def _addresses(value: str) -> tuple[Address, ...]:
    """The addresses of a text; environments have many texts in common."""
    return tuple(addresses(value))


# ---------------------------------------------------------------- where configuration stands


def _texts(item: Item) -> Iterator[tuple[str, str]]:
    """Path and text of all that configures something in an object without pods."""
    kind, group = item.ref.kind, item.ref.group
    if kind == "ConfigMap" and not group:
        for key, value in mapping(item.manifest, "data").items():
            if isinstance(value, str) and not dashboard(key, value):
                yield f'data["{key}"]', value
    elif kind == "Secret" and not group:
        yield from _secret(item)
    elif kind == "Service" and not group:
        name = text(item.manifest, "spec", "externalName")
        if name:
            yield "spec.externalName", name
    elif "." in group and not group.endswith(".k8s.io") and kind not in _SILENT:
        yield from _leaves(item.manifest.get("spec"), "spec")


def _container(path: str, container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for index, variable in objects_in(container, "env"):
        value = text(variable, "value")
        if value:
            yield f"{path}.env[{index}].value", value
    for field in ("command", "args"):
        for index, word in enumerate(container.get(field) or ()):
            if isinstance(word, str):
                yield f"{path}.{field}[{index}]", word


def _secret(item: Item) -> Iterator[tuple[str, str]]:
    for key, value in mapping(item.manifest, "stringData").items():
        if isinstance(value, str):
            yield f'stringData["{key}"]', value
    for key, value in mapping(item.manifest, "data").items():
        if isinstance(value, str):
            try:
                yield f'data["{key}"]', base64.b64decode(value).decode()
            except (binascii.Error, ValueError):
                continue  # keys and certificates in binary form configure no address


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(below, f"{path}.{key}")
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _leaves(below, f"{path}[{index}]")


# ---------------------------------------------------------------- whether an address exists


class _Judge:
    """Decides on addresses in one environment; remembers its namespaces and its Services' names."""

    def __init__(self, objects: Objects, net: Network) -> None:
        self._objects = objects
        self._net = net
        self._namespaces = {
            *CLUSTER,
            objects.environment.namespace,
            *objects.names("Namespace", ""),
            *(item.ref.namespace for item in objects.items if item.ref.namespace),
        }
        self._names: dict[str, set[str]] = {}
        for namespace, name in net.services:
            self._names.setdefault(namespace, set()).add(name)

    def __call__(self, item: Item, path: str, value: str, address: Address) -> Iterator[Problem]:
        """The Problem of one address, if it has one."""
        place = self._place(item, address)
        if place is None or self._declared(*place, address):
            return
        namespace, name = place
        where = path if "\n" not in value else f"{path} line {address.line}"
        service = self._net.services.get((namespace, name))
        if service is None and _switched_off(value, address.text):
            return
        if service is None:
            known = self._names.get(namespace, set())
            hint = nearest(name, known) or _declare(name, namespace)
            yield item.problem(
                f"{address.text}: no Service {name} in {namespace}", where, found=address.text, hint=hint
            )
        else:
            yield from self._port(item, where, address, service)

    def _place(self, item: Item, address: Address) -> tuple[str, str] | None:
        """Namespace and Service that an address means; None if it need not be one of a cluster."""
        labels = address.labels
        own = item.ref.namespace or self._objects.environment.namespace
        if ".".join(labels) in _LOCAL:
            return None
        if address.qualified:
            # A pod's own name may stand before the Service's: pod-0.service.namespace.svc.
            return (labels[-1], labels[-2]) if len(labels) > 1 else None
        if len(labels) == 1:
            return (own, labels[0]) if self._meant(own, address) else None
        if labels[-1] in self._namespaces:
            return labels[-1], labels[-2]
        if len(labels) == 2 and labels[1] in self._names.get(own, ()):
            return own, labels[1]  # pod-0.service
        return None

    def _meant(self, namespace: str, address: Address) -> bool:
        """Whether a single word is meant as a Service: by its form, or because it is, or nearly is, one."""
        known = self._names.get(namespace, set())
        name = address.labels[0]
        return address.certain or name in known or bool("-" in name and nearest(name, known))

    def _declared(self, namespace: str, name: str, address: Address) -> bool:
        full = f"{name}.{namespace}"
        return any(
            fnmatchcase(full, pattern) or fnmatchcase(f"{full}:{address.port}", pattern)
            for pattern in self._objects.externals
            if "/" not in pattern
        ) or self._objects.external("Service", namespace, name)

    def _port(self, item: Item, where: str, address: Address, service: Service) -> Iterator[Problem]:
        names = {port.name for port in service.ports}
        if address.srv:
            if address.srv not in names:
                yield item.problem(
                    f"Service {service.name} has no port named {address.srv}",
                    where,
                    expected=f"one of {', '.join(sorted(names))}",
                    found=address.srv,
                    hint=nearest(address.srv, names),
                )
        elif address.port and not self._net.accepts(service, address.port):
            numbers = ", ".join(str(number) for number in sorted({port.number for port in service.ports}))
            yield item.problem(
                f"{address.text}: Service {service.name} has no port {address.port}",
                where,
                expected=f"one of {numbers}" if numbers else "a port of the Service",
                found=str(address.port),
            )


@functools.lru_cache(maxsize=1024)
def _switched_off(value: str, address: str) -> bool:
    """Whether `address` stands only in sections of a YAML text that say `enabled: false`."""
    if "enabled: false" not in value:
        return False
    parsed = parse(value)
    return not parsed.fault and not any(address in leaf for leaf in _active(parsed.value))


def _active(value: Any) -> Iterator[str]:
    """The texts of a parsed configuration that no `enabled: false` switches off."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and value.get("enabled") != "false":
        for below in value.values():
            yield from _active(below)
    elif isinstance(value, list):
        for below in value:
            yield from _active(below)


def _declare(name: str, namespace: str) -> str:
    return f'render it, or declare it: validate: {{external: ["{name}.{namespace}"]}}'
