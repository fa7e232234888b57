"""Housekeeping in a platform of one's own: lint and fmt for its Jsonnet, ci, clean, doctor."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from mop.cache import Cache
from tests.cli.conftest import Mop

SCHEMA = Path(__file__).parents[2] / "docs/reference/schemas/doctor.json"
UNTIDY = "{web:(import 'web.libsonnet')}\n"
TIDY = "{ web: (import 'web.libsonnet') }\n"


def test_fmt_writes_what_lint_asks_for(platform: Path, mop: Mop) -> None:
    main = platform / "environments/dev/main.jsonnet"
    main.write_text(UNTIDY)
    asked = mop(platform, "lint")
    assert asked.code == 1
    assert "environments/dev/main.jsonnet: not formatted; `inv fmt` writes it" in asked.err
    assert main.read_text() == UNTIDY
    assert mop(platform, "fmt").code == 0
    assert main.read_text() == TIDY
    assert mop(platform, "lint").code == 0


def test_what_was_vendored_is_nobodys_to_format(platform: Path, mop: Mop) -> None:
    assert mop(platform, "fmt").code == 0
    for folder in ("vendor/library", "charts/web"):
        (platform / folder).mkdir(parents=True)
        (platform / folder / "main.libsonnet").write_text("{a:1}")
    assert mop(platform, "lint").code == 0


def test_lint_says_where_a_file_does_not_parse_and_goes_on(platform: Path, mop: Mop) -> None:
    (platform / "lib/broken.libsonnet").write_text("{\n  a: [1,\n}\n")
    (platform / "lib/latin.libsonnet").write_bytes(b"'\xe9'")
    (platform / "environments/dev/main.jsonnet").write_text(UNTIDY)
    lint = mop(platform, "lint")
    assert lint.code == 1
    assert "lib/broken.libsonnet:3:1" in lint.err
    assert "lib/latin.libsonnet: this is no UTF-8 text" in lint.err
    assert "environments/dev/main.jsonnet: not formatted" in lint.err


def test_of_several_commands_each_is_run_up_to_the_first_that_fails(platform: Path, mop: Mop) -> None:
    both = mop(platform, "render", "clean")
    assert both.code == 0
    assert "done in" in both.err
    assert "removed from" in both.err
    stopped = mop(platform, "ci", "--stage", "nothing", "clean")
    assert stopped.code == 1
    assert "removed from" not in stopped.err


def test_ci_stops_at_the_first_stage_that_fails(platform: Path, mop: Mop) -> None:
    (platform / "environments/dev/main.jsonnet").write_text(UNTIDY)
    stopped = mop(platform, "ci")
    assert stopped.code == 1
    assert [line for line in stopped.err.splitlines() if line.startswith("stage")] == ["stage lint"]
    mop(platform, "fmt")
    passed = mop(platform, "ci")
    assert passed.code == 0, passed.err
    stages = [line for line in passed.err.splitlines() if line.startswith("stage")]
    assert stages == [
        "stage lint",
        "stage render",
        "stage validate",
    ]  # MOP's own tests are not this platform's


def test_ci_runs_one_stage_by_name_and_knows_the_names(platform: Path, mop: Mop) -> None:
    assert mop(platform, "ci", "--stage", "render").code == 0
    unknown = mop(platform, "ci", "--stage", "deploy")
    assert unknown.code == 1
    assert "the stages are lint, render, validate, test" in unknown.err


def test_clean_removes_the_results_and_keeps_the_cluster(platform: Path, mop: Mop) -> None:
    assert mop(platform, "render").code == 0
    held = platform / ".mop/cluster/etcd/data"
    held.parent.mkdir(parents=True)
    held.write_text("what was applied")
    cleaned = mop(platform, "clean")
    assert cleaned.code == 0
    assert "rendered" in cleaned.err
    assert "kept .mop/cluster" in cleaned.err
    assert held.read_text() == "what was applied"
    assert not (platform / ".mop/rendered").exists()
    assert not (platform / ".mop/doit.db").exists()
    again = mop(platform, "render")
    assert "1 done" in again.err or "2 done" in again.err, again.err
    assert mop(platform, "clean").code == mop(platform, "clean").code == 0


def test_clean_cache_empties_ours_and_nothing_beside_it(platform: Path, tmp_path: Path, mop: Mop) -> None:
    caches = tmp_path / "cache"
    Cache(caches / "renders").put("0123456789abcdef", b"x" * 2**20)
    stranger = caches / "photographs/summer.jpg"
    program = caches / "controlplane/etcd"
    for path in (stranger, program):
        path.parent.mkdir(parents=True)
        path.write_text("kept")
    cleaned = mop(platform, "clean", "--cache")
    assert "freed 1.0 MiB of shared caches" in cleaned.err
    assert Cache(caches / "renders").size() == 0
    assert stranger.read_text() == program.read_text() == "kept"


def test_doctor_tells_programs_what_its_schema_says(platform: Path, mop: Mop) -> None:
    told = mop(platform, "doctor", "--json")
    assert told.code == 0, told.err
    document = json.loads(told.out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    found = {(each["area"], each["name"]): each for each in document["findings"]}
    assert found["engine", "jsonnet"]["detail"].endswith("(go-jsonnet)")
    assert found["platform", "mop.yaml"]["detail"] == "shop: dev"
    assert found["target", "dev"]["state"] == "absent"
    assert "stopped" in found["target", "dev"]["detail"]


def test_doctor_says_what_is_broken_and_ends_with_1(platform: Path, mop: Mop) -> None:
    (platform / "mop.yaml").write_text("version: 1\nplatfrom: shop\n")
    told = mop(platform, "doctor", environ={"MOP_HELM": "/nowhere/helm", "MOP_CACHE_SIZE": "plenty"})
    assert told.code == 1
    lines = {tuple(line.split()[:3]): line for line in told.out.splitlines()}
    assert "/nowhere/helm" in lines["✗", "engine", "helm"]
    assert "MOP_CACHE_SIZE is 'plenty'" in lines["✗", "cache", "size"]
    assert "platfrom" in lines["✗", "platform", "mop.yaml"]
    assert ("✓", "engine", "jsonnet") in lines


def test_doctor_works_where_there_is_no_platform(tmp_path: Path, mop: Mop) -> None:
    told = mop(tmp_path, "doctor")
    assert told.code == 1
    assert "mop init" in told.out


def test_a_tool_that_is_not_there_comes_with_its_remedy(platform: Path, mop: Mop) -> None:
    told = mop(platform, "doctor", environ={"PATH": ""})
    assert told.code == 0
    assert "- tool kubectl" in told.out
    assert "https://kubernetes.io/docs/tasks/tools" in told.out
