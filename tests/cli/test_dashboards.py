"""Dashboards are files: a folder of JSON becomes ConfigMaps, rendered anew when the folder changes and only then."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Mop, write

LIB = Path(__file__).parents[2] / "lib"
TEAM = "lib/dashboards/team"
LIMIT = 1 << 20


@pytest.fixture
def dashboards(platform: Path) -> Path:
    """A platform whose one component is the folder `team` of dashboards."""
    shutil.copy(LIB / "dashboards.libsonnet", platform / "lib")
    write(
        platform,
        {
            "environments/dev/main.jsonnet": "{ web: (import 'dashboards.libsonnet')('team') }\n",
            "lib/web.libsonnet": "{}\n",
            f"{TEAM}/orders.json": dashboard("orders"),
            f"{TEAM}/stock.json": dashboard("stock"),
        },
    )
    return platform


def dashboard(uid: str, description: str = "") -> str:
    return json.dumps({"uid": uid, "title": uid, "panels": [], "description": description}, indent=2) + "\n"


def objects(mop: Mop, root: Path) -> dict[str, Any]:
    """The ConfigMaps by name."""
    shown = mop(root, "show", "--json")
    assert shown.code == 0, shown.err
    return {each["metadata"]["name"]: each for each in json.loads(shown.out)}


def test_each_file_is_a_config_map_that_grafana_s_sidecar_finds(dashboards: Path, mop: Mop) -> None:
    found = objects(mop, dashboards)
    assert found.keys() == {"team-orders", "team-stock"}
    assert found["team-orders"]["metadata"]["labels"] == {"grafana_dashboard": "1"}
    assert found["team-orders"]["data"] == {"team-orders.json": dashboard("orders")}


def test_names_that_kubernetes_refuses_become_others_that_stay(dashboards: Path, mop: Mop) -> None:
    names = (
        "Orders (EU).json",
        "Orders [EU].json",
        "a_b.json",
        "a-b.json",
        "платежи.json",
        "x" * 230 + ".json",
    )
    write(dashboards, {f"{TEAM}/{name}": dashboard(name[:40]) for name in names})
    found = objects(mop, dashboards)
    assert len(found) == 2 + len(names)
    assert all(len(name) <= 253 and name.replace("-", "a").isalnum() and name.isascii() for name in found)
    assert "team-a-b" in found
    (dashboards / f"{TEAM}/a-b.json").unlink()
    assert found.keys() - objects(mop, dashboards).keys() == {"team-a-b"}


def test_megabytes_of_dashboards_stay_below_the_limit_of_an_object(dashboards: Path, mop: Mop) -> None:
    names = [f"large-{number}" for number in range(4)]
    write(dashboards, {f"{TEAM}/{name}.json": dashboard(name, "x" * (LIMIT - 200)) for name in names})
    assert {f"team-{name}" for name in names} < objects(mop, dashboards).keys()
    write(dashboards, {f"{TEAM}/large-1.json": dashboard("large-1", "x" * LIMIT)})
    refused = mop(dashboards, "render")
    assert refused.code == 1
    assert f"{TEAM}/large-1.json: the dashboard is too large for a ConfigMap" in refused.err
    assert "jq -c" in refused.err


def test_a_broken_file_is_named_with_its_line_and_nothing_is_lost(dashboards: Path, mop: Mop) -> None:
    assert mop(dashboards, "render").code == 0
    rendered = dashboards / ".mop/rendered/dev/web/v1.ConfigMap-team-stock.yaml"
    before = rendered.read_bytes()
    write(dashboards, {f"{TEAM}/stock.json": '{\n  "title": "stock",\n  "panels": [}\n}\n'})
    broken = mop(dashboards, "render")
    assert broken.code == 1
    assert f"{TEAM}/stock.json:3:14: this is no JSON" in broken.err
    assert rendered.read_bytes() == before


def test_what_comes_goes_moves_or_changes_is_rendered_and_nothing_else(dashboards: Path, mop: Mop) -> None:
    def done() -> bool:
        result = mop(dashboards, "render")
        assert result.code == 0, result.err
        return "nothing to do" not in result.err

    folder = dashboards / TEAM
    assert done()
    assert not done()
    write(dashboards, {f"{TEAM}/README.md": "ours", "lib/dashboards/others/x.json": dashboard("x")})
    for path in folder.iterdir():
        os.utime(path)
    assert not done()
    write(dashboards, {f"{TEAM}/more.json": dashboard("more")})
    assert done()
    (folder / "more.json").rename(folder / "less.json")
    assert done()
    assert {"team-less"} == objects(mop, dashboards).keys() - {"team-orders", "team-stock"}
    write(dashboards, {f"{TEAM}/less.json": dashboard("less", "edited")})
    assert done()
    (folder / "less.json").unlink()
    assert done()
    assert not done()
    assert objects(mop, dashboards).keys() == {"team-orders", "team-stock"}


def test_affected_knows_a_dashboard_that_is_new(dashboards: Path, mop: Mop) -> None:
    def touched(*files: str) -> list[str]:
        result = mop(dashboards, "affected", "--json", "--files", ",".join(files))
        return [each["reason"] for each in json.loads(result.out)["components"]]

    assert touched(f"{TEAM}/new.json") == [f"{TEAM}/new.json"]
    assert touched(f"{TEAM}/stock.json") == [f"{TEAM}/stock.json"]
    assert touched(f"{TEAM}/README.md", f"{TEAM}/below/new.json", "lib/dashboards/others/new.json") == []


def test_the_index_for_plain_tk_is_written_by_fmt_and_held_by_lint(dashboards: Path, mop: Mop) -> None:
    index = dashboards / "lib/dashboards/index.libsonnet"
    missing = mop(dashboards, "lint")
    assert missing.code == 1
    assert "lib/dashboards/index.libsonnet: plain tk would read other dashboards" in missing.err
    assert mop(dashboards, "fmt").code == 0
    assert "'stock.json': importstr 'team/stock.json'" in index.read_text()
    assert mop(dashboards, "lint").code == 0
    (dashboards / TEAM / "stock.json").unlink()
    assert mop(dashboards, "lint").code == 1
    assert mop(dashboards, "fmt").code == 0
    assert "stock.json" not in index.read_text()


def test_an_index_of_one_s_own_and_a_library_of_one_s_own_are_left_alone(dashboards: Path, mop: Mop) -> None:
    index = dashboards / "lib/dashboards/index.libsonnet"
    index.write_text("{ mine: true }\n")
    assert mop(dashboards, "fmt").code == 0
    assert index.read_text() == "{ mine: true }\n"
    index.unlink()
    write(dashboards, {"lib/dashboards.libsonnet": "{}\n"})
    assert mop(dashboards, "lint").code == 0


def test_tk_is_not_needed_and_its_index_may_be_out_of_date(dashboards: Path, mop: Mop) -> None:
    assert mop(dashboards, "fmt").code == 0
    write(dashboards, {f"{TEAM}/new.json": dashboard("new")})
    assert "team-new" in objects(mop, dashboards)
