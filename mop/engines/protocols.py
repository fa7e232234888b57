"""Everything MOP asks of the outside, on one screen. Plain modules beside this one implement it; `runner` picks them.

Engines raise the errors of `mop.errors`, never a library's own. Objects are plain dicts (`Manifest`) all the way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from mop.files import Input
from mop.manifest import Manifest, ObjectRef
from mop.model import Argument, Environment
from mop.problem import Problem

# ---------------------------------------------------------------- Jsonnet


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One Jsonnet evaluation of an environment's `main.jsonnet`.

    `name`: which inline Tanka environment is meant, where a whole main.jsonnet holds several.
    `components`: evaluate only these top-level fields; None = the whole value as one (`whole: true`).
    `served`: texts that stand for files (mop.yaml's slice), by absolute path; not read from disk.
    `environment`: the Tanka Environment object that `import 'tk'` and `std.extVar('tanka.dev/environment')` give.
    `namespace`, `kube_version`: what helmTemplate uses where a call names none.
    """

    root: Path
    entrypoint: Path
    components: tuple[str, ...] | None
    namespace: str
    kube_version: str
    environment: Mapping[str, Any] = field(default_factory=dict)
    served: Mapping[Path, str] = field(default_factory=dict)
    tla: Mapping[str, Argument] = field(default_factory=dict)
    ext: Mapping[str, Argument] = field(default_factory=dict)
    max_stack: int = 500
    name: str = ""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """`fields`: the visible top-level fields of main.jsonnet (empty for `whole`).

    `outputs`: JSON text by component ("" is the key for `whole`, an inline Tanka environment stays one).
    `inputs`: all that was read or looked for, with the digest of the bytes that the engine was given.
    `renders`, `hits`: Helm calls, and how many a cache answered.
    """

    fields: tuple[str, ...]
    outputs: Mapping[str, str]
    inputs: tuple[Input, ...]
    renders: int = 0
    hits: int = 0
    random: tuple[str, ...] = ()  # charts whose render draws random values, as "chart: template: function"
    unused: tuple[
        tuple[str, str, str], ...
    ] = ()  # values that do nothing, as (chart, path, nearest path or "")


class Jsonnet(Protocol):
    """Evaluates Jsonnet the way `tk` does."""

    @property
    def version(self) -> str:
        """Name and version of engine and bindings: an input of every evaluation."""

    def evaluate(self, evaluation: Evaluation) -> Evaluated:
        """Raises EvaluationError with the stack; ChartError if a chart inside it fails."""


# ---------------------------------------------------------------- Helm


@dataclass(frozen=True, slots=True)
class HelmRequest:
    """What `helm template` would be asked. `chart`: folder or archive. `kube_version`: `v1.34.0`."""

    chart: Path
    release: str
    namespace: str
    values: Mapping[str, Any]
    kube_version: str
    api_versions: tuple[str, ...] = ()
    include_crds: bool = True
    skip_tests: bool = False
    no_hooks: bool = False


@dataclass(frozen=True, slots=True)
class HelmObject:
    """One object and the template that made it (`grafana/templates/deployment.yaml`)."""

    template: str
    manifest: Manifest


class Helm(Protocol):
    """Renders charts, hermetically: no kubeconfig, no user settings, no network."""

    @property
    def version(self) -> str:
        """Helm's version as `v4.2.3`; part of the cache key."""

    def template(self, request: HelmRequest) -> tuple[HelmObject, ...]:
        """The objects of `helm template`, in Helm's order; raises ChartError."""


@dataclass(frozen=True, slots=True)
class ChartRender:
    """`text`: JSON object, manifest name (by `nameFormat`) → object. `digest`: of the chart tree that was rendered.

    `unused`: the path of each value that the chart does nothing with, and the nearest path that it knows ("" = none).
    """

    text: str
    digest: str
    hit: bool
    random: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()


class Charts(Protocol):
    """Helm behind its cache, with Tanka's naming: what `helmTemplate` in Jsonnet calls."""

    @property
    def version(self) -> str:
        """Helm's version and that of the cache format: an input of every evaluation."""

    def render(self, request: HelmRequest, name_format: str | None) -> ChartRender:
        """Raises ChartError, also for two objects with one name (names the key and both templates)."""


# ---------------------------------------------------------------- Schemas


class Schemas(Protocol):
    """The Kubernetes API as schemas, by minor version (`1.34`)."""

    def namespaced(self, kubernetes: str) -> Mapping[tuple[str, str], bool]:
        """(apiVersion, kind) → whether objects of it live in a namespace."""

    def validate(
        self, kubernetes: str, manifests: Sequence[Manifest], crds: Iterable[Manifest] = ()
    ) -> list[Problem]:
        """Problems of objects against the strict schemas, and of custom resources against the CRDs given."""

    def crds(self, folders: Iterable[Path], kinds: Collection[tuple[str, str]]) -> list[Manifest]:
        """CRDs of `kinds` in files below `folders`; a JSON Schema of one of them is given as a CRD."""


# ---------------------------------------------------------------- Cluster

#: The field manager of everything that MOP applies; other managers' fields are theirs.
FIELD_MANAGER = "mop"


@dataclass(frozen=True, slots=True)
class Applied:
    """The object as the server has (or, dry, would have) it, and the server's warnings about it."""

    manifest: Manifest
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a watch."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    manifest: Manifest


