"""Helm behind a cache by content: what `helmTemplate` in Jsonnet calls.

A render's key is everything that it depends on: the bytes of the chart, values, release, namespace, versions,
flags. Never a path or a time, so that environments, branches and machines share one cache. Two kinds of
render stay in the platform's own folder instead: those that hold Secrets, and those that come out different
each time. docs/adr/0003-helm-in-process.md says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from mop.cache import Cache, cache_limit, cache_root
from mop.engines.protocols import ChartRender, Helm, HelmRequest
from mop.errors import ChartError
from mop.files import Digests, sha256
from mop.manifest import Manifest

_ATTEMPTS = 3

#: The modules that turn Helm's text into an entry; their bytes are part of every key.
_READERS = ("helm_cache.py", "helm_names.py", "helm_output.py", "snakecase.py")


class CachedCharts:
    """Implements `protocols.Charts`. `helm` is called when first needed: until then no library is loaded.

    `unstable_folder`: for what must not be shared (Secrets, random renders), below the platform's own
    `.mop/`. `shared_folder`: for the rest; default `renders/` below `cache_root()`. Thread-safe.
    """

    def __init__(
        self,
        helm: Callable[[], Helm],
        digests: Digests,
        *,
        unstable_folder: Path,
        shared_folder: Path | None = None,
    ) -> None:
        self._make_helm = helm
        self._digests = digests
        limit = cache_limit()
        self.local = Cache(unstable_folder, limit)
        self.shared = Cache(shared_folder or cache_root() / "renders", limit)

    @cached_property
    def version(self) -> str:
        """Helm's version and that of the code that reads its output."""
        here = Path(__file__).parent
        readers = [*map(here.joinpath, _READERS), *sorted((here.parent / "goyaml").glob("*.py"))]
        return (
            f"helm {self._helm.version} reader {sha256(b''.join(path.read_bytes() for path in readers))[:12]}"
        )

    @cached_property
    def _helm(self) -> Helm:
        return self._make_helm()

    def render(self, request: HelmRequest, name_format: str | None) -> ChartRender:
        """The objects of the chart by name, from the cache if this was rendered before.

        Raises ChartError: no chart, a failing template, two objects with one name, a chart that keeps
        changing.
        """
        for _ in range(_ATTEMPTS):
            digest = self._digests.tree(request.chart)
            key = self._key(request, name_format, digest)
            found = self._find(key, digest)
            if found:
                return found
            with self.shared.once(key):
                found = self._find(key, digest)
                if found:
                    return found
                text, secret = self._rendered(request, name_format)
                self._digests.fresh(request.chart)
                if digest is not None and self._digests.tree(request.chart) == digest:
                    (self.local if secret else self.shared).put(key, text.encode())
                    return ChartRender(text, digest, hit=False)
        raise ChartError(
            f"the chart at {request.chart} changes while it is rendered ({_ATTEMPTS} attempts)",
            hint="let what writes there finish, then render again",
        )

    def clear(self) -> int:
        """Forget every render, shared and local; gives the bytes that were freed."""
        return self.shared.clear() + self.local.clear()

    def _find(self, key: str, digest: str | None) -> ChartRender | None:
        for cache in (self.shared, self.local):
            text = cache.get(key)
            if text is not None and digest is not None:
                return ChartRender(text.decode(), digest, hit=True)
        return None

    def _key(self, request: HelmRequest, name_format: str | None, digest: str | None) -> str:
        flags = [request.include_crds, request.skip_tests, request.no_hooks]
        where = [request.release, request.namespace, request.kube_version, list(request.api_versions)]
        parts = [self.version, digest, name_format or "", where, flags, request.values]
        try:
            return sha256(json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ChartError(f"values for the chart at {request.chart} are no JSON: {error}") from error

    def _rendered(self, request: HelmRequest, name_format: str | None) -> tuple[str, bool]:
        from mop.engines.helm_names import by_name

        objects = self._helm.template(request)
        named = by_name(self._helm, objects, name_format)
        try:
            text = json.dumps(named, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ChartError(
                f"the chart at {request.chart} renders what JSON cannot hold: {error}"
            ) from error
        return text, holds_secrets(named.values())


def holds_secrets(manifests: Iterable[Manifest]) -> bool:
    """Whether a Secret with content is among `manifests`, inside lists too."""
    for manifest in manifests:
        if manifest.get("kind") == "Secret" and (manifest.get("data") or manifest.get("stringData")):
            return True
        items = manifest.get("items")
        if isinstance(items, list) and holds_secrets(item for item in items if isinstance(item, dict)):
            return True
    return False
