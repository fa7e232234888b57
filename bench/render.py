"""Rendering beside its peers, in one run: `tk export`, `helm template`, and `inv render`, as whole processes.

    python3 bench/render.py --tk PATH --helm PATH --charts FOLDER [--jsonnet FOLDER] [--runs 5] [--environments 50]

`--charts` holds grafana, loki, tempo-distributed (2.x) and mimir-distributed with their subcharts; without it the
chart of the tests stands for all four. `--jsonnet` is a Tanka environment of plain Jsonnet, `vendor/` included. What
tk and MOP render is compared object for object before anything is timed. A table in Markdown goes to standard output:
the median wall time, that of the processor (user and system, children included), the peak memory, and tk's wall time
as a multiple of MOP's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MOP = [str(ROOT / ".venv/bin/python"), "-P", "-c", "from mop.__main__ import main; main()"]
FORMAT = "{{env.metadata.labels.environment}}/{{.apiVersion}}.{{.kind}}-{{or .metadata.name .metadata.generateName}}"
COMPONENTS = ("grafana", "loki", "tempo", "mimir")


@dataclass(frozen=True)
class Sample:
    """One process: wall and processor seconds, peak memory in MiB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Tools:
    """The programs."""

    tk: str
    helm: str

    def environ(self, cache: Path) -> dict[str, str]:
        """No user's settings; tk finds helm, MOP its cache."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **kept,
            "HOME": str(cache),
            "TANKA_HELM_PATH": self.helm,
            "MOP_CACHE_DIR": str(cache),
            "NO_COLOR": "1",
        }


def run(command: Sequence[str], folder: Path, environ: dict[str, str]) -> Sample:
    """Run to the end; a failure ends the measurement with what was printed."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            sys.exit(
                f"{' '.join(command)}: exit {process.returncode}\n{output.read().decode(errors='replace')}"
            )
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


# ---------------------------------------------------------------- what is rendered


def stack(folder: Path, charts: Path | None, count: int) -> None:
    """A platform of `count` environments of four charts through Jsonnet; each differs in a value of one of them."""
    names = ["grafana", "loki", "tempo-distributed", "mimir-distributed"]
    for name, component in zip(names, COMPONENTS, strict=True):
        source = charts / name if charts else ROOT / "tests/projects/helm-component/charts/web"
        shutil.copytree(source, folder / "charts" / component, symlinks=True)
    shutil.copy(ROOT / "lib/helm.libsonnet", folder / "lib")
    values = VALUES if charts else dict.fromkeys(COMPONENTS, "{}")
    (folder / "lib/stack.libsonnet").write_text(
        "local helm = (import 'helm.libsonnet').new(std.thisFile);\n"
        "local shared = import 'shared.libsonnet';\n"
        "function(tune) {\n"
        + "".join(
            f"  {component}: shared.over(helm.template('{component}', '../charts/{component}', {{\n"
            f"    namespace: 'monitoring', kubeVersion: 'v1.34.0', values: {values[component]}"
            f"{' + tune' if component == 'grafana' else ''},\n  }})),\n"
            for component in COMPONENTS
        )
        + "}\n"
    )
    shared(folder, "one")
    for number in range(count):
        environment(folder, f"e{number:02}", f"(import 'stack.libsonnet')({{ replicas: {1 + number % 7} }})")


def shared(folder: Path, value: str) -> None:
    """The library that all environments import: it deep-merges over every chart, and gives charts no values."""
    text = """{
  over(objects):: objects + {
    [key]+: { metadata+: { labels+: { edition: 'VALUE' } } }
    for key in std.objectFields(objects)
  },
}
"""
    (folder / "lib/shared.libsonnet").write_text(text.replace("VALUE", value))


def environment(folder: Path, name: str, code: str) -> None:
    """One environment for MOP and for tk."""
    path = folder / "environments" / name
    path.mkdir(parents=True, exist_ok=True)
    (path / "main.jsonnet").write_text(code + "\n")
    metadata = {"name": name, "labels": {"environment": name}}
    spec = {"apiVersion": "tanka.dev/v1alpha1", "kind": "Environment", "metadata": metadata}
    (path / "spec.json").write_text(json.dumps({**spec, "spec": {"namespace": "monitoring"}}))


