"""The dashboards and data sources that Grafana is given."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.unit.lib.rendering import ROOT, evaluate

FILES = sorted((ROOT / "lib/dashboards/platform").glob("*.json"))

#: Grafana answers this one itself.
BUILT_IN = "-- Grafana --"


def sources(local):
    return yaml.safe_load(local.settings("grafana", "datasources.yaml"))["datasources"]


def source(local, uid):
    return next(each for each in sources(local) if each["uid"] == uid)


def references(value):
    """Every data source that `value` names, by uid."""
    if isinstance(value, dict):
        named = value.get("datasource")
        yield from [named["uid"]] if isinstance(named, dict) else []
        yield from [text for key, text in value.items() if key == "datasourceUid"]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from references(inner)


def test_data_sources_lead_to_each_other(local):
    uids = {each["uid"] for each in sources(local)}
    for each in sources(local):
        assert set(references(each)) <= uids, each["name"]
    loki, mimir, tempo = (source(local, uid) for uid in ("loki", "mimir", "tempo"))
    assert mimir["url"].endswith("/prometheus"), "Mimir answers Prometheus queries under this prefix"
    assert set(references(tempo)) == {"loki", "mimir"}
    assert set(references(loki)) == set(references(mimir)) == {"tempo"}


@pytest.mark.parametrize(
    "line",
    [
        "level=info ts=2026-01-01T00:00:00Z traceID=0af7651916cd43dd8448eb211c80319c msg=done",
        '{"level":"info","trace_id":"0af7651916cd43dd8448eb211c80319c"}',
        '{"traceId": "0af7651916cd43dd8448eb211c80319c"}',
        "logger=context traceID=0af7651916cd43dd8448eb211c80319c",
    ],
)
def test_a_log_line_with_a_trace_leads_to_it(local, line):
    field = source(local, "loki")["jsonData"]["derivedFields"][0]
    assert re.search(field["matcherRegex"], line).group(1) == "0af7651916cd43dd8448eb211c80319c"
    assert field["url"] == "$${__value.raw}", "a single $ would be taken for a variable of the environment"


def test_every_dashboard_file_is_provisioned_as_it_is(local):
    mounted = {
        source["configMap"]["name"]
        for volume in local.workloads["grafana"]["spec"]["template"]["spec"]["volumes"]
        for source in volume.get("projected", {}).get("sources", [])
    }
    given = {key: text for name in mounted for key, text in local.kind("ConfigMap")[name]["data"].items()}
    assert given == {f"grafana-{file.name}": file.read_text() for file in FILES}
    assert all(len(text.encode()) < 2**20 for text in given.values()), "a ConfigMap holds less than 1 MiB"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
class TestEachDashboard:
    def test_asks_only_data_sources_that_exist(self, local, file):
        known = {each["uid"] for each in sources(local)} | {BUILT_IN}
        assert set(references(json.loads(file.read_text()))) <= known

    def test_has_one_identity_and_says_what_each_panel_is_for(self, local, file):
        dashboard = json.loads(file.read_text())
        assert dashboard["uid"] == file.stem
        assert "id" not in dashboard, "Grafana numbers dashboards itself"
        panels = dashboard["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        assert all(panel["description"] for panel in panels if panel["type"] != "row")

    def test_has_no_panel_on_top_of_another(self, local, file):
        taken = set()
        for panel in json.loads(file.read_text())["panels"]:
            at = panel["gridPos"]
            columns = range(at["x"], at["x"] + at["w"])
            cells = {(x, y) for x in columns for y in range(at["y"], at["y"] + at["h"])}
            assert columns.stop <= 24
            assert not cells & taken, panel["title"]
            taken |= cells

    def test_uses_only_variables_that_it_declares(self, local, file):
        dashboard = json.loads(file.read_text())
        declared = {each["name"] for each in dashboard["templating"]["list"]}
        used = set(re.findall(r"\$([a-z]+)", json.dumps(dashboard["panels"])))
        assert used <= declared


def test_another_folder_is_mounted_beside_the_first(local, customised):
    more = "(import 'mop.libsonnet').dashboards('platform', name='shop')"
    changed = customised(f"dashboards+: {{ dashboards+: {more} }}")
    names = {f"shop-{file.stem}" for file in FILES}
    assert changed.kind("ConfigMap").keys() - local.kind("ConfigMap").keys() == names
    mounted = str(changed.workloads["grafana"]["spec"]["template"]["spec"]["volumes"])
    assert all(name in mounted for name in names)
    assert all(f"grafana-{file.stem}" in mounted for file in FILES)


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("shop", "shop-platform-health"),
        ("Shop", "shop-platform-health-[0-9a-f]{8}"),
        ("a_b.c", "a-b-c-platform-health-[0-9a-f]{8}"),
        ("-x-", "x--platform-health-[0-9a-f]{8}"),
        ("лавка", "platform-health-[0-9a-f]{8}"),
        ("x" * 300, "x{190}-[0-9a-f]{8}"),
    ],
)
def test_whatever_it_is_called_an_object_gets_a_name(name, called):
    made = evaluate(f"(import 'mop.libsonnet').dashboards('platform', name={json.dumps(name)})")
    (found,) = made
    assert re.fullmatch(called, found)
    assert made[found]["metadata"]["name"] == found
    assert made[found]["data"].keys() == {f"{found}.json"}
