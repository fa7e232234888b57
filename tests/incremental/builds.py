"""A small platform that uses everything an evaluation can depend on, and ways to build it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mop.runner.run import Run, open_workspace
from mop.selection import select

#: Files that an edit may write, and what: every text is valid alone, some miss what others give.
CONTENTS: Mapping[str, tuple[str, ...]] = {
    "lib/a.libsonnet": (
        "{ n: 1, web: (import 'k.libsonnet').map('web', '1') }",
        "{ n: 2, web: (import 'k.libsonnet').map('web', '2') }",
        "{ n: 1, web: (import 'k.libsonnet').map('web', '1') } // a comment changes no value",
        "{ n: 3, web: (import 'k.libsonnet').map('web', importstr 'note.txt') }",
        "error 'a is broken'",
    ),
    "environments/dev/a.libsonnet": ("{ n: 10, web: (import 'k.libsonnet').map('web', 'shadow') }",),
    "environments/dev/vendor/k.libsonnet": (
        "{ map(name, value):: { kind: 'ConfigMap', apiVersion: 'v1', "
        "metadata: { name: name }, data: { vendored: value } } }",
    ),
    "vendor/b.libsonnet": (
        "{ api: [(import 'k.libsonnet').map('api', 'b1')] }",
        "{ api: [(import 'k.libsonnet').map('api', 'b2'), (import 'k.libsonnet').map('more', 'b2')] }",
    ),
    "lib/b.libsonnet": ("{ api: { deep: { er: (import 'k.libsonnet').map('api', 'shadowing vendor') } } }",),
    "vendor/k.libsonnet": (
        "{ map(name, value):: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name }, data: { v: value } } }",
        "{ map(name, v):: { apiVersion: 'v1', kind: 'Secret', metadata: { name: name }, stringData: { v: v } } }",
    ),
    "lib/note.txt": ("one", "two"),
    "environments/dev/note.txt": ("nearer",),
    "lib/unused.libsonnet": ("{}", "syntax error"),
    "lib/dashboards/a.json": ('{"title": "a"}\n', '{"title": "b"}\n', '{"title": ,}\n'),
    "lib/dashboards/b.json": ('{"title": "b"}\n',),
    "lib/dashboards/README.md": ("No dashboard.\n",),
    "charts/c/values.yaml": ("size: 1\n", "size: 2\nsub: {on: true}\n", "size: 1\nsub: {on: false}\n"),
    "charts/c/templates/map.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-c}\ndata: {s: '{{ .Values.size }}'}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-c}\ndata: {n: '{{ .Values.n }}', "
        'f: {{ .Files.Get "file.txt" | quote }}, k: {{ .Capabilities.KubeVersion.Version }}}\n',
        '{{ fail "this template fails" }}\n',
    ),
    "charts/c/templates/extra.yaml": (
        '{{ include "c.map" . }}\n',
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\n",
    ),
    "charts/c/templates/_help.tpl": (
        '{{ define "c.map" }}apiVersion: v1\nkind: ConfigMap\nmetadata: {name: helped}\n{{ end }}',
    ),
    "charts/c/file.txt": ("f1", "f2"),
    "charts/c/.helmignore": ("file.txt\n", "*.md\n"),
    "charts/c/charts/sub/values.yaml": ("color: red\n", "color: blue\n"),
}

BASE: Mapping[str, str] = {
    **{
        name: texts[0]
        for name, texts in CONTENTS.items()
        if name
        in (
            "lib/a.libsonnet",
            "vendor/b.libsonnet",
            "vendor/k.libsonnet",
            "lib/note.txt",
            "lib/dashboards/a.json",
            "charts/c/values.yaml",
            "charts/c/templates/map.yaml",
            "charts/c/charts/sub/values.yaml",
        )
    },
    "environments/dev/main.jsonnet": """
local a = import 'a.libsonnet';
local platform = std.parseYaml(importstr '../../mop.yaml');
local chart = std.native('helmTemplate')('rel', '../../charts/c', {
  values: { n: a.n }, calledFrom: std.thisFile,
});
{ web: a.web, api: { b: (import 'b.libsonnet').api, dashboards: import 'dashboards.libsonnet' }, chart: chart } +
(if std.objectHas(platform.components, 'extra') then { extra: [] } else {})
""",
    "lib/dashboards.libsonnet": """
local text = std.native('mopDashboard');
{
  apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'dashboards' },
  data: {
    [name]: text('dashboards', name, std.thisFile)
    for name in std.native('mopDashboards')('dashboards', std.thisFile)
  },
}
""",
    "environments/other/main.jsonnet": "{ web: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'o' } } }",
    "charts/c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies: [{name: sub, version: 1.0.0, "
    "condition: sub.on}]\n",
    "charts/c/charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
    "charts/c/charts/sub/templates/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sub}\n"
    "data: {color: {{ .Values.color }}}\n",
}


@dataclass(frozen=True)
class Declaration:
    """What mop.yaml says, as far as edits change it."""

    kubernetes: str = "1.34"
    namespace: str = "shop"
    extra: bool = False
    other_order: str = "all-at-once"
    comment: str = ""

    def text(self) -> str:
        """mop.yaml."""
        extra = "\n  extra: {}" if self.extra else ""
        components = "[web, api, chart, extra]" if self.extra else "[web, api, chart]"
        return f"""{self.comment}
version: 1
platform: shop
kubernetes: "{self.kubernetes}"
components:
  web: {{}}
  api: {{needs: [web]}}
  chart: {{}}{extra}
environments:
  dev: {{target: embedded, namespace: {self.namespace}, components: {components}}}
  other: {{target: embedded, components: [web], order: {self.other_order}}}
"""


@dataclass
class Build:
    """How a build of `dev` and `other` ended: the error's text, or every file; which tasks ran; the inputs recorded."""

    error: str
    files: Mapping[str, bytes]
    ran: frozenset[str]
    inputs: Mapping[str, object] = field(default_factory=dict)


def build(root: Path, cache: Path, *, jobs: int = 1) -> Build:
    """Render and validate everything at `root`, with the shared cache at `cache`."""
    with environ(MOP_CACHE_DIR=str(cache)):
        workspace = open_workspace(root)
        run = Run(workspace)
        run.execute(run.specs(select(workspace.platform, "*"), ["evaluate", "render", "validate"]), jobs)
    errors = sorted(f"{name}: {error.message}" for name, error in run.errors.items())
    outputs = workspace.outputs
    inputs: dict[str, object] = {}
    for environment in workspace.platform.environments.values():
        for component in environment.components:
            record = outputs.record(outputs.evaluated(environment.name, component))
            inputs[f"{environment.name}/{component}"] = record and (record.key, record.inputs)
    ran = frozenset(name for name, result in run.ledger.results.items() if result.state in ("done", "failed"))
    return Build("\n".join(errors).replace(str(root), "ROOT"), read(root) if not errors else {}, ran, inputs)


def read(root: Path) -> dict[str, bytes]:
    """Everything that was rendered."""
    folders = (root / ".mop" / "rendered", root / ".mop" / "manifests")
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".record")
    }


def clean_copy(root: Path, target: Path) -> Path:
    """The platform's sources without `.mop`, as a clone would have them."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root, target, ignore=shutil.ignore_patterns(".mop"), symlinks=True)
    return target


@contextmanager
def environ(**values: str) -> Iterator[None]:
    """Environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
