"""Ports by name and number lead somewhere: of Services, probes, Ingresses, routes, webhooks, APIServices.

A named target port of a Service is a port of the pods that it selects (a warning while another of its ports
works); a probe's named port is one of its container; a backend's Service is there and has the port.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mop.checks.nearest import nearest
from mop.checks.network import Network, Service, network
from mop.checks.objects import Item, Objects, get, mapping, objects_in, text
from mop.problem import Problem


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each port, or Service of a backend, that is not there."""
    net = network(objects)
    for service in net.services.values():
        if service.item is not None:
            yield from _targets(service, service.item, net)
    for workload in objects.workloads:
        for path, container in workload.containers:
            yield from _probes(workload.item, path, container)
    for item in objects.kind("Ingress"):
        yield from _ingress(objects, item, net)
    for item in objects.kind("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"):
        yield from _route(objects, item, net)
    for item in objects.kind("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        for index, webhook in objects_in(item.manifest, "webhooks"):
            service = get(webhook, "clientConfig", "service")
            yield from _backend(objects, item, f"webhooks[{index}].clientConfig.service", service, net, 443)
    for item in objects.kind("APIService"):
        yield from _backend(objects, item, "spec.service", get(item.manifest, "spec", "service"), net, 443)


def _targets(service: Service, item: Item, net: Network) -> Iterator[Problem]:
    """Named target ports that no selected pod has. A number works without being declared by a container."""
    behind = net.behind(service)
    names = {name for pods in behind for name in pods.ports}
    lost = [port for port in service.ports if isinstance(port.target, str) and port.target not in names]
    for index, port in enumerate(service.ports):
        if behind and port in lost:
            pods = ", ".join(sorted({str(p.workload.item.ref) for p in behind if p.workload is not None}))
            yield item.problem(
                f"no container of {pods} has a port named {port.target}",
                f"spec.ports[{index}].targetPort",
                level="error" if len(lost) == len(service.ports) else "warning",
                expected=f"one of {', '.join(sorted(names))}" if names else "",
                found=str(port.target),
                hint=nearest(str(port.target), names),
            )


_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS = (("lifecycle", "postStart"), ("lifecycle", "preStop"))


def _probes(item: Item, path: str, container: Mapping[str, Any]) -> Iterator[Problem]:
    names = {text(port, "name") for _, port in objects_in(container, "ports")} - {""}
    for keys in [(probe,) for probe in _PROBES] + list(_HOOKS):
        for kind in ("httpGet", "tcpSocket"):
            port = get(container, *keys, kind, "port")
            if isinstance(port, str) and not port.isdigit() and port not in names:
                yield item.problem(
                    f"the container has no port named {port}",
                    f"{path}.{'.'.join(keys)}.{kind}.port",
                    expected=f"one of {', '.join(sorted(names))}" if names else "a port of the container",
                    found=port,
                    hint=nearest(port, names),
                )


def _ingress(objects: Objects, item: Item, net: Network) -> Iterator[Problem]:
    spec = mapping(item.manifest, "spec")
    backends = [("spec.defaultBackend", spec.get("defaultBackend"))]
    for index, rule in objects_in(spec, "rules"):
        for at, path in objects_in(rule, "http", "paths"):
            backends.append((f"spec.rules[{index}].http.paths[{at}].backend", path.get("backend")))
    for where, backend in backends:
        service = mapping(backend, "service")
        port = mapping(service, "port")
        wanted = port.get("number") or port.get("name")
        yield from _backend(objects, item, f"{where}.service", {**service, "port": wanted}, net, None)


def _route(objects: Objects, item: Item, net: Network) -> Iterator[Problem]:
    for index, rule in objects_in(item.manifest, "spec", "rules"):
        for at, backend in objects_in(rule, "backendRefs"):
            if text(backend, "kind") in ("", "Service"):
                yield from _backend(
                    objects, item, f"spec.rules[{index}].backendRefs[{at}]", backend, net, None
                )


def _backend(
    objects: Objects, item: Item, path: str, backend: Any, net: Network, default: int | None
) -> Iterator[Problem]:
    """`backend`: {name, namespace, port}; the port by number or name."""
    name = text(backend, "name")
    if not name:
        return
    namespace = text(backend, "namespace") or item.ref.namespace
    service = net.services.get((namespace, name))
    if service is None:
        if not objects.external("Service", namespace, name):
            known = objects.names("Service", namespace)
            hint = (
                nearest(name, known) or f"render it, or declare it: validate: {{external: [Service/{name}]}}"
            )
            yield item.problem(f"no Service {name} in {namespace}", f"{path}.name", found=name, hint=hint)
        return
    port = get(backend, "port") or default
    known_ports: list[Any] = [it.number for it in service.ports] + [
        it.name for it in service.ports if it.name
    ]
    if port is not None and port not in known_ports and not service.external_name:
        yield item.problem(
            f"Service {name} has no port {port}",
            f"{path}.port",
            expected=f"one of {', '.join(str(it) for it in known_ports)}",
            found=str(port),
        )
