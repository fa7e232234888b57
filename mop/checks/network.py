"""The Services and pods of an environment, with those that a cluster or an operator brings at run time."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mop.checks.objects import Item, Objects, Workload, items, mapping, objects_in, selects, text


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a Service. `target`: number or name of the pods' port it leads to."""

    name: str
    number: int
    target: int | str


@dataclass(frozen=True, slots=True)
class Service:
    """A Service. `item` is None for one that the render does not hold: the cluster's, or an operator's."""

    namespace: str
    name: str
    ports: tuple[Port, ...]
    selector: Mapping[str, Any]
    labels: Mapping[str, Any]
    headless: bool = False
    external_name: str = ""
    item: Item | None = None


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods of one template. `ports`: name → number ("" is never a name); `numbers`: all that are declared."""

    namespace: str
    labels: Mapping[str, Any]
    ports: Mapping[str, int]
    numbers: frozenset[int]
    workload: Workload | None = None


class Network:
    """Who answers under which name in the cluster."""

    def __init__(self, services: Iterable[Service], pods: Sequence[Pods]) -> None:
        self.services = {(service.namespace, service.name): service for service in services}
        self.pods = pods
        self._by_namespace: dict[str, list[Pods]] = {}
        self._by_label: dict[tuple[str, str, Any], list[Pods]] = {}
        self._behind: dict[int, list[Pods]] = {}
        for group in pods:
            self._by_namespace.setdefault(group.namespace, []).append(group)
            for key, value in group.labels.items():
                if isinstance(value, str):
                    self._by_label.setdefault((group.namespace, key, value), []).append(group)

    def behind(self, service: Service) -> list[Pods]:
        """The pods that `service` leads to."""
        found = self._behind.get(id(service))
        if found is None:
            selector = {"matchLabels": service.selector}
            found = self.matching(service.namespace, selector) if service.selector else []
            self._behind[id(service)] = found
        return found

    def matching(self, namespace: str, selector: Mapping[str, Any]) -> list[Pods]:
        """The pods in `namespace` that a label selector matches."""
        labels = mapping(selector, "matchLabels")
        candidates = self._by_namespace.get(namespace, [])
        for key, value in labels.items():
            fewer = self._by_label.get((namespace, key, value), []) if isinstance(value, str) else candidates
            candidates = min(candidates, fewer, key=len)
        return [pods for pods in candidates if selects(selector, pods.labels)]

    def inhabited(self, namespace: str) -> bool:
        """Whether this environment brings pods to `namespace`; otherwise its pods are someone else's."""
        return namespace in self._by_namespace

    def accepts(self, service: Service, port: int) -> bool:
        """Whether a connection to `service` on `port` arrives: at its port or, if headless, at a pod's."""
        if any(own.number == port for own in service.ports) or service.external_name:
            return True
        if not service.headless:
            return False
        behind = self.behind(service)
        targets = {own.target for own in service.ports}
        return not behind or port in targets or any(port in pods.numbers for pods in behind)


@functools.lru_cache(maxsize=4)
def network(objects: Objects) -> Network:
    """The network of an environment's objects; made once for all checks."""
    services = [_service(item) for item in objects.kind("Service") if not item.ref.group]
    pods = [_pods(workload) for workload in objects.workloads]
    for item in objects.items:
        if item.ref.group == "monitoring.coreos.com":
            pods += _operated_pods(item)
            services += _operated_services(item)
    known = {(service.namespace, service.name) for service in services}
    more = [*_CLUSTER, *_kubelets(objects)]
    services += [service for service in more if (service.namespace, service.name) not in known]
    return Network(services, pods)


def _service(item: Item) -> Service:
    spec = mapping(item.manifest, "spec")
    return Service(
        namespace=item.ref.namespace,
        name=item.ref.name,
        ports=tuple(_ports(spec)),
        selector=mapping(spec, "selector"),
        labels=mapping(item.manifest, "metadata", "labels"),
        headless=spec.get("clusterIP") == "None",
        external_name=text(spec, "externalName"),
        item=item,
    )


