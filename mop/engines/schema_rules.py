"""What the API server requires beyond its OpenAPI: required values, allowed values, ports, by definition.

Taken from the validation of k8s.io/kubernetes (v1.36), pkg/apis/*/validation/validation.go; each group names its
functions. Only what a JSON Schema can state of one definition; `title` is what is told when the rule is broken.
"""

from __future__ import annotations

from collections.abc import Mapping

from mop.engines.schema_rules_core import CORE
from mop.engines.schema_terms import (
    ALWAYS,
    NATURAL,
    PART,
    PORT,
    POSITIVE,
    RETENTION,
    Schema,
    filled,
    items,
    needs,
    one_of,
    when,
)

_APPS = "io.k8s.api.apps.v1."
_BATCH = "io.k8s.api.batch.v1."
_NETWORKING = "io.k8s.api.networking.v1."
_RBAC = "io.k8s.api.rbac.v1."
_SCALING = "io.k8s.api.autoscaling.v2."
_ADMISSION = "io.k8s.api.admissionregistration.v1."
_CRD = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."


RULES: Mapping[str, Schema] = {
    **CORE,
    # ValidateDeploymentSpec, ValidateStatefulSetSpec, ValidateDaemonSetSpec, ValidateReplicaSetSpec
    _APPS + "Deployment": needs("spec"),
    _APPS + "StatefulSet": needs("spec"),
    _APPS + "DaemonSet": needs("spec"),
    _APPS + "ReplicaSet": needs("spec"),
    _APPS + "DeploymentSpec": needs(
        "selector", "template", properties={**ALWAYS, "replicas": NATURAL, "minReadySeconds": NATURAL}
    ),
    _APPS + "StatefulSetSpec": needs(
        "selector",
        "template",
        properties={**ALWAYS, "replicas": NATURAL},
        optional=["serviceName"],  # OpenAPI required it until 1.32, the server never did
        allOf=[items("volumeClaimTemplates", {"required": ["metadata"], "properties": {"metadata": filled("name")}})],
    ),
    _APPS + "DaemonSetSpec": needs("selector", "template", properties=ALWAYS),
    _APPS + "ReplicaSetSpec": needs("selector", "template", properties={**ALWAYS, "replicas": NATURAL}),
    _APPS + "RollingUpdateDeployment": {"properties": {"maxSurge": PART, "maxUnavailable": PART}},
    _APPS + "RollingUpdateDaemonSet": {"properties": {"maxSurge": PART, "maxUnavailable": PART}},
    _APPS + "StatefulSetPersistentVolumeClaimRetentionPolicy": {
        "properties": {"whenDeleted": RETENTION, "whenScaled": RETENTION}
    },
    # ValidateJobSpec, validateCronJobSpec
    _BATCH + "Job": needs("spec"),
    _BATCH + "JobSpec": needs(
        "template",
        properties={
            "template": {
                "properties": {
                    "spec": {
                        "required": ["restartPolicy"],
                        "properties": {"restartPolicy": {"enum": ["OnFailure", "Never"]}},
                    }
                }
            },
            **dict.fromkeys(("parallelism", "completions", "backoffLimit"), NATURAL),
        },
        allOf=[when("completionMode", "Indexed", then=filled("completions"))],
    ),
    _BATCH + "CronJob": needs("spec"),
    _BATCH + "CronJobSpec": needs("schedule", "jobTemplate"),
    _BATCH + "JobTemplateSpec": needs("spec"),
    # ValidatePodDisruptionBudgetSpec
    "io.k8s.api.policy.v1.PodDisruptionBudgetSpec": {
        "properties": {"maxUnavailable": PART, "minAvailable": PART},
        "allOf": [
            {
                "title": "minAvailable and maxUnavailable exclude each other",
                "not": {"required": ["minAvailable", "maxUnavailable"]},
            }
        ],
    },
    # ValidateIngressSpec, validateIngressBackend, ValidateNetworkPolicySpec
    _NETWORKING + "Ingress": needs("spec"),
    _NETWORKING + "IngressSpec": {
        "allOf": [one_of("rules", "defaultBackend", title="must have rules or a defaultBackend")]
    },
    _NETWORKING + "NetworkPolicyPort": {"properties": {"port": PORT}},
    _NETWORKING + "HTTPIngressRuleValue": needs("paths"),
    _NETWORKING + "HTTPIngressPath": needs("backend", "pathType"),
    _NETWORKING + "IngressBackend": {
        "allOf": [one_of("service", "resource", title="must have service or resource")]
    },
    _NETWORKING + "IngressServiceBackend": needs("name", "port"),
    _NETWORKING + "ServiceBackendPort": {
        "allOf": [one_of("name", "number", title="must have the port's name or number")],
        "properties": {"number": NATURAL},
    },
    _NETWORKING + "IPBlock": needs("cidr"),
    _NETWORKING + "NetworkPolicyPeer": {
        "allOf": [
            one_of("podSelector", "namespaceSelector", "ipBlock", title="must have a selector or an ipBlock")
        ]
    },
    # ValidatePolicyRule, ValidateRoleBinding, ValidateClusterRoleBinding, ValidateRoleBindingSubject
    _RBAC + "PolicyRule": needs(
        "verbs",
        allOf=[
            {
                "if": filled("nonResourceURLs"),
                "then": {},
                "else": filled("apiGroups", "resources"),
            }
        ],
    ),
    _RBAC + "RoleBinding": needs("roleRef"),
    _RBAC + "ClusterRoleBinding": needs(
        "roleRef",
        properties={"roleRef": {"properties": {"kind": {"enum": ["ClusterRole"]}}}},
        allOf=[items("subjects", when("kind", "ServiceAccount", then=filled("namespace")))],
    ),
    _RBAC + "RoleRef": needs(
        "name",
        "kind",
        properties={
            "kind": {"enum": ["Role", "ClusterRole"]},
            "apiGroup": {"enum": ["rbac.authorization.k8s.io", "", None]},
        },
    ),
    _RBAC + "Subject": needs(
        "name",
        "kind",
        properties={"kind": {"enum": ["ServiceAccount", "User", "Group"]}},
        allOf=[
            when(
                "kind",
                "ServiceAccount",
                then={"properties": {"apiGroup": {"enum": ["", None]}}},
                otherwise={"properties": {"apiGroup": {"enum": ["rbac.authorization.k8s.io", "", None]}}},
            )
        ],
    ),
    # validateHorizontalPodAutoscalerSpec, validateMetricSpec, validateMetricTarget
    _SCALING + "HorizontalPodAutoscaler": needs("spec"),
    _SCALING + "HorizontalPodAutoscalerSpec": needs(
        "scaleTargetRef", "maxReplicas", properties={"maxReplicas": POSITIVE, "minReplicas": NATURAL}
    ),
    _SCALING + "CrossVersionObjectReference": needs("kind", "name"),
    _SCALING + "MetricSpec": needs(
        "type",
        properties={"type": {"enum": ["ContainerResource", "External", "Object", "Pods", "Resource"]}},
        allOf=[
            when("type", kind, then=filled(kind[0].lower() + kind[1:]))
            for kind in ("ContainerResource", "External", "Object", "Pods", "Resource")
        ],
    ),
    _SCALING + "MetricTarget": needs(
        "type",
        properties={"type": {"enum": ["Utilization", "Value", "AverageValue"]}},
        allOf=[
            one_of(
                "averageUtilization", "averageValue", "value",
                title="must have averageUtilization, averageValue or value",
            )
        ],
    ),
    _SCALING + "MetricIdentifier": needs("name"),
    _SCALING + "ResourceMetricSource": needs("name", "target"),
    _SCALING + "HPAScalingPolicy": needs(
        "type", "value", "periodSeconds", properties={"type": {"enum": ["Pods", "Percent"]}}
    ),
    _SCALING + "HPAScalingRules": {
        "properties": {"selectPolicy": {"enum": ["Max", "Min", "Disabled", "", None]}}
    },
    # validateMutatingWebhook, validateValidatingWebhook, validateRuleWithOperations, ValidateWebhookService
    **dict.fromkeys(
        (_ADMISSION + "MutatingWebhook", _ADMISSION + "ValidatingWebhook"),
        needs(
            "name",
            "clientConfig",
            "sideEffects",
            "admissionReviewVersions",
            properties={"sideEffects": {"enum": ["None", "NoneOnDryRun"]}},
        ),
    ),
    _ADMISSION + "WebhookClientConfig": {
        "allOf": [
            {
                "title": "must have either url or service",
                "oneOf": [{"required": ["url"]}, {"required": ["service"]}],
            }
        ]
    },
    _ADMISSION + "ServiceReference": needs("name", "namespace"),
    _ADMISSION + "RuleWithOperations": needs("operations", "apiGroups", "apiVersions", "resources"),
    # ValidateStorageClass, ValidateCustomResourceDefinitionSpec
    "io.k8s.api.storage.v1.StorageClass": needs("provisioner"),
    _CRD + "CustomResourceDefinitionSpec": needs(
        "group", "names", "scope", "versions", properties={"scope": {"enum": ["Namespaced", "Cluster"]}}
    ),
    _CRD + "CustomResourceDefinitionNames": needs("kind", "plural"),
    _CRD + "CustomResourceDefinitionVersion": needs("name", "schema"),
    _CRD + "CustomResourceConversion": needs(
        "strategy", properties={"strategy": {"enum": ["None", "Webhook"]}}
    ),
}  # fmt: skip


def tighten(name: str, definition: Schema) -> None:
    """Add the rules of the definition `name` to it, as far as this Kubernetes version has the fields."""
    rule = RULES.get(name)
    if rule is None:
        return
    properties: dict[str, Schema] = definition.get("properties", {})
    for field in rule.get("required", ()):
        if field in properties:
            _require(definition, field)
    for field, more in rule.get("properties", {}).items():
        if field in properties:
            properties[field].update(more)
    for field in rule.get("optional", ()):
        definition["required"] = [name for name in definition.get("required", ()) if name != field]
    if "allOf" in rule:
        definition["allOf"] = rule["allOf"]


def _require(definition: Schema, field: str) -> None:
    """Let `field` be there, not null, and neither an empty text nor an empty list."""
    definition["required"] = sorted({*definition.get("required", ()), field})
    schema = definition["properties"][field]
    types = schema.get("type", _ANY)
    schema["type"] = [kind for kind in types if kind != "null"] if isinstance(types, list) else types
    if "enum" not in schema:
        schema.update({"minLength": 1, "minItems": 1})


_ANY = ["object", "string", "array", "integer", "number", "boolean"]
