"""Evaluates this repository's Jsonnet the way tk looks things up, with the evaluator that tk itself links."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import _gojsonnet
import yaml

ROOT = Path(__file__).parents[3]

DECLARED: dict[str, Any] = yaml.safe_load((ROOT / "mop.yaml").read_text())

#: mop.yaml as MOP serves it while `local` is evaluated: no other environment in it.
PLATFORM: dict[str, Any] = {**DECLARED, "environments": {"local": DECLARED["environments"]["local"]}}


def _importer(platform: dict[str, Any]) -> Callable[[str, str], tuple[str, bytes]]:
    """Looks beside the importing file, then in lib/ and vendor/; serves `platform` for mop.yaml."""

    def load(directory: str, name: str) -> tuple[str, bytes]:
        for folder in (Path(directory), ROOT / "lib", ROOT / "vendor"):
            path = Path(folder / name).resolve()
            if path == ROOT / "mop.yaml":
                return str(path), json.dumps(platform).encode()
            if path.is_file():
                return str(path), path.read_bytes()
        raise RuntimeError(f"no such import: {name}")

    return load


def evaluate(snippet: str, platform: dict[str, Any] = PLATFORM) -> Any:
    """The value of `snippet`, which may import from lib/."""
    entry = str(ROOT / "environments/local/main.jsonnet")
    return json.loads(_gojsonnet.evaluate_snippet(entry, snippet, import_callback=_importer(platform)))


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The Kubernetes objects anywhere inside `value`."""
    if isinstance(value, dict) and "kind" in value and "apiVersion" in value:
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from objects(inner)


class Rendered:
    """The objects of an environment, by the questions that tests ask of them."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.components = value
        self.objects = list(objects(value))

    def kind(self, *kinds: str) -> dict[str, dict[str, Any]]:
        """Objects of `kinds` by name."""
        return {each["metadata"]["name"]: each for each in self.objects if each["kind"] in kinds}

    @property
    def workloads(self) -> dict[str, dict[str, Any]]:
        return self.kind("StatefulSet", "Deployment")

    def settings(self, config_map: str, key: str) -> str:
        """The text of a configuration file."""
        return self.kind("ConfigMap")[config_map]["data"][key]
