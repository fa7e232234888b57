"""Every environment that `tk` can render, rendered by MOP: the same objects, in the same order.

MOP_TK names the program (v0.37), MOP_PEERS a folder whose subfolders are checked-out repositories with what they
vendor in place; MOP_HELM is the helm that tk shall use. The deliberate differences that the documentation names
are the only ones allowed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mop import extract, goyaml
from mop.config import tanka
from mop.engines.helm_cache import CachedCharts
from mop.engines.helm_sdk import HelmSdk
from mop.engines.jsonnet import GoJsonnet
from mop.engines.protocols import Evaluation
from mop.engines.schema import PackagedSchemas
from mop.files import Digests
from mop.goyaml.numbers import as_json
from mop.manifest import Manifest, sort_key
from mop.model import TankaEnvironment

pytestmark = pytest.mark.peers

TK = os.environ.get("MOP_TK") or shutil.which("tk")
PEERS = os.environ.get("MOP_PEERS")
#: What helm takes for the cluster's version when nobody says; MOP has none of its own.
HELM_DEFAULT = "v1.36.0"
KUBERNETES = "1.34"


def entrypoints() -> Iterator[Path]:
    """Every main.jsonnet that is nobody's library."""
    for folder, below, files in os.walk(PEERS or os.devnull, followlinks=True):
        below[:] = sorted(name for name in below if name not in ("vendor", ".git", "node_modules"))
        if "main.jsonnet" in files:
            yield Path(folder) / "main.jsonnet"


def run_tk(*arguments: str) -> str:
    """What tk prints; the test is skipped where tk itself fails."""
    assert TK is not None
    environment = {**os.environ, "TANKA_HELM_PATH": os.environ.get("MOP_HELM") or "helm"}
    done = subprocess.run(
        [TK, *arguments], capture_output=True, text=True, env=environment, timeout=600, check=False
    )
    if done.returncode:
        pytest.skip(f"tk cannot render it: {' '.join(done.stderr.split())[-300:]}")
    return done.stdout


def tanka_root(entrypoint: Path) -> Path:
    """Tanka's project root, which stands for the folder of mop.yaml here."""
    for marker in ("tkrc.yaml", "jsonnetfile.json"):
        for folder in entrypoint.parents:
            if (folder / marker).exists():
                return folder
    raise AssertionError("tk found a root")


def mop_value(entrypoint: Path, name: str, cache: Path) -> tuple[Any, TankaEnvironment | None]:
    """What main.jsonnet gives for the environment called `name`, and the spec.json beside it."""
    root = tanka_root(entrypoint)
    digests = Digests(root)
    spec = tanka.read(root, str(entrypoint.parent.relative_to(root)))
    evaluation = Evaluation(
        root=root,
        entrypoint=entrypoint,
        components=None,
        namespace="default",
        kube_version=HELM_DEFAULT,
        environment=spec.document() if spec else {},
        name=name,
    )
    charts = CachedCharts(HelmSdk, digests, unstable_folder=cache)
    return json.loads(GoJsonnet(charts, digests).evaluate(evaluation).outputs[""]), spec


def mop_objects(entrypoint: Path, name: str, cache: Path) -> list[Manifest]:
    """The objects of the environment called `name`, by MOP's own pipeline."""
    value, spec = mop_value(entrypoint, name, cache)
    inline = extract.inline(value, str(entrypoint.relative_to(tanka_root(entrypoint))))
    if inline:
        value, spec = inline
    return processed(value, spec or TankaEnvironment(name=name, entrypoint=""))


def processed(value: Any, spec: TankaEnvironment) -> list[Manifest]:
    scopes = extract.Scopes(PackagedSchemas().namespaced(KUBERNETES), extract.crd_scopes(value))
    manifests = [extract.with_namespace(it, spec.namespace, scopes) for it in extract.extract(value)]
    return sorted((extract.with_tanka(it, spec) for it in manifests), key=sort_key)


def plain(value: Any) -> Any:
    """`value` with the numbers that JSON would have."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return as_json(float(value))
    if isinstance(value, list):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def by_identity(manifests: list[Manifest]) -> dict[str, Any]:
    """Objects by kind and name, those with the same one in a list."""
    found: dict[str, Any] = {}
    for manifest in manifests:
        metadata = manifest["metadata"]
        key = f"{manifest['apiVersion']} {manifest['kind']} {metadata['name']}"
        found.setdefault(key, []).append(plain(manifest))
    return {key: sorted(items, key=json.dumps) for key, items in found.items()}


def without_wrong_namespaces(theirs: list[Manifest], ours: list[Manifest]) -> None:
    """Takes away the namespace that tk puts on cluster-scoped kinds that its list of 23 does not name."""
    cluster_wide = {(it["apiVersion"], it["kind"]) for it in ours if "namespace" not in it["metadata"]}
    for manifest in theirs:
        if (manifest["apiVersion"], manifest["kind"]) in cluster_wide:
            manifest["metadata"].pop("namespace", None)


def drawn(once: dict[str, Any], again: dict[str, Any]) -> set[str]:
    """Objects that come out otherwise every time: a certificate or a password that the chart draws."""
    return {key for key, objects in once.items() if objects != again.get(key)}


def tk_objects(entrypoint: Path, name: str) -> list[Manifest]:
    """What tk shows of the environment called `name`, in its order."""
    shown = run_tk(
        "show", "--dangerous-allow-redirect", str(entrypoint.parent), *(["--name", name] if name else [])
    )
    return [manifest for manifest in goyaml.load_all(shown) if manifest]


def order(manifests: list[Manifest]) -> list[tuple[str, str | None, str]]:
    """What tk sorts by; it leaves ties in any order."""
    return [(it["kind"], it["metadata"].get("namespace"), it["metadata"]["name"]) for it in manifests]


@pytest.mark.skipif(not (TK and PEERS), reason="MOP_TK and MOP_PEERS name no tk and no repositories")
@pytest.mark.parametrize(
    "entrypoint", list(entrypoints()), ids=lambda path: str(path.parent.relative_to(PEERS or "/"))
)
def test_mop_renders_the_objects_that_tk_renders(entrypoint: Path, tmp_path: Path) -> None:
    names = [
        it["metadata"]["name"]
        for it in json.loads(run_tk("env", "list", "--json", str(entrypoint.parent))) or ()
    ]
    if not names:
        value = json.loads(run_tk("eval", str(entrypoint.parent)))
        assert plain(mop_value(entrypoint, "", tmp_path)[0]) == plain(value)
    for name in names:
        selected = name if len(names) > 1 else ""
        theirs, ours = tk_objects(entrypoint, selected), mop_objects(entrypoint, name, tmp_path)
        without_wrong_namespaces(theirs, ours)
        expected, found = by_identity(theirs), by_identity(ours)
        if found != expected:
            again = tk_objects(entrypoint, selected)
            without_wrong_namespaces(again, ours)
            for key in drawn(expected, by_identity(again)):
                del expected[key], found[key]
        assert found == expected
        assert order(ours) == order(theirs)
