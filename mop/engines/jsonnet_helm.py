"""`helmTemplate` and `kustomizeBuild` for Jsonnet, with Tanka's options (pkg/helm, pkg/kustomize)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mop.engines.jsonnet_imports import Record, clean
from mop.engines.protocols import Charts, Evaluation, HelmObject, HelmRequest
from mop.errors import ChartError, EvaluationError
from mop.files import Digests

_ATTEMPTS = 3
_KINDS: dict[str, tuple[type, str]] = {
    "values": (dict, "an object"),
    "apiversions": (list, "an array of strings"),
    "includecrds": (bool, "a boolean"),
    "skiptests": (bool, "a boolean"),
    "nohooks": (bool, "a boolean"),
    "kubeversion": (str, "a string"),
    "namespace": (str, "a string"),
    "calledfrom": (str, "a string"),
    "nameformat": (str, "a string"),
}


@dataclass
class Rendering:
    """The charts that one evaluation rendered, and how often."""

    evaluation: Evaluation
    charts: Charts
    digests: Digests
    record: Record
    renders: int = 0
    hits: int = 0
    random: list[str] = field(default_factory=list)
    unused: list[tuple[str, str, str]] = field(default_factory=list)

    def helm_template(self, name: object, chart: object, opts: object) -> str:
        """Manifest name → object as JSON text; raises ChartError, and EvaluationError for wrong arguments."""
        release, relative = _string("helmTemplate: name", name), _string("helmTemplate: chart", chart)
        options = read_options("helmTemplate", opts)
        path = located(options, relative, self.evaluation.root)
        if not os.path.lexists(path):
            raise ChartError(
                f"helmTemplate: there is no chart at {self.record.relative(path)}"
                f" (chart {relative!r}, called from {self.record.relative(options['calledfrom'])})",
                hint="run `inv vendor`, or correct the path: it is relative to the file that calls",
            )
        render = self.charts.render(
            self._request(Path(path), release, options), options.get("nameformat") or None
        )
        self.record.tree(path, render.digest)
        self.renders += 1
        self.hits += render.hit
        self.random += [it for it in render.random if it not in self.random]
        unused = [(Path(path).name, value, near) for value, near in render.unused]
        self.unused += [it for it in unused if it not in self.unused]
        return render.text

    def kustomize_build(self, path: object, opts: object) -> str:
        """Manifest name → object as JSON text; raises ToolError, and EvaluationError for what kustomize refuses."""
        from mop.engines import kustomize
        from mop.engines.helm_names import by_name

        options = read_options("kustomizeBuild", opts)
        folder = located(options, _string("kustomizeBuild: path", path), self.evaluation.root)
        digest = self.digests.file
        self.record.known(program := kustomize.program()[0], digest(program) or "")
        manifests = self._unchanging(folder)
        objects = [HelmObject(self.record.relative(folder), manifest) for manifest in manifests]
        named = by_name(_Names(self.charts), objects, options.get("nameformat") or None)
        return json.dumps(named, separators=(",", ":"))

    def _unchanging(self, folder: str) -> list[dict[str, Any]]:
        """What kustomize builds from `folder`, from files that were the same before and after."""
        from mop.engines import kustomize

        for _ in range(_ATTEMPTS):
            roots = kustomize.roots(folder)
            before = [self.digests.tree(root) for root in roots]
            manifests = kustomize.build(folder)
            for root in roots:
                self.digests.fresh(root)
            if before == [self.digests.tree(root) for root in roots]:
                for root, digest in zip(roots, before, strict=True):
                    self.record.tree(root, digest or "")
                return manifests
        raise EvaluationError(f"kustomizeBuild: {folder} changes while it is built ({_ATTEMPTS} attempts)")

    def _request(self, path: Path, release: str, options: Mapping[str, Any]) -> HelmRequest:
        # Tanka leaves both to Helm, which asks the user's kubeconfig; renders must not depend on the machine.
        return HelmRequest(
            chart=path,
            release=release,
            namespace=options.get("namespace") or self.evaluation.namespace,
            values=options.get("values", {}),
            kube_version=options.get("kubeversion") or self.evaluation.kube_version,
            api_versions=tuple(options.get("apiversions", ())),
            include_crds=options.get("includecrds", True),
            skip_tests=options.get("skiptests", False),
            no_hooks=options.get("nohooks", False),
        )


@dataclass
class _Names:
    """As much of the Helm protocol as naming objects by a `nameFormat` takes, by way of `Charts`."""

    charts: Charts

    @property
    def version(self) -> str:
        return self.charts.version

    def template(self, request: HelmRequest) -> tuple[HelmObject, ...]:
        # Any format that is the same for every object does: the chart that is asked makes one.
        text = self.charts.render(request, "{{ .kind }}").text
        return tuple(HelmObject(name, manifest) for name, manifest in json.loads(text).items())


def read_options(native: str, opts: object) -> dict[str, Any]:
    """`opts` by lower-case name: names in any case, null as not given, others ignored (Go: encoding/json)."""
    if not isinstance(opts, dict):
        raise EvaluationError(f"{native}: opts must be an object, found {opts!r}")
    options: dict[str, Any] = {}
    for key in sorted(opts):
        name, value = key.lower(), opts[key]
        if name not in _KINDS or value is None:
            continue
        kind, expected = _KINDS[name]
        strings = name != "apiversions" or (
            isinstance(value, list) and all(isinstance(v, str) for v in value)
        )
        if not (isinstance(value, kind) and strings):
            raise EvaluationError(f"{native}: opts.{key} must be {expected}, found {value!r}")
        options[name] = value
    if not options.get("calledfrom"):
        raise EvaluationError(
            f"{native}: opts.calledFrom is unset or empty; paths are relative to the file that it names:"
            " calledFrom: std.thisFile"
        )
    return options


def located(options: Mapping[str, Any], relative: str, root: Path) -> str:
    """The path of `relative`, seen from the folder of the calling file."""
    caller = os.path.dirname(os.path.join(root, options["calledfrom"]))  # noqa: PTH118, PTH120
    return clean(f"{caller}/{relative}")


def _string(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise EvaluationError(f"{name} must be a string, found {value!r}")
    return value