def platform(folder: Path, whole: bool) -> None:
    """mop.yaml over the environments of `folder`, and what makes it a Tanka project."""
    names = sorted(path.name for path in (folder / "environments").iterdir())
    each = "whole: true" if whole else f"components: [{', '.join(COMPONENTS)}], namespace: monitoring"
    lines = ["version: 1", "platform: bench", 'kubernetes: "1.34"']
    if not whole:
        lines += ["components:", *(f"  {component}: {{}}" for component in COMPONENTS)]
    lines += ["environments:", *(f"  {name}: {{target: embedded, {each}}}" for name in names)]
    (folder / "mop.yaml").write_text("\n".join(lines) + "\n")
    if not (folder / "jsonnetfile.json").exists():
        (folder / "jsonnetfile.json").write_text('{"version": 1, "dependencies": [], "legacyImports": true}')


# ---------------------------------------------------------------- comparing


def objects(folder: Path) -> dict[tuple[str, ...], Any]:
    """Every object below `folder` by environment and identity, read by Go's rules."""
    from mop import goyaml

    found = {}
    for path in folder.rglob("*.yaml"):
        (manifest,) = goyaml.load_all(path.read_text())
        if manifest.get("kind") == "IngressClass":
            # tk puts a namespace on this cluster-scoped kind: a deliberate difference.
            manifest["metadata"].pop("namespace", None)
        name = path.relative_to(folder).parts[0]
        metadata = manifest["metadata"]
        key = (
            name,
            manifest["apiVersion"],
            manifest["kind"],
            metadata.get("namespace", ""),
            metadata["name"],
        )
        found[key] = manifest
    return found


def equal(folder: Path, exported: Path) -> int:
    """The number of objects, which must be those of tk; else what differs ends the measurement."""
    ours, theirs = objects(folder / ".mop/rendered"), objects(exported)
    if ours != theirs:
        odd = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
        sys.exit(f"{len(odd)} objects differ, for example {odd[:3]}")
    return len(ours)


# ---------------------------------------------------------------- timing


class Bench:
    """One platform, measured case by case, tk and MOP in turns."""

    def __init__(self, name: str, folder: Path, tools: Tools, runs: int, *, whole: bool) -> None:
        self.name, self.folder, self.tools, self.runs = name, folder, tools, runs
        self.cache, self.exported = folder.parent / "cache", folder.parent / "exported"
        self.environ = tools.environ(self.cache)
        platform(folder, whole)

    def tk(self) -> Sample:
        """Everything, into an empty folder: tk keeps nothing."""
        shutil.rmtree(self.exported, ignore_errors=True)
        command = [
            self.tools.tk,
            "export",
            str(self.exported),
            "environments",
            "--recursive",
            "--format",
            FORMAT,
        ]
        return run(command, self.folder, self.environ)

    def mop(self, *arguments: str) -> Sample:
        """A render of every environment."""
        return run([*MOP, "render", "--env", "*", *arguments], self.folder, self.environ)

    def cold(self) -> None:
        """Nothing rendered, nothing cached."""
        shutil.rmtree(self.cache, ignore_errors=True)
        self.warm()

    def warm(self) -> None:
        """Nothing rendered; Helm's renders are cached."""
        shutil.rmtree(self.folder / ".mop", ignore_errors=True)

    def report(self, edits: dict[str, Callable[[int], None]]) -> Iterator[str]:
        """Rows of the table. `edits`: case → what changes before its run number N."""
        self.cold()
        self.mop()
        self.tk()
        count = equal(self.folder, self.exported)
        cases: dict[str, Callable[[int], None]] = {
            "cold": lambda _n: self.cold(),
            "warm cache, outputs gone": lambda _n: self.warm(),
            "nothing changed": lambda _n: None,
            **edits,
        }
        for case, prepare in cases.items():
            theirs, ours = [], []
            for number in range(self.runs):
                prepare(number)
                theirs.append(self.tk())
                ours.append(self.mop())
            yield row(f"{self.name}, {count} objects", case, theirs, ours)
        self.mop()
        self.tk()
        equal(self.folder, self.exported)


def row(name: str, case: str, theirs: list[Sample], ours: list[Sample]) -> str:
    """One line of the table."""

    def cell(samples: list[Sample]) -> str:
        wall, cpu = (statistics.median(getattr(s, field) for s in samples) for field in ("wall", "cpu"))
        return f"{wall:.2f} s | {cpu:.2f} s | {max(s.memory for s in samples):.0f} MiB"

    ratio = statistics.median(s.wall for s in theirs) / statistics.median(s.wall for s in ours)
    return f"| {name} | {case} | {cell(theirs)} | {cell(ours)} | {ratio:.1f} |"


