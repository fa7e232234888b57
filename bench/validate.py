"""What validation costs: the stack, and the stack many times over, beside kubeconform.

    python bench/validate.py --copies 82 --kubeconform ~/go/bin/kubeconform OBJECTS.json …

Each file holds a JSON list of rendered objects, as `.mop/manifests/<env>/<component>.json` does, and is a component
of a platform that is made for the measurement, with `--copies` environments. Measured are, in this process, the
schema work on one environment (first and again) and all checks on it; then whole processes: `inv validate --env '*'`
of everything with the render up to date, and `kubeconform -strict` over the same objects with the same schemas as
files. Wall seconds, and CPU seconds of the process and its children.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mop.cache import Cache
from mop.checks import CHECKS, policy
from mop.checks.objects import Objects
from mop.engines import schema_definitions
from mop.engines.schema import PackagedSchemas
from mop.model import Environment, Target

KUBERNETES = "1.34"
NAMESPACE = "monitoring"


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("objects", nargs="+", type=Path)
    options.add_argument("--copies", type=int, default=82)
    options.add_argument("--kubeconform", type=Path)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--distinct", action="store_true", help="each environment in a namespace of its own")
    chosen = options.parse_args()
    components = {path.stem: placed(json.loads(path.read_text())) for path in chosen.objects}
    count = sum(map(len, components.values()))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {count} objects, {chosen.copies} copies")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        inside(components, root / "cache")
        outside(components, root, chosen.copies, chosen)


def placed(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`objects` in a namespace, where they live in one."""
    scopes = PackagedSchemas().namespaced(KUBERNETES)
    for manifest in objects:
        if scopes.get((manifest["apiVersion"], manifest["kind"]), True):
            manifest["metadata"].setdefault("namespace", NAMESPACE)
    return objects


def inside(components: dict[str, list[dict[str, Any]]], cache: Path) -> None:
    """Schema work and checks on one environment, in this process."""
    environment = Environment("bench", NAMESPACE, KUBERNETES, Target("embedded"), tuple(components), ".")
    crds = [m for members in components.values() for m in members if m["kind"] == "CustomResourceDefinition"]
    PackagedSchemas(cache).validate(KUBERNETES, [])  # prepares the definitions, as any earlier run did
    schemas = PackagedSchemas(cache)

    def schema() -> None:
        for members in components.values():
            schemas.validate(KUBERNETES, members, crds)

    def checks() -> None:
        levels = policy.levels(environment)
        together = Objects(environment, components)
        apart = [Objects(environment, {name: members}) for name, members in components.items()]
        for check in CHECKS:
            for objects in [together] if check.across else apart:
                if levels[check.name] != "off":
                    list(check.run(objects))

    for name, action in (
        ("schemas, first", schema),
        ("schemas, again", schema),
        ("checks, first", checks),
        ("checks, again", checks),
    ):
        row(name, *timed(action))


def outside(
    components: dict[str, list[dict[str, Any]]], root: Path, copies: int, chosen: argparse.Namespace
) -> None:
    """Whole processes over all copies."""
    kubeconform, runs = chosen.kubeconform, chosen.runs
    platform = write_platform(components, root / "platform", copies, distinct=chosen.distinct)
    inv = [sys.executable, "-P", "-c", "from mop.__main__ import inv; inv()"]
    environ = {**os.environ, "MOP_CACHE_DIR": str(root / "cache"), "CI": "true"}

    def validate() -> None:
        subprocess.run(
            [*inv, "validate", "--env", "*"], cwd=platform, env=environ, check=False, capture_output=True
        )

    subprocess.run([*inv, "render", "--env", "*"], cwd=platform, env=environ, check=True, capture_output=True)
    for run in range(runs):
        shutil.rmtree(platform / ".mop" / "validated", ignore_errors=True)
        row(f"inv validate, run {run + 1}", *timed(validate))
    row("inv validate, nothing to do", *timed(validate))
    if kubeconform is not None:
        schemas = write_schemas(root / "schemas", root / "cache")
        location = str(schemas / "{{.ResourceKind}}{{.KindSuffix}}.json")
        rendered = str(platform / ".mop" / "rendered")
        command = [
            str(kubeconform),
            "-strict",
            "-ignore-missing-schemas",
            "-schema-location",
            location,
            rendered,
        ]
        for run in range(runs):
            row(
                f"kubeconform, run {run + 1}",
                *timed(lambda: subprocess.run(command, check=False, capture_output=True)),
            )


def write_platform(
    components: dict[str, list[dict[str, Any]]], root: Path, copies: int, *, distinct: bool = False
) -> Path:
    """A platform whose environments each render all components; `distinct`: for a namespace of their own."""
    names = [f"env{number:03d}" for number in range(copies)]
    fields = ",\n".join(f"  '{name}': import '{name}.json'" for name in components)
    for name in names:
        folder = root / "environments" / name
        folder.mkdir(parents=True)
        (folder / "main.jsonnet").write_text("{\n" + fields + "\n}\n")
        for component, members in components.items():
            text = json.dumps(members)
            (folder / f"{component}.json").write_text(text.replace(NAMESPACE, name) if distinct else text)
    environments = {
        name: {
            "target": "embedded",
            "namespace": name if distinct else NAMESPACE,
            "validate": {"unknown-kinds": "allow"},
        }
        for name in names
    }
    document = {
        "version": 1,
        "platform": "bench",
        "kubernetes": KUBERNETES,
        "components": {name: {} for name in components},
        "environments": environments,
    }
    (root / "mop.yaml").write_text(json.dumps(document, indent=1))
    (root / "tasks.py").write_text("from mop.commands import *\n")
    return root


def write_schemas(folder: Path, cache: Path) -> Path:
    """The same schemas as one file a kind, named as kubeconform asks for them."""
    folder.mkdir()
    definitions = schema_definitions.load(KUBERNETES, Cache(cache))
    for kind, name in definitions.kinds.items():
        api_version, _, kind_name = kind.partition(" ")
        group, _, version = api_version.rpartition("/")
        suffix = f"-{group.partition('.')[0]}-{version}" if group else f"-{version}"
        text = f'{{"$ref":"#/$defs/{name}","$defs":{definitions.bundle([name])}}}'
        (folder / f"{kind_name.lower()}{suffix}.json").write_text(text)
    return folder


def timed(action: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU seconds of `action`, its child processes included."""
    before, started = os.times(), time.perf_counter()
    action()
    wall, after = time.perf_counter() - started, os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    return wall, cpu


def row(name: str, wall: float, cpu: float) -> None:
    """One line of the table."""
    print(f"{name:<32}{wall:>9.3f} s wall{cpu:>9.3f} s CPU")


if __name__ == "__main__":
    main()
