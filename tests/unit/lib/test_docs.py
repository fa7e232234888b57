"""The Jsonnet that the documentation shows evaluates, and does what it is shown for."""

from __future__ import annotations

import re

import pytest

from tests.unit.lib.rendering import ROOT, Rendered, evaluate

PAGES = {
    "docs/tutorial/first-platform.md": {"loki": "720h", "tempo": "2Gi"},
    "docs/how-to/run-on-kind.md": {"logs-collector": "shop", "metrics-collector": "shop"},
}


@pytest.mark.parametrize("page", PAGES)
def test_the_jsonnet_of_a_page_works(page, local):
    (block,) = re.findall(r"```jsonnet\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    imports = "" if "import 'mop.libsonnet'" in block else "local mop = import 'mop.libsonnet';\n"
    changed = Rendered(evaluate(imports + block))
    rolled = {name for name in local.workloads if changed.workloads[name] != local.workloads[name]}
    assert rolled == PAGES[page].keys()
    for name, text in PAGES[page].items():
        assert text in str([each for each in changed.objects if each["metadata"]["name"] == name])


def test_the_how_to_says_what_the_environment_asks_for(local):
    containers = [each["spec"]["template"]["spec"]["containers"][0] for each in local.workloads.values()]
    requests = [each["resources"]["requests"] for each in containers]
    cpus = sum(int(each["cpu"].removesuffix("m")) for each in requests) / 1000
    memory = sum(int(each["memory"].removesuffix("Mi")) for each in requests) / 1024
    claims = [each["spec"]["volumeClaimTemplates"][0] for each in local.kind("StatefulSet").values()]
    sizes = [each["spec"]["resources"]["requests"]["storage"] for each in claims]
    volumes = sum(int(each.removesuffix("Gi")) for each in sizes)
    page = re.sub(r"\s+", " ", (ROOT / "docs/how-to/run-on-kind.md").read_text())
    assert f"{cpus:g} CPUs and {memory:g} GiB of memory, and for {volumes} GiB of volumes" in page
