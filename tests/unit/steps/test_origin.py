"""A revision knows its charts, libraries and Jsonnet by digest; two environments share all but their own folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mop.files import Digests, Input
from mop.model import Component, Platform
from mop.outputs import Outputs
from mop.results import Origin
from mop.steps.origin import origins
from tests.unit.objects import environment

FILES = (
    Input("environments/staging/main.jsonnet", "file", "1"),
    Input("lib/web.libsonnet", "file", "2"),
    Input("lib/absent.libsonnet", "absent"),
    Input("charts/loki", "tree", "3"),
    Input("charts/tempo", "tree", "4"),
    Input("vendor/github.com/grafana/mixins/a/b.libsonnet", "file", "5"),
    Input("vendor/github.com/grafana/mixins/c.libsonnet", "file", "6"),
    Input("vendor/k.libsonnet", "file", "7"),
)


def found(root: Path, component: Component, *files: Input) -> Origin:
    outputs = Outputs(root, Digests(root, root / "digests.json"))
    outputs.write(outputs.evaluated("staging", "web"), "{}", "key", files)
    platform = Platform(root, "shop", {}, {}, {}, {"web": component}, {}, {})
    staging = replace(environment(), path="environments/staging")
    return origins(platform, staging, ["web"], outputs, Origin("0123abc", "Ada"))["web"]


def test_each_counts_as_what_people_know_it_by(tmp_path: Path) -> None:
    origin = found(tmp_path, Component("web", charts=("loki",)), *FILES)
    assert (origin.commit, origin.author) == ("0123abc", "Ada")
    assert set(origin.digests) == {
        "lib/web.libsonnet",
        "charts/loki",
        "vendor/github.com/grafana/mixins",
        "vendor/k.libsonnet",
    }


def test_a_library_changes_with_any_of_its_files(tmp_path: Path) -> None:
    before = found(tmp_path, Component("web"), *FILES).digests
    changed = [replace(it, digest="8") if it.path.endswith("c.libsonnet") else it for it in FILES]
    after = found(tmp_path, Component("web"), *changed).digests
    assert {name for name in before if before[name] != after[name]} == {"vendor/github.com/grafana/mixins"}