def helm_rows(folder: Path, tools: Tools, runs: int) -> Iterator[str]:
    """`helm template` of the same charts and values, one after another, without Jsonnet: a row in all."""
    import _gojsonnet

    environ, samples = tools.environ(folder.parent / "cache"), []
    for component in COMPONENTS:
        values = folder / f"{component}.json"
        values.write_text(_gojsonnet.evaluate_snippet(component, VALUES[component]))
    for _ in range(runs):
        each = [
            run(
                [
                    tools.helm,
                    "template",
                    name,
                    f"charts/{name}",
                    "--include-crds",
                    "--values",
                    f"{name}.json",
                ],
                folder,
                environ,
            )
            for name in COMPONENTS
        ]
        samples.append(
            Sample(sum(s.wall for s in each), sum(s.cpu for s in each), max(s.memory for s in each))
        )
    wall, cpu, memory = (statistics.median(getattr(s, f) for s in samples) for f in ("wall", "cpu", "memory"))
    numbers = f"{wall:.2f} s | {cpu:.2f} s | {memory:.0f} MiB"
    yield f"| (a) `helm template`, four times | no Jsonnet, one stream | {numbers} | | | | |"


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tk", required=True)
    parser.add_argument("--helm", required=True)
    parser.add_argument("--charts", type=Path)
    parser.add_argument("--jsonnet", type=Path, help="a folder with jsonnetfile.json and environments/NAME")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--environments", type=int, default=50)
    asked = parser.parse_args()
    tools = Tools(str(Path(asked.tk).resolve()), str(Path(asked.helm).resolve()))
    print("| what | case | tk wall | cpu | memory | MOP wall | cpu | memory | tk / MOP |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="mop-bench-") as base:
        for line in rows(Path(base), asked, tools):
            print(line, flush=True)


def rows(base: Path, asked: argparse.Namespace, tools: Tools) -> Iterable[str]:
    """All lines."""
    for name, count, runs in (
        ("(a) the stack", 1, asked.runs),
        (f"(c) {asked.environments} environments", asked.environments, max(1, asked.runs // 3)),
    ):
        folder = base / name.replace(" ", "-") / "platform"
        (folder / "lib").mkdir(parents=True)
        stack(folder, asked.charts, count)
        bench = Bench(name, folder, tools, runs, whole=False)

        def value(number: int, folder: Path = folder) -> None:
            environment(folder, "e00", f"(import 'stack.libsonnet')({{ replicas: {20 + number} }})")

        def library(number: int, folder: Path = folder) -> None:
            shared(folder, f"edition {number}")

        yield from bench.report(
            {"one value of one component changed": value, "a library that all import changed": library}
        )
        if count == 1 and asked.charts:
            yield from helm_rows(folder, tools, asked.runs)
    if asked.jsonnet:
        folder = base / "jsonnet" / "platform"
        shutil.copytree(asked.jsonnet, folder, symlinks=True)
        yield from Bench("(b) plain Jsonnet", folder, tools, asked.runs, whole=True).report({})


VALUES = {
    "grafana": "{ adminPassword: 'example', persistence: { enabled: true }, testFramework: { enabled: false } }",
    "loki": """{
      deploymentMode: 'Distributed',
      loki: {
        useTestSchema: true, auth_enabled: false,
        storage: { type: 's3', bucketNames: { chunks: 'c', ruler: 'r', admin: 'a' }, s3: { endpoint: 's3' } },
      },
      backend: { replicas: 0 }, read: { replicas: 0 }, write: { replicas: 0 }, singleBinary: { replicas: 0 },
      ingester: { replicas: 3, zoneAwareReplication: { enabled: false } },
      querier: { replicas: 2, maxUnavailable: 1 }, queryFrontend: { replicas: 2, maxUnavailable: 1 },
      queryScheduler: { replicas: 2 }, distributor: { replicas: 2, maxUnavailable: 1 },
      compactor: { replicas: 1 }, indexGateway: { replicas: 2, maxUnavailable: 1 },
      ruler: { enabled: true, replicas: 1, maxUnavailable: 1 },
      test: { enabled: false }, minio: { enabled: false },
    }""",
    "tempo": """{
      storage: { trace: { backend: 's3', s3: { bucket: 't', endpoint: 's3' } } },
      traces: { otlp: { grpc: { enabled: true } } }, metricsGenerator: { enabled: true },
    }""",
    "mimir": "{ minio: { enabled: false } }",
}

if __name__ == "__main__":
    main()