class Watch(Protocol):
    """Events as they come. `close` may be called from another thread and ends the iteration."""

    def __iter__(self) -> Iterator[Event]: ...

    def close(self) -> None: ...


class Cluster(Protocol):
    """One API server: what its target names and nothing else. Thread-safe.

    Raises Unreachable, Denied, Rejected, FieldConflict; never shows a token.
    """

    @property
    def address(self) -> str:
        """How people know this cluster: context and server URL."""

    @property
    def simulated(self) -> bool:
        """Whether its nodes and pods are simulated (the embedded control plane)."""

    def kubernetes_version(self) -> str:
        """`v1.34.1`."""

    def knows(self, api_version: str, kind: str) -> bool | None:
        """None: the server has no such kind (its CRD may be missing); else whether it is namespaced."""

    def served(self, group: str, kind: str) -> str | None:
        """The apiVersion by which the server prefers to serve a kind; None if it has no such kind."""

    def refresh(self) -> None:
        """Forget discovery: a CRD was just established."""

    def get(self, ref: ObjectRef) -> Manifest | None:
        """The live object, or None."""

    def list(
        self, api_version: str, kind: str, namespace: str = "", labels: str = "", *, brief: bool = False
    ) -> list[Manifest]:
        """Live objects of a kind; all namespaces if `namespace` is empty; only their metadata if `brief`."""

    def apply(self, manifest: Manifest, *, dry_run: bool = False, force: bool = False) -> Applied:
        """Server-side apply as field manager `mop`, with strict field validation."""

    def set_managers(self, ref: ObjectRef, entries: Sequence[Mapping[str, Any]], version: str) -> None:
        """Write the object's managedFields and nothing else. Raises Stale if it is not of `version` any more."""

    def create(self, manifest: Manifest) -> Manifest:
        """POST; Rejected if it exists."""

    def delete(self, ref: ObjectRef, *, propagation: str = "Background", uid: str = "") -> bool:
        """False if it was not there; with `uid`, only that very object."""

    def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str = "",
        labels: str = "",
        since: str = "",
        timeout: float = 60,
    ) -> Watch:
        """What is there now as ADDED (unless `since` names a version), then every change, without a gap.

        Dropped connections and expired versions (410) are resumed; it ends silently after `timeout` seconds.
        """

    def logs(
        self, namespace: str, pod: str, container: str = "", lines: int = 20, previous: bool = False
    ) -> str:
        """The last lines of a container's log; "" where there are none."""


# ---------------------------------------------------------------- Chart repositories


@dataclass(frozen=True, slots=True)
class ChartSource:
    """Where a chart comes from.

    `url`: a repository's address (http), a registry's folder (oci), `git+https://…//path?ref=…` (git) or a path
    relative to the platform's root (local). `name`: the chart in it; "" for git and local. `credentials`: NAME of
    NAME_USERNAME …, or "".
    """

    kind: Literal["http", "oci", "git", "local"]
    url: str
    name: str = ""
    credentials: str = ""


@dataclass(frozen=True, slots=True)
class Located:
    """One version of a chart and where its bytes are. `archive`: their sha256 if it is known before they are had."""

    version: str
    url: str
    archive: str = ""


@dataclass(frozen=True, slots=True)
class Obtained:
    """`archive`: sha256 of the archive as served, "" where there was none. `fetched`: bytes that came by network."""

    archive: str
    fetched: int = 0


class ChartRepositories(Protocol):
    """Charts of the outside, through a cache by content. Thread-safe. Raises VendorError."""

    def versions(self, source: ChartSource) -> tuple[str, ...]:
        """All versions that are served, as they are written there."""

    def locate(self, source: ChartSource, wanted: str) -> Located:
        """The newest version of `source` in the range `wanted` ("" = any); names the nearest if there is none."""

    def unpack(self, source: ChartSource, located: Located, target: Path) -> Obtained:
        """Write the chart's files below the empty folder `target`; an archive that is not `located.archive` is refused.

        Without network where the cache has the archive.
        """


# ---------------------------------------------------------------- Jsonnet libraries


class Libraries(Protocol):
    """Jsonnet libraries in git repositories of the outside, through a cache by commit. Thread-safe.

    `remote`: what git is given; `subdir`: a folder in it, "" = all of it; `version`: the branch or tag that holds the
    commit, for servers that give none by its digest. Raises VendorError.
    """

    def resolve(self, remote: str, version: str) -> str:
        """The commit that a branch, tag or commit is now; one answer for a whole run."""

    def default_branch(self, remote: str) -> str:
        """What a clone would check out."""

    def read(self, remote: str, commit: str, subdir: str, file: str, *, version: str = "") -> bytes | None:
        """One file of the library; None if it has none."""

    def unpack(self, remote: str, commit: str, subdir: str, target: Path, *, version: str = "") -> int:
        """Write the library below the empty folder `target`; the bytes that came by network."""


# ---------------------------------------------------------------- all of them


class Toolbox(Protocol):
    """The engines, made when first asked for: a run that needs none loads none. Thread-safe."""

    def jsonnet(self) -> Jsonnet:
        """The Jsonnet engine, with Helm inside."""

    def schemas(self) -> Schemas:
        """The Kubernetes schemas."""

    def cluster(self, environment: Environment) -> Cluster:
        """The cluster that the environment's target names; raises ClusterError, ControlPlaneError."""

    def repositories(self) -> ChartRepositories:
        """Where charts are fetched from."""

    def libraries(self) -> Libraries:
        """Where Jsonnet libraries are fetched from."""
