"""Admission webhooks of simulated pods are not asked: nothing runs that could answer.

An operator's chart brings webhooks that its own pod serves (Grafana's rollout-operator guards every StatefulSet, and
fails closed). Here that pod is simulated, so each such webhook gets one more match condition, which is never true.
It is applied by a field manager of its own, to a list entry of its own: what the chart declares stays as it is, and no
diff shows it. Webhooks by URL are asked; they are somebody's on this machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from lightkube import ApiError, AsyncClient, KubeConfig
from lightkube.generic_resource import create_global_resource
from lightkube.types import PatchType

from mop.controlplane.following import Object, Say, follow

GROUP = "admissionregistration.k8s.io"
KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
CONDITION = {"name": "simulated.mop.raibid-labs.dev", "expression": "false"}
MANAGER = "mop-simulation"


async def mute_webhooks(kubeconfig: Path, say: Say) -> None:
    """Watch webhook configurations until cancelled; an API server that is away is waited for."""
    client = AsyncClient(KubeConfig.from_file(kubeconfig), trust_env=False)
    await asyncio.gather(*(_mute_kind(client, kind, say) for kind in KINDS))


def _mute_kind(client: AsyncClient, kind: str, say: Say) -> Coroutine[Any, Any, None]:
    resource: Any = create_global_resource(GROUP, "v1", kind, f"{kind.lower()}s")
    watch: Callable[[], Any] = lambda: client.watch(resource)  # noqa: E731

    async def act(configuration: Object) -> None:
        patch = muted(kind, configuration)
        if patch is None:
            return
        name = configuration["metadata"]["name"]
        try:
            await client.patch(
                resource,
                name,
                resource.from_dict(patch),
                patch_type=PatchType.APPLY,
                field_manager=MANAGER,
                force=True,
            )
        except ApiError as error:
            if error.status.code != 404:
                raise

    return follow(f"{kind}s", watch, act, say)


def muted(kind: str, configuration: Object) -> Object | None:
    """What to apply so that no webhook of `configuration` that a Service answers is asked; None if that is so."""
    served = [
        hook for hook in configuration.get("webhooks") or () if "service" in hook.get("clientConfig", {})
    ]
    if all(CONDITION["name"] in {c["name"] for c in hook.get("matchConditions") or ()} for hook in served):
        return None
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": {"name": configuration["metadata"]["name"]},
        "webhooks": [{"name": hook["name"], "matchConditions": [CONDITION]} for hook in served],
    }
