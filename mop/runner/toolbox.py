"""The real engines, made when first asked for; nothing else in MOP names one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from mop.engines.protocols import ChartRepositories, Cluster, Helm, Jsonnet, Libraries, Schemas
from mop.errors import ControlPlaneError
from mop.files import Digests
from mop.model import Environment

T = TypeVar("T")


class RealToolbox:
    """Implements `protocols.Toolbox`. `start_cluster`: apply and deploy may start the embedded control plane."""

    def __init__(
        self,
        root: Path,
        digests: Digests,
        *,
        start_cluster: bool = False,
        progress: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._root = root
        self._digests = digests
        self._start_cluster = start_cluster
        self._progress = progress
        self._made: dict[str, Any] = {}
        self._lock = threading.RLock()

    def jsonnet(self) -> Jsonnet:
        """go-jsonnet, calling Helm through its cache."""
        return self._once("jsonnet", self._make_jsonnet)

    def schemas(self) -> Schemas:
        """The schemas that the kubernetes-validate package ships."""
        return self._once("schemas", self._make_schemas)

    def cluster(self, environment: Environment) -> Cluster:
        """The environment's target. Raises ControlPlaneError if it is the embedded one and that is stopped."""
        return self._once(f"cluster {environment.target}", lambda: self._make_cluster(environment))

    def repositories(self) -> ChartRepositories:
        """Chart repositories, registries and git, through the cache of downloads."""
        return self._once("repositories", self._make_repositories)

    def stop(self) -> None:
        """The run was interrupted: downloads are not tried again."""
        if "repositories" in self._made:
            self._made["repositories"].stop()

    def libraries(self) -> Libraries:
        """Jsonnet libraries by git, through a cache by commit."""
        return self._once("libraries", self._make_libraries)

    def _once(self, name: str, make: Callable[[], T]) -> T:
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            return cast(T, self._made[name])

    def _make_jsonnet(self) -> Jsonnet:
        from mop.engines.helm_cache import CachedCharts
        from mop.engines.jsonnet import GoJsonnet

        charts = CachedCharts(self.helm, self._digests, unstable_folder=self._root / ".mop" / "random")
        return GoJsonnet(charts, self._digests)

    def helm(self) -> Helm:
        """The Helm library, or the program that MOP_HELM names."""
        binary = os.environ.get("MOP_HELM")
        if binary:
            from mop.engines.helm_binary import HelmBinary

            return HelmBinary(Path(binary))
        from mop.engines.helm_sdk import HelmSdk

        return HelmSdk()

    def _make_schemas(self) -> Schemas:
        from mop.engines.schema import PackagedSchemas

        return PackagedSchemas()

    def _make_repositories(self) -> ChartRepositories:
        from mop.engines.registry import ChartRegistry

        return ChartRegistry(self._root, progress=self._progress)

    def _make_libraries(self) -> Libraries:
        from mop.engines.libraries import GitLibraries

        return GitLibraries()

    def _make_cluster(self, environment: Environment) -> Cluster:
        from mop.controlplane import ControlPlane
        from mop.engines.cluster import Endpoint, connect

        if environment.target.kind != "embedded":
            return connect(environment.target, self._root)
        plane = ControlPlane(self._root, progress=self._progress)
        found = plane.start() if self._start_cluster else plane.endpoint()
        if found is None:
            raise ControlPlaneError(
                f"environment {environment.name}: the embedded cluster is stopped",
                hint="`inv cluster.start` starts it; so do `inv apply` and `inv deploy`",
            )
        return connect(environment.target, self._root, Endpoint(found.server, found.ca, found.token))


def graph_svg(dot: str) -> str:
    """A graph in Graphviz's language as SVG; raises ToolError where Graphviz is missing."""
    from mop.engines import graphviz

    return graphviz.svg(dot)