def _ports(spec: Mapping[str, Any]) -> Iterator[Port]:
    for _, port in objects_in(spec, "ports"):
        number = port.get("port")
        if isinstance(number, int):
            yield Port(text(port, "name"), number, port.get("targetPort") or number)


def _pods(workload: Workload) -> Pods:
    ports: dict[str, int] = {}
    numbers = set()
    for _, container in workload.containers:
        for _, port in objects_in(container, "ports"):
            number = port.get("containerPort")
            if isinstance(number, int):
                numbers.add(number)
                ports.setdefault(text(port, "name"), number)
    ports.pop("", None)
    return Pods(workload.namespace, workload.labels, ports, frozenset(numbers), workload)


# ---------------------------------------------------------------- what the render does not hold

#: Services that every cluster has, and those of its DNS.
_CLUSTER = (
    Service(
        "default",
        "kubernetes",
        (Port("https", 443, 6443),),
        {},
        {"component": "apiserver", "provider": "kubernetes"},
    ),
    Service(
        "kube-system",
        "kube-dns",
        (Port("dns", 53, 53), Port("dns-tcp", 53, 53), Port("metrics", 9153, 9153)),
        {},
        {"k8s-app": "kube-dns"},
    ),
)

#: Kind → application, ports: prometheus-operator, pkg/prometheus and pkg/alertmanager (statefulset.go).
_OPERATED: Mapping[str, tuple[str, Mapping[str, int]]] = {
    "Prometheus": ("prometheus", {"web": 9090, "reloader-web": 8080, "grpc": 10901, "http": 10902}),
    "PrometheusAgent": ("prometheus-agent", {"web": 9090, "reloader-web": 8080}),
    "Alertmanager": ("alertmanager", {"web": 9093, "mesh-tcp": 9094, "mesh-udp": 9094, "reloader-web": 8080}),
    "ThanosRuler": ("thanos-ruler", {"web": 10902, "grpc": 10901}),
}
_GOVERNING = {
    "Prometheus": "prometheus-operated",
    "PrometheusAgent": "prometheus-agent-operated",
    "Alertmanager": "alertmanager-operated",
    "ThanosRuler": "thanos-ruler-operated",
}


def _operated_pods(item: Item) -> Iterator[Pods]:
    """Pods that prometheus-operator makes from a custom resource."""
    if item.ref.kind not in _OPERATED:
        return
    application, ports = _OPERATED[item.ref.kind]
    name = item.ref.name
    labels = {
        "app.kubernetes.io/name": application,
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/managed-by": "prometheus-operator",
        "operator.prometheus.io/name": name,
        application: name,
        **mapping(item.manifest, "spec", "podMetadata", "labels"),
    }
    yield Pods(item.ref.namespace, labels, ports, frozenset(ports.values()))


def _operated_services(item: Item) -> Iterator[Service]:
    """The governing Service that prometheus-operator makes beside those pods."""
    if item.ref.kind in _GOVERNING:
        application, ports = _OPERATED[item.ref.kind]
        own = tuple(Port(name, number, name) for name, number in ports.items())
        labels = {"operated-" + application: "true"}
        selector = {"app.kubernetes.io/name": application}
        yield Service(item.ref.namespace, _GOVERNING[item.ref.kind], own, selector, labels, headless=True)


_KUBELET = re.compile(r"--kubelet-service=([^/\s]+)/(\S+)")


def _kubelets(objects: Objects) -> Iterator[Service]:
    """The Service over all kubelets that prometheus-operator keeps when told to."""
    for workload in objects.workloads:
        for _, container in workload.containers:
            for argument in items(container, "args"):
                match = _KUBELET.fullmatch(argument) if isinstance(argument, str) else None
                if match:
                    numbers = {"https-metrics": 10250, "http-metrics": 10255, "cadvisor": 4194}
                    ports = tuple(Port(name, number, number) for name, number in numbers.items())
                    labels = {
                        "k8s-app": "kubelet",
                        "app.kubernetes.io/name": "kubelet",
                        "app.kubernetes.io/managed-by": "prometheus-operator",
                    }
                    yield Service(match[1], match[2], ports, {}, labels, headless=True)
