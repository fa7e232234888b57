"""The verbs of `protocols.Cluster`, over one session."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from mop.engines.cluster.discovery import Discovery, Resource
from mop.engines.cluster.errors import Asked, failure, unknown_kind
from mop.engines.cluster.session import Session
from mop.engines.cluster.watch import ResumingWatch
from mop.engines.protocols import FIELD_MANAGER, Applied, Watch
from mop.errors import Rejected
from mop.manifest import Manifest, ObjectRef, ref
from mop.problem import Problem

#: JSON is YAML; this is the content type of server-side apply.
_APPLY = "application/apply-patch+yaml"
_PAGE = "500"
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
#: RFC 7234, section 5.5: `299 - "text"`.
_WARNING = re.compile(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"')


class LightkubeCluster:
    """`protocols.Cluster`. Thread-safe; discovery is remembered until `refresh`."""

    def __init__(self, session: Session, *, simulated: bool = False) -> None:
        self._session = session
        self._discovery = Discovery(session)
        self._simulated = simulated

    @property
    def address(self) -> str:
        return f"{self._session.connection.name} ({self._session.connection.server})"

    @property
    def simulated(self) -> bool:
        return self._simulated

    def close(self) -> None:
        """Give up the connections."""
        self._session.close()

    def kubernetes_version(self) -> str:
        response = self._session.request("GET", "/version")
        self._check(response, Asked("read", "version"))
        return str(json.loads(response.content)["gitVersion"])

    def knows(self, api_version: str, kind: str) -> bool | None:
        resource = self._discovery.find(api_version, kind)
        return None if resource is None else resource.namespaced

    def served(self, group: str, kind: str) -> str | None:
        return self._discovery.served(group, kind)

    def refresh(self) -> None:
        self._discovery.refresh()

    def get(self, ref: ObjectRef) -> Manifest | None:
        resource = self._discovery.find(ref.api_version, ref.kind)
        if resource is None:
            return None
        response = self._session.request("GET", resource.path(ref.namespace, ref.name))
        if response.status_code == 404:
            return None
        self._check(response, Asked("get", resource.plural, ref, ref.namespace))
        return _object(response)

    def list(
        self, api_version: str, kind: str, namespace: str = "", labels: str = "", *, brief: bool = False
    ) -> list[Manifest]:
        resource = self._resource(api_version, kind)
        asked = Asked("list", resource.plural, namespace=namespace)
        items: list[Manifest] = []
        params = {"limit": _PAGE, **({"labelSelector": labels} if labels else {})}
        while True:
            path, accept = resource.path(namespace), _METADATA if brief else ""
            response = self._session.request("GET", path, params=params, accept=accept)
            if (
                response.status_code == 410 and "continue" in params
            ):  # the page's version is compacted: once more
                del params["continue"]
                items.clear()
                continue
            self._check(response, asked)
            page = json.loads(response.content)
            items += [{**item, "apiVersion": api_version, "kind": kind} for item in page.get("items") or []]
            params["continue"] = page["metadata"].get("continue") or ""
            if not params["continue"]:
                return items

    def apply(self, manifest: Manifest, *, dry_run: bool = False, force: bool = False) -> Applied:
        it = ref(manifest)
        resource = self._resource(it.api_version, it.kind, it)
        if resource.namespaced and not it.namespace:
            problem = Problem(f"{it.kind} {it.name} has no namespace", object=str(it))
            raise Rejected(problem.message, hint="set metadata.namespace", problems=[problem])
        params = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "force": str(force).lower()}
        if dry_run:
            params["dryRun"] = "All"
        response = self._session.request(
            "PATCH",
            resource.path(it.namespace, it.name),
            params=params,
            body=json.dumps(manifest).encode(),
            content_type=_APPLY,
        )
        self._check(response, Asked("patch", resource.plural, it, it.namespace, manifest))
        return Applied(_object(response), _warnings(response))

    def set_managers(self, ref: ObjectRef, entries: Sequence[Mapping[str, Any]], version: str) -> None:
        resource = self._resource(ref.api_version, ref.kind, ref)
        # As client-go's csaupgrade does; the version in the patch makes it a Conflict if the object moved.
        patch = [
            {"op": "replace", "path": "/metadata/managedFields", "value": list(entries)},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        ]
        response = self._session.request(
            "PATCH",
            resource.path(ref.namespace, ref.name),
            params={"fieldManager": FIELD_MANAGER},
            body=json.dumps(patch).encode(),
            content_type="application/json-patch+json",
        )
        self._check(response, Asked("patch", resource.plural, ref, ref.namespace))

    def create(self, manifest: Manifest) -> Manifest:
        it = ref(manifest)
        resource = self._resource(it.api_version, it.kind, it)
        response = self._session.request(
            "POST",
            resource.path(it.namespace),
            params={"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"},
            body=json.dumps(manifest).encode(),
            idempotent=False,
        )
        self._check(response, Asked("create", resource.plural, it, it.namespace, manifest))
        return _object(response)

    def delete(self, ref: ObjectRef, *, propagation: str = "Background", uid: str = "") -> bool:
        resource = self._resource(ref.api_version, ref.kind, ref)
        options = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": propagation,
            **({"preconditions": {"uid": uid}} if uid else {}),
        }
        response = self._session.request(
            "DELETE", resource.path(ref.namespace, ref.name), body=json.dumps(options).encode()
        )
        if response.status_code == 404:
            return False
        if response.status_code == 409 and uid:  # another object of that name stands there now
            return False
        self._check(response, Asked("delete", resource.plural, ref, ref.namespace))
        return True

    def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str = "",
        labels: str = "",
        since: str = "",
        timeout: float = 60,
    ) -> Watch:
        resource = self._resource(api_version, kind)
        return ResumingWatch(self._session, resource, namespace, labels, since, timeout)

    def logs(
        self, namespace: str, pod: str, container: str = "", lines: int = 20, previous: bool = False
    ) -> str:
        params = {"tailLines": str(lines), **({"container": container} if container else {})}
        if previous:
            params["previous"] = "true"
        path = self._resource("v1", "Pod").path(namespace, pod, "log")
        response = self._session.request("GET", path, params=params, idempotent=False)
        return response.text.strip() if response.status_code == 200 else ""

    def _resource(self, api_version: str, kind: str, about: ObjectRef | None = None) -> Resource:
        resource = self._discovery.find(api_version, kind)
        if resource is None:
            raise unknown_kind(api_version, kind, about, self._session.connection)
        return resource

    def _check(self, response: httpx2.Response, asked: Asked) -> None:
        if not response.is_success:
            raise failure(response.status_code, response.content, asked, self._session.connection)


def _object(response: httpx2.Response) -> Manifest:
    manifest: Manifest = json.loads(response.content)
    return manifest


def _warnings(response: httpx2.Response) -> tuple[str, ...]:
    """The texts of the Warning headers."""
    found = (_WARNING.search(value) for value in response.headers.get_list("warning"))
    return tuple(re.sub(r"\\(.)", r"\1", match[1]) for match in found if match)
