"""What the API server requires beyond its OpenAPI: required values, allowed values, ports, by definition.

Taken from the validation of k8s.io/kubernetes (v1.36), pkg/apis/*/validation/validation.go and
staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation; each group names its functions. Only what a JSON
Schema can state of one definition; `title` is what is told when the rule is broken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_CORE = "io.k8s.api.core.v1."
_APPS = "io.k8s.api.apps.v1."
_BATCH = "io.k8s.api.batch.v1."
_NETWORKING = "io.k8s.api.networking.v1."
_RBAC = "io.k8s.api.rbac.v1."
_SCALING = "io.k8s.api.autoscaling.v2."
_ADMISSION = "io.k8s.api.admissionregistration.v1."
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_CRD = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."


def needs(*fields: str, **more: Any) -> Schema:
    """`fields` must be there, not null and not empty.

    `more`: `properties` to tighten, `allOf` to add, `optional` fields that OpenAPI requires and the server does not.
    """
    return {"required": list(fields), **more}


def one_of(*fields: str, title: str) -> Schema:
    """At least one of `fields`."""
    return {"title": title, "anyOf": [{"required": [field]} for field in fields]}


def when(field: str, *values: Any, then: Schema, otherwise: Schema | None = None) -> Schema:
    """`then` where `field` has one of `values`, `otherwise` elsewhere."""
    condition = {"required": [field], "properties": {field: {"enum": list(values)}}}
    return {"if": condition, "then": then, **({"else": otherwise} if otherwise else {})}


def filled(*fields: str) -> Schema:
    """`fields` are there and not empty; for conditions."""
    full = {
        "minLength": 1,
        "minItems": 1,
        "type": ["string", "array", "object", "integer", "boolean", "number"],
    }
    return {"required": list(fields), "properties": dict.fromkeys(fields, full)}


_NUMBER = {"minimum": 1, "maximum": 65535}
#: validation.IsValidPortName (IANA_SVC_NAME): at most 15 characters, a letter among them, no `--`.
#: Written without lookahead, which costs a tenfold compile.
_NAMED = {"pattern": "^([a-z0-9]+-)*[a-z0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 15}
_PORT = {**_NUMBER, **_NAMED}
_TARGET = {**_PORT, "pattern": f"^$|{_NAMED['pattern']}"}
_POSITIVE = {"minimum": 1}
_NATURAL = {"minimum": 0}
#: validation.IsValidPercent, and no negative number.
_PART = {"minimum": 0, "pattern": "^[0-9]+%$"}


def _items(field: str, rule: Schema) -> Schema:
    """`rule` holds for each entry of the list `field`."""
    return {"properties": {field: {"items": rule}}}


def _pods(*policies: str | None) -> Schema:
    """A pod template's restartPolicy where its owner allows only some."""
    spec = {"properties": {"restartPolicy": {"enum": [*policies]}}}
    return {"properties": {"spec": spec}}


def _data(key: str) -> Schema:
    """A Secret has `key`, encoded or not."""
    fields = ("data", "stringData")
    return {"anyOf": [{"required": [field], "properties": {field: {"required": [key]}}} for field in fields]}


_ALWAYS = {"template": _pods("Always", "", None)}
_RETENTION = {"enum": ["Retain", "Delete", "", None]}
_ONE_SOURCE = {"minProperties": 1, "maxProperties": 1}
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")


