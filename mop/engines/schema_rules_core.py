"""What the API server requires of the core group beyond its OpenAPI; see `schema_rules`.

Taken from pkg/apis/core/validation/validation.go and the label selectors of apimachinery.
"""

from __future__ import annotations

from collections.abc import Mapping

from mop.engines.schema_terms import (
    HANDLERS,
    NATURAL,
    NUMBER,
    ONE_SOURCE,
    PORT,
    POSITIVE,
    TARGET,
    Schema,
    data,
    filled,
    items,
    needs,
    one_of,
    when,
)

_CORE = "io.k8s.api.core.v1."
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."

CORE: Mapping[str, Schema] = {
    # ValidatePodSpec, validateContainers, validateContainerPorts, ValidateEnv, ValidateVolumeMounts
    _CORE + "Pod": needs("spec"),
    _CORE + "PodSpec": needs(
        "containers",
        allOf=[when("dnsPolicy", "None", then=filled("dnsConfig"))],
        properties={"terminationGracePeriodSeconds": NATURAL, "activeDeadlineSeconds": POSITIVE},
    ),
    _CORE + "PodTemplateSpec": needs("spec"),
    _CORE + "Container": needs("name", "image"),
    _CORE + "EphemeralContainer": needs("name", "image"),
    _CORE + "ContainerPort": needs("containerPort", properties={"containerPort": NUMBER, "hostPort": NATURAL}),
    _CORE + "EnvVar": needs("name"),
    _CORE + "EnvVarSource": {
        "allOf": [{"title": "must have exactly one source", **ONE_SOURCE}],
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
        "allOf": [one_of(*HANDLERS, title="must have a handler: exec, httpGet, tcpSocket or grpc")],
        "properties": dict.fromkeys(
            ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold"),
            NATURAL,
        ),
    },
    _CORE + "LifecycleHandler": {
        "allOf": [
            one_of("exec", "httpGet", "tcpSocket", "sleep", title="must have a handler: exec, httpGet or sleep")
        ]
    },
    _CORE + "ExecAction": needs("command"),
    _CORE + "HTTPGetAction": needs("port", properties={"port": PORT}),
    _CORE + "TCPSocketAction": needs("port", properties={"port": PORT}),
    _CORE + "GRPCAction": needs("port", properties={"port": NUMBER}),
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
                "then": items("ports", filled("name")),
            },
            when("type", "LoadBalancer", "NodePort", then={"properties": {"clusterIP": {"not": {"const": "None"}}}}),
        ]
    },
    _CORE + "ServicePort": needs("port", properties={"port": NUMBER, "targetPort": TARGET, "nodePort": NATURAL}),
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
            when("type", kind, then={"title": f"must have {' and '.join(keys)}", "allOf": [data(key) for key in keys]})
            for kind, keys in {
                "kubernetes.io/tls": ("tls.crt", "tls.key"),
                "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
                "kubernetes.io/dockercfg": (".dockercfg",),
                "kubernetes.io/ssh-auth": ("ssh-privatekey",),
            }.items()
        ]
    },
}  # fmt: skip
