"""Helm behind a cache by content: what `helmTemplate` in Jsonnet calls.

A render's key is everything that it depends on: the bytes of the chart, values, release, namespace, versions,
flags. Never a path or a time, so that environments, branches and machines share one cache. Two kinds of
render stay in the platform's own folder instead: those that hold Secrets, and those that come out different
each time. docs/adr/0003-helm-in-process.md says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mop.cache import Cache, cache_limit, cache_root
from mop.engines.protocols import ChartRender, Helm, HelmRequest
from mop.errors import ChartError
from mop.files import Digests, sha256
from mop.manifest import Manifest

if TYPE_CHECKING:
    from mop.engines.helm_random import Prober

_ATTEMPTS = 3

#: The modules that turn Helm's text into an entry; their bytes are part of every key.
_READERS = (
    "chart_values.py",
    "helm_cache.py",
    "helm_names.py",
    "helm_output.py",
    "helm_random.py",
    "snakecase.py",
)


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
        self._limit = cache_limit()
        self._shared_folder = shared_folder
        self.local = Cache(unstable_folder, self._limit)

    @cached_property
    def shared(self) -> Cache:
        """What environments and machines share; a run that renders no chart does not ask where it is."""
        return Cache(self._shared_folder or cache_root() / "renders", self._limit)

    @cached_property
    def version(self) -> str:
        """Helm's version and that of the code that reads its output."""
        here = Path(__file__).parent
        readers = [*map(here.joinpath, _READERS), *sorted((here.parent / "goyaml").glob("*.py"))]
        code = sha256(b"".join(path.read_bytes() for path in readers))
        return f"helm {self._helm.version} reader {code[:12]}"

    @cached_property
    def _helm(self) -> Helm:
        return self._make_helm()

    @cached_property
    def _prober(self) -> Prober:
        from mop.engines.helm_random import Prober

        return Prober(self.local.folder.parent)

    def render(self, request: HelmRequest, name_format: str | None) -> ChartRender:
        """The objects of the chart by name, from the cache if this was rendered before.

        Raises ChartError: no chart, a failing template, two objects with one name, a chart that keeps
        changing.
        """
        request = replace(request, chart=self._digests.root / request.chart)
        for _ in range(_ATTEMPTS):
            digest = self._digests.tree(request.chart)
            if digest is None:
                raise _no_chart(request.chart)
            key = self._key(request, name_format, digest)
            found = self._find(key, digest)
            if found:
                return found
            with self.shared.once(key):
                found = self._find(key, digest) or self._made(key, digest, request, name_format)
            if found:
                return found
        raise ChartError(
            f"the chart at {request.chart} changes while it is rendered ({_ATTEMPTS} attempts)",
            hint="let what writes there finish, then render again",
        )

    def clear(self) -> int:
        """Forget every render, shared and local; gives the bytes that were freed."""
        return self.shared.clear() + self.local.clear()

    def _key(self, request: HelmRequest, name_format: str | None, digest: str) -> str:
        where = [request.release, request.namespace, request.kube_version, list(request.api_versions)]
        flags = [request.include_crds, request.skip_tests, request.no_hooks]
        parts = [self.version, digest, name_format or "", where, flags, request.values]
        try:
            return sha256(json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ChartError(f"values for the chart at {request.chart} are no JSON: {error}") from error

    def _find(self, key: str, digest: str) -> ChartRender | None:
        body = self.shared.get(key) or self.local.get(key)
        if body is None:
            return None
        facts, _, text = body.partition(b"\n")
        random, unused = json.loads(facts)
        return ChartRender(text.decode(), digest, True, tuple(random), tuple(map(tuple, unused)))

    def _made(
        self, key: str, digest: str, request: HelmRequest, name_format: str | None
    ) -> ChartRender | None:
        """The render, kept; None if the chart on disk is no longer the one with `digest`."""
        from mop.engines.chart_values import unknown_values
        from mop.engines.helm_names import by_name

        failure = None
        try:
            objects, random = self._prober.template(self._helm, request, digest)
            named = by_name(self._helm, objects, name_format)
            text = json.dumps(named, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            unused = unknown_values(request.chart, request.values)
        except ChartError as error:
            failure = error
        except OSError as error:  # a file of the chart vanished, or there is no room for a copy
            failure = ChartError(f"the chart at {request.chart} cannot be read or copied: {error}")
        self._digests.fresh(request.chart)
        if self._digests.tree(request.chart) != digest:
            self._prober.forget(digest)
            return None
        if failure:
            raise self._seen_from_root(failure)
        cache = self.local if random or holds_secrets(named.values()) else self.shared
        dropped = tuple((it.path, it.hint) for it in unused)
        cache.put(key, json.dumps([random, dropped]).encode() + b"\n" + text.encode())
        return ChartRender(text, digest, hit=False, random=random, unused=dropped)

    def _seen_from_root(self, failure: ChartError) -> ChartError:
        """The same error with its files relative to the platform's root, where they lie in it."""
        root = f"{self._digests.root.absolute()}/"
        problems = [replace(found, file=found.file.removeprefix(root)) for found in failure.problems]
        return ChartError(failure.message, hint=failure.hint, problems=problems)


def holds_secrets(manifests: Iterable[Manifest]) -> bool:
    """Whether a Secret with content is among `manifests`, inside lists too."""
    for manifest in manifests:
        if manifest.get("kind") == "Secret" and (manifest.get("data") or manifest.get("stringData")):
            return True
        items = manifest.get("items")
        if isinstance(items, list) and holds_secrets(item for item in items if isinstance(item, dict)):
            return True
    return False


def _no_chart(chart: Path) -> ChartError:
    from mop.engines.helm_output import no_chart

    return no_chart(chart)