RULES: Mapping[str, Schema] = {
    # ValidatePodSpec, validateContainers, validateContainerPorts, ValidateEnv, ValidateVolumeMounts
    _CORE + "Pod": needs("spec"),
    _CORE + "PodSpec": needs(
        "containers",
        allOf=[when("dnsPolicy", "None", then=filled("dnsConfig"))],
        properties={"terminationGracePeriodSeconds": _NATURAL, "activeDeadlineSeconds": _POSITIVE},
    ),
    _CORE + "PodTemplateSpec": needs("spec"),
    _CORE + "Container": needs("name", "image"),
    _CORE + "EphemeralContainer": needs("name", "image"),
    _CORE + "ContainerPort": needs("containerPort", properties={"containerPort": _NUMBER, "hostPort": _NATURAL}),
    _CORE + "EnvVar": needs("name"),
    _CORE + "EnvVarSource": {
        "allOf": [{"title": "must have exactly one source", **_ONE_SOURCE}],
    },
    _CORE + "EnvFromSource": {
        "allOf": [one_of("configMapRef", "secretRef", title="must have configMapRef or secretRef")]
    },
    _CORE + "ConfigMapKeySelector": needs("key", "name"),
    _CORE + "SecretKeySelector": needs("key", "name"),
    _CORE + "ConfigMapEnvSource": needs("name"),
    _CORE + "SecretEnvSource": needs("name"),
    _CORE + "ObjectFieldSelector": needs("fieldPath"),
    _CORE + "ResourceFieldSelector": needs("resource"),
    _CORE + "VolumeMount": needs("name", "mountPath"),
    _CORE + "VolumeDevice": needs("name", "devicePath"),
    # validateProbe, validateHandler, validateLifecycle
    _CORE + "Probe": {
        "allOf": [one_of(*_HANDLERS, title="must have a handler: exec, httpGet, tcpSocket or grpc")],
        "properties": dict.fromkeys(
            ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold"),
            _NATURAL,
        ),
    },
    _CORE + "LifecycleHandler": {
        "allOf": [
            one_of("exec", "httpGet", "tcpSocket", "sleep", title="must have a handler: exec, httpGet or sleep")
        ]
    },
    _CORE + "ExecAction": needs("command"),
    _CORE + "HTTPGetAction": needs("port", properties={"port": _PORT}),
    _CORE + "TCPSocketAction": needs("port", properties={"port": _PORT}),
    _CORE + "GRPCAction": needs("port", properties={"port": _NUMBER}),
    # validateVolumes, validateVolumeSource
    _CORE + "Volume": needs(
        "name",
        allOf=[{"title": "must have a name and exactly one volume type", "minProperties": 2, "maxProperties": 2}],
    ),
    _CORE + "ConfigMapVolumeSource": needs("name"),
    _CORE + "ConfigMapProjection": needs("name"),
    _CORE + "SecretVolumeSource": needs("secretName"),
    _CORE + "SecretProjection": needs("name"),
    _CORE + "PersistentVolumeClaimVolumeSource": needs("claimName"),
    _CORE + "EphemeralVolumeSource": needs("volumeClaimTemplate"),
    _CORE + "HostPathVolumeSource": needs("path"),
    _CORE + "NFSVolumeSource": needs("server", "path"),
    _CORE + "CSIVolumeSource": needs("driver"),
    _CORE + "KeyToPath": needs("key", "path"),
    _CORE + "ServiceAccountTokenProjection": needs("path"),
    _CORE + "DownwardAPIVolumeFile": needs(
        "path",
        allOf=[one_of("fieldRef", "resourceFieldRef", title="must have fieldRef or resourceFieldRef")],
    ),
    # validateAffinity, validateTopologySpreadConstraints, ValidateTolerations, validateSeccompProfileField
    _CORE + "NodeSelector": needs("nodeSelectorTerms"),
    _CORE + "NodeSelectorRequirement": needs(
        "key",
        "operator",
        allOf=[when("operator", "In", "NotIn", "Gt", "Lt", then=filled("values"))],
    ),
    _CORE + "PodAffinityTerm": needs("topologyKey"),
    _CORE + "TopologySpreadConstraint": needs("maxSkew", "topologyKey", "whenUnsatisfiable"),
    _CORE + "SeccompProfile": needs("type", allOf=[when("type", "Localhost", then=filled("localhostProfile"))]),
    _CORE + "AppArmorProfile": needs("type", allOf=[when("type", "Localhost", then=filled("localhostProfile"))]),
    _META + "LabelSelectorRequirement": needs(
        "key",
        "operator",
        properties={"operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]}},
        allOf=[when("operator", "In", "NotIn", then=filled("values"))],
    ),
    # ValidateService, validateServicePort
    _CORE + "Service": needs("spec"),
    _CORE + "ServiceSpec": {
        "allOf": [
            when(
                "type",
                "ExternalName",
                then=filled("externalName"),
                otherwise=when("clusterIP", "None", then={}, otherwise=filled("ports")),
            ),
            {
                "if": {"required": ["ports"], "properties": {"ports": {"type": "array", "minItems": 2}}},
                "then": _items("ports", filled("name")),
            },
            when("type", "LoadBalancer", "NodePort", then={"properties": {"clusterIP": {"not": {"const": "None"}}}}),
        ]
    },
    _CORE + "ServicePort": needs("port", properties={"port": _NUMBER, "targetPort": _TARGET, "nodePort": _NATURAL}),
    # ValidatePersistentVolumeClaimSpec, ValidatePersistentVolumeSpec
    _CORE + "PersistentVolumeClaim": needs("spec"),
    _CORE + "PersistentVolumeClaimTemplate": needs("spec"),
    _CORE + "PersistentVolumeClaimSpec": needs("accessModes", "resources"),
    _CORE + "VolumeResourceRequirements": needs(
        "requests", properties={"requests": {"required": ["storage"]}}
    ),
    _CORE + "PersistentVolume": needs("spec"),
    _CORE + "PersistentVolumeSpec": needs("accessModes", "capacity"),
    # ValidateSecret
    _CORE + "Secret": {
        "allOf": [
            when("type", kind, then={"title": f"must have {' and '.join(keys)}", "allOf": [_data(key) for key in keys]})
            for kind, keys in {
                "kubernetes.io/tls": ("tls.crt", "tls.key"),
                "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
                "kubernetes.io/dockercfg": (".dockercfg",),
                "kubernetes.io/ssh-auth": ("ssh-privatekey",),
            }.items()
        ]
    },
    # ValidateDeploymentSpec, ValidateStatefulSetSpec, ValidateDaemonSetSpec, ValidateReplicaSetSpec
    _APPS + "Deployment": needs("spec"),
    _APPS + "StatefulSet": needs("spec"),
    _APPS + "DaemonSet": needs("spec"),
    _APPS + "ReplicaSet": needs("spec"),
    _APPS + "DeploymentSpec": needs(
        "selector", "template", properties={**_ALWAYS, "replicas": _NATURAL, "minReadySeconds": _NATURAL}
    ),
    _APPS + "StatefulSetSpec": needs(
        "selector",
        "template",
        properties={**_ALWAYS, "replicas": _NATURAL},
        optional=["serviceName"],  # OpenAPI required it until 1.32, the server never did
        allOf=[_items("volumeClaimTemplates", {"required": ["metadata"], "properties": {"metadata": filled("name")}})],
    ),
    _APPS + "DaemonSetSpec": needs("selector", "template", properties=_ALWAYS),
    _APPS + "ReplicaSetSpec": needs("selector", "template", properties={**_ALWAYS, "replicas": _NATURAL}),
    _APPS + "RollingUpdateDeployment": {"properties": {"maxSurge": _PART, "maxUnavailable": _PART}},
    _APPS + "RollingUpdateDaemonSet": {"properties": {"maxSurge": _PART, "maxUnavailable": _PART}},
    _APPS + "StatefulSetPersistentVolumeClaimRetentionPolicy": {
        "properties": {"whenDeleted": _RETENTION, "whenScaled": _RETENTION}
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
            **dict.fromkeys(("parallelism", "completions", "backoffLimit"), _NATURAL),
        },
        allOf=[when("completionMode", "Indexed", then=filled("completions"))],
    ),
    _BATCH + "CronJob": needs("spec"),
    _BATCH + "CronJobSpec": needs("schedule", "jobTemplate"),
    _BATCH + "JobTemplateSpec": needs("spec"),
    # ValidatePodDisruptionBudgetSpec
    "io.k8s.api.policy.v1.PodDisruptionBudgetSpec": {
        "properties": {"maxUnavailable": _PART, "minAvailable": _PART},
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
    _NETWORKING + "NetworkPolicyPort": {"properties": {"port": _PORT}},
    _NETWORKING + "HTTPIngressRuleValue": needs("paths"),
    _NETWORKING + "HTTPIngressPath": needs("backend", "pathType"),
    _NETWORKING + "IngressBackend": {
        "allOf": [one_of("service", "resource", title="must have service or resource")]
    },
    _NETWORKING + "IngressServiceBackend": needs("name", "port"),
    _NETWORKING + "ServiceBackendPort": {
        "allOf": [one_of("name", "number", title="must have the port's name or number")],
        "properties": {"number": _NATURAL},
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
        allOf=[_items("subjects", when("kind", "ServiceAccount", then=filled("namespace")))],
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
        "scaleTargetRef", "maxReplicas", properties={"maxReplicas": _POSITIVE, "minReplicas": _NATURAL}
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
