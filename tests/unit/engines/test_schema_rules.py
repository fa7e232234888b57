"""What the API server requires beyond its OpenAPI. Each case was refused by a kube-apiserver v1.36 in these words."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from mop.cache import Cache
from mop.engines import schema_definitions, schema_rules
from mop.engines.schema import PackagedSchemas

CACHE = Path(tempfile.mkdtemp(prefix="mop-schemas-"))
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
SCHEMAS = PackagedSchemas(CACHE)

SOUND = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
        - name: db
          image: db:1
          ports: [{containerPort: 5432, name: sql}]
          env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]
          livenessProbe: {httpGet: {port: sql}}
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: settings, configMap: {name: settings}}]
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: zone
              labelSelector: {matchExpressions: [{key: app, operator: In, values: [db]}]}
  volumeClaimTemplates:
    - {metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {ports: [{name: a, port: 80, targetPort: sql}, {name: b, port: 81}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "a:1"}]}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: db}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: db}
subjects: [{kind: ServiceAccount, name: db, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: db}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: db}
spec:
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: db}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: db}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: db}}}
---
apiVersion: v1
kind: Secret
metadata: {name: tls}
type: kubernetes.io/tls
data: {tls.crt: "", tls.key: ""}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: db}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: db, port: {number: 80}}}}]}}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: db}
webhooks:
  - name: db.example.com
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig: {service: {name: db, namespace: shop}}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
"""
OBJECTS = {document["kind"]: document for document in yaml.safe_load_all(SOUND)}

DROP = object()
CONTAINER = "spec.template.spec.containers.0"

#: Kind, path, what is put there, and the path and message of the problem.
CASES: list[tuple[str, str, Any, str, str]] = [
    ("StatefulSet", "spec", DROP, "spec", "required field is missing"),
    ("StatefulSet", "spec.template.spec", DROP, "spec.template.spec", "required field is missing"),
    ("StatefulSet", f"{CONTAINER}.image", "", "containers[0].image", "must not be empty"),
    ("StatefulSet", f"{CONTAINER}.image", None, "containers[0].image", "required field is missing"),
    (
        "StatefulSet",
        "spec.template.spec.containers",
        [],
        "spec.template.spec.containers",
        "must not be empty",
    ),
    ("StatefulSet", f"{CONTAINER}.ports.0.containerPort", 0, "containerPort", "out of range"),
    ("StatefulSet", f"{CONTAINER}.env.0.valueFrom", {}, "valueFrom", "must have exactly one source"),
    (
        "StatefulSet",
        f"{CONTAINER}.livenessProbe",
        {"periodSeconds": 5},
        "livenessProbe",
        "must have a handler",
    ),
    ("StatefulSet", f"{CONTAINER}.livenessProbe.httpGet.port", "a b", "httpGet.port", "wrong format"),
    ("StatefulSet", f"{CONTAINER}.volumeMounts.0.mountPath", "", "mountPath", "must not be empty"),
    (
        "StatefulSet",
        "spec.template.spec.volumes.0.configMap.name",
        DROP,
        "configMap.name",
        "required field is missing",
    ),
    (
        "StatefulSet",
        "spec.template.spec.volumes.0.configMap",
        DROP,
        "volumes[0]",
        "must have a name and exactly one",
    ),
    ("StatefulSet", "spec.template.spec.restartPolicy", "Never", "restartPolicy", "not an allowed value"),
    (
        "StatefulSet",
        "spec.volumeClaimTemplates.0.metadata.name",
        DROP,
        "metadata.name",
        "required field is missing",
    ),
    ("StatefulSet", "spec.volumeClaimTemplates.0.spec.accessModes", [], "accessModes", "must not be empty"),
    (
        "StatefulSet",
        "spec.volumeClaimTemplates.0.spec.resources.requests",
        {},
        "requests.storage",
        "required",
    ),
    ("StatefulSet", "spec.replicas", -1, "spec.replicas", "out of range"),
    ("Service", "spec", DROP, "spec", "required field is missing"),
    ("Service", "spec.ports", [], "spec.ports", "must not be empty"),
    ("Service", "spec.ports.1.name", DROP, "spec.ports[1].name", "required field is missing"),
    ("Service", "spec.ports.0.port", 70000, "spec.ports[0].port", "out of range"),
    ("Service", "spec.ports.0.targetPort", "much-too-long-a-name", "targetPort", "out of range"),
    ("Service", "spec.type", "ExternalName", "spec.externalName", "required field is missing"),
    ("Job", "spec.template.spec.restartPolicy", DROP, "restartPolicy", "required field is missing"),
    ("Job", "spec.template.spec.restartPolicy", "Always", "restartPolicy", "not an allowed value"),
    ("ClusterRoleBinding", "roleRef.kind", "Role", "roleRef.kind", "not an allowed value"),
    ("ClusterRoleBinding", "roleRef.apiGroup", "rbac", "roleRef.apiGroup", "not an allowed value"),
    ("ClusterRoleBinding", "subjects.0.kind", "serviceaccount", "subjects[0].kind", "not an allowed value"),
    (
        "ClusterRoleBinding",
        "subjects.0.namespace",
        DROP,
        "subjects[0].namespace",
        "required field is missing",
    ),
    ("Role", "rules.0.resources", DROP, "rules[0].resources", "required field is missing"),
    ("Role", "rules.0.verbs", [], "rules[0].verbs", "must not be empty"),
    ("HorizontalPodAutoscaler", "spec.metrics.0.type", "resource", "metrics[0].type", "not an allowed value"),
    (
        "HorizontalPodAutoscaler",
        "spec.metrics.0.type",
        "Pods",
        "metrics[0].pods",
        "required field is missing",
    ),
    ("HorizontalPodAutoscaler", "spec.maxReplicas", 0, "spec.maxReplicas", "out of range"),
    (
        "PodDisruptionBudget",
        "spec.minAvailable",
        1,
        "spec",
        "minAvailable and maxUnavailable exclude each other",
    ),
    ("PodDisruptionBudget", "spec.maxUnavailable", "1", "spec.maxUnavailable", "wrong format"),
    ("Secret", "data", {"tls.crt": ""}, "", "must have tls.crt and tls.key"),
    ("Ingress", "spec.rules.0.http.paths.0.pathType", DROP, "pathType", "required field is missing"),
    (
        "Ingress",
        "spec.rules.0.http.paths.0.backend.service.port",
        {},
        "service.port",
        "must have the port's name",
    ),
    (
        "ValidatingWebhookConfiguration",
        "webhooks.0.sideEffects",
        "Some",
        "sideEffects",
        "not an allowed value",
    ),
    (
        "ValidatingWebhookConfiguration",
        "webhooks.0.clientConfig",
        {},
        "clientConfig",
        "must have either url or service",
    ),
]


