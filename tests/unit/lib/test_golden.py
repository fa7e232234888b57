"""The local environment object by object: a review sees what a change of the Jsonnet does to the cluster.

`UPDATE_GOLDEN=1` writes the files anew; the difference is then in the commit.
"""

from __future__ import annotations

import os

import pytest
import yaml

from mop.manifest import sort_key
from tests.unit.lib.rendering import ROOT, objects

GOLDEN = ROOT / "tests/golden/local"


class Readable(yaml.SafeDumper):
    """Shows a text of several lines as it is."""


def _string(dumper: yaml.SafeDumper, it: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", it, style="|" if "\n" in it else None)


Readable.add_representer(str, _string)


def text(value) -> str:
    """The objects in apply order; a dashboard stands as its file's name, being reviewed in that file."""
    documents = sorted(objects(value), key=sort_key)
    for each in documents:
        for file in [key for key in each.get("data", {}) if key.endswith(".json")]:
            each["data"][file] = f"lib/dashboards/platform/{file.removeprefix('grafana-')}"
    return yaml.dump_all(documents, Dumper=Readable, width=110, allow_unicode=True)


@pytest.mark.parametrize("component", ["logs", "metrics", "traces", "dashboards"])
def test_renders_what_was_reviewed(customised, component):
    rendered = text(customised("").components[component])
    file = GOLDEN / f"{component}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(rendered)
    assert rendered == file.read_text()