def put(manifest: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """`manifest` with `value` at `path`, or without what is there."""
    changed = deepcopy(manifest)
    place: Any = changed
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in above:
        place = place[part]
    if value is DROP:
        del place[last]
    else:
        place[last] = value
    return changed


@pytest.mark.parametrize("version", SCHEMAS.versions())
def test_sound_objects_break_no_rule_of_any_version(version: str) -> None:
    assert SCHEMAS.validate(version, list(OBJECTS.values())) == []


@pytest.mark.parametrize(("kind", "path", "value", "where", "message"), CASES)
def test_what_the_server_would_refuse_is_found(
    kind: str, path: str, value: Any, where: str, message: str
) -> None:
    problems = SCHEMAS.validate("1.36", [put(OBJECTS[kind], path, value)])
    assert any(p.path.endswith(where) and p.message.startswith(message) for p in problems), problems


def test_every_rule_is_about_a_definition_that_exists() -> None:
    known = schema_definitions.load("1.36", Cache(CACHE)).text
    assert {name for name in schema_rules.RULES if name not in known} == set()


def test_every_field_of_a_rule_exists() -> None:
    definitions = schema_definitions.load("1.36", Cache(CACHE))
    for name, rule in schema_rules.RULES.items():
        fields = {*rule.get("required", ()), *rule.get("properties", {})}
        assert fields <= definitions.definition(name)["properties"].keys(), name


@pytest.mark.parametrize(
    "spec",
    [
        {"clusterIP": "None"},
        {"type": "ExternalName", "externalName": "example.com"},
        {"ports": [{"port": 80}]},
        {"ports": [{"port": 80, "targetPort": ""}]},
    ],
)
def test_services_that_the_server_takes(spec: dict[str, Any]) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec}
    assert SCHEMAS.validate("1.36", [service]) == []
