"""Folders of dashboards: what Jsonnet gets, what is recorded, and what is said of a file that is no dashboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.engines.jsonnet_dashboards import HEADER, LIMIT, check, index
from mop.errors import EvaluationError
from mop.files import Digests, Input
from tests.unit.engines.jsonnet_project import Project

#: What lib/dashboards.libsonnet does with the natives, in a file of lib/ as it is one.
LIBRARY = """
local names = std.native('mopDashboards'), text = std.native('mopDashboard');
function(dir) { [name]: text(dir, name, std.thisFile) for name in names(dir, std.thisFile) }
"""
FOLDER = "lib/dashboards/team"
GOOD = '{"title": "Café \\u00e9", "panels": [],\n  "n": 1e3}\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write({"lib/files.libsonnet": LIBRARY, f"{FOLDER}/a.json": GOOD, f"{FOLDER}/b.json": "{}"})
    return project


def given_to_jsonnet(project: Project, folder: str = "dashboards/team") -> dict[str, str]:
    value: dict[str, str] = project.value(f"(import 'files.libsonnet')('{folder}')")
    return value


def failure(project: Project, folder: str = "dashboards/team") -> str:
    with pytest.raises(EvaluationError) as caught:
        given_to_jsonnet(project, folder)
    return caught.value.message


def recorded(project: Project) -> dict[str, str]:
    """The kind of each input below lib/dashboards."""
    evaluated = project.evaluate(whole=True)
    return {item.path: item.kind for item in evaluated.inputs if item.path.startswith("lib/dashboards")}


def test_texts_arrive_as_they_are(project: Project) -> None:
    assert given_to_jsonnet(project) == {"a.json": GOOD, "b.json": "{}"}


def test_only_visible_json_files_right_in_the_folder_count(project: Project) -> None:
    more = ("README.md", ".c.json", "deeper/d.json", "e.json.bak")
    project.write({f"{FOLDER}/{name}": "no JSON" for name in more})
    (project.root / FOLDER / "folder.json").mkdir()
    assert given_to_jsonnet(project).keys() == {"a.json", "b.json"}


def test_the_names_and_each_file_are_inputs_and_nothing_else_in_the_folder(project: Project) -> None:
    given_to_jsonnet(project)
    assert recorded(project) == {
        f"{FOLDER}/*.json": "names",
        f"{FOLDER}/a.json": "file",
        f"{FOLDER}/b.json": "file",
    }


def test_inputs_hold_until_a_dashboard_comes_goes_moves_or_changes(project: Project) -> None:
    given_to_jsonnet(project)
    inputs = project.evaluate(whole=True).inputs
    folder = project.root / FOLDER

    def holds() -> bool:
        return all(Digests(project.root).unchanged(item) for item in inputs)

    project.write({f"{FOLDER}/README.md": "about", "lib/dashboards/other/x.json": "{}"})
    assert holds()
    project.write({f"{FOLDER}/c.json": "{}"})
    assert not holds()
    (folder / "c.json").rename(folder / "README.md")
    assert holds()
    (folder / "b.json").rename(folder / "c.json")
    assert not holds()
    (folder / "c.json").rename(folder / "b.json")
    assert holds()
    project.write({f"{FOLDER}/b.json": "{ }"})
    assert not holds()


def test_every_broken_file_is_named_with_its_line(project: Project) -> None:
    project.write(
        {
            f"{FOLDER}/comma.json": '{\n  "title": "x",\n  "panels": [1,]\n}\n',
            f"{FOLDER}/latin.json": b'{\n"title": "\xe9"}',
            f"{FOLDER}/list.json": "[]",
            f"{FOLDER}/nan.json": '{"n": NaN}',
        }
    )
    message = failure(project)
    assert "4 of the 6 dashboards in lib/dashboards/team cannot be used" in message
    for said in (
        "lib/dashboards/team/comma.json:3:16: this is no JSON: ",
        "lib/dashboards/team/latin.json:2: this is no UTF-8 text",
        "lib/dashboards/team/list.json:1: a dashboard is a JSON object",
        "lib/dashboards/team/nan.json: this is no JSON: NaN",
    ):
        assert said in message
    assert "environments/dev/main.jsonnet:1" in message, "where it was asked for"


def test_a_file_is_checked_again_when_its_content_is_new(project: Project) -> None:
    given_to_jsonnet(project)
    project.write({f"{FOLDER}/b.json": "{"})
    assert "team/b.json:1:2" in failure(project)
    project.write({f"{FOLDER}/b.json": "{}"})
    assert given_to_jsonnet(project)["b.json"] == "{}"


def test_content_that_was_sound_is_not_checked_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mop.engines import jsonnet_dashboards

    checked: list[str] = []

    def counting(file: str, data: bytes) -> None:
        checked.append(file)

    monkeypatch.setattr(jsonnet_dashboards, "check", counting)
    given_to_jsonnet(project)
    project.write({f"{FOLDER}/c.json": GOOD, f"{FOLDER}/d.json": '{"d": 1}'})
    given_to_jsonnet(project)
    assert checked == [f"{FOLDER}/a.json", f"{FOLDER}/b.json", f"{FOLDER}/d.json"]


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"2\nabc\n", b"1"])
def test_a_damaged_memory_costs_time_only(project: Project, damage: bytes) -> None:
    given_to_jsonnet(project)
    (memory,) = (project.root / ".mop/dashboards").iterdir()
    memory.write_bytes(damage)
    project.write({f"{FOLDER}/b.json": "]"})
    assert "team/b.json:1:1" in failure(project)


def test_a_dashboard_fits_a_config_map_up_to_its_last_byte() -> None:
    frame = len('{"t": ""}')
    assert check("x.json", json.dumps({"t": "x" * (LIMIT - frame)}).encode()) is None
    problem = check("x.json", json.dumps({"t": "x" * (LIMIT - frame + 1)}).encode())
    assert problem is not None
    assert (problem.expected, problem.found) == ("at most 1048576 bytes", "1048577")


def test_json_that_is_too_deep_is_a_message() -> None:
    problem = check("x.json", b'{"a":' * 200_000)
    assert problem is not None
    assert problem.message.startswith("this is no JSON")


def test_a_folder_that_is_not_there_is_named_with_those_that_are(project: Project) -> None:
    message = failure(project, "dashboards/taem")
    assert "found no lib/dashboards/taem/*.json; beside it, dashboards are in: team" in message


def test_arguments_that_make_no_sense_are_messages(project: Project) -> None:
    with pytest.raises(EvaluationError, match=r"expected a folder and std\.thisFile, found 1"):
        project.value("std.native('mopDashboards')(1, std.thisFile)")
    with pytest.raises(EvaluationError, match=r"no dashboard 'z\.json' in \.\./\.\./lib"):
        project.value("std.native('mopDashboard')('../../lib/dashboards/team', 'z.json', std.thisFile)")


def test_the_index_names_every_folder_that_has_dashboards(project: Project) -> None:
    project.write({"lib/dashboards/it's/x y.json": "{}", "lib/dashboards/empty/README.md": ""})
    text = index(project.root / "lib/dashboards")
    assert text.startswith(HEADER)
    project.write({"lib/dashboards/index.libsonnet": text})
    value = project.value("import 'dashboards/index.libsonnet'")
    assert value == {"it's": {"x y.json": "{}"}, "team": {"a.json": GOOD, "b.json": "{}"}}


@given(st.sets(st.sampled_from(["a", "b", "b.json", "ab"])), st.sets(st.sampled_from(["a", "b", "ab"])))
def test_equal_listings_alone_are_equal_inputs(one: set[str], other: set[str]) -> None:
    same = Input.names("x/*.json", sorted(one)) == Input.names("x/*.json", sorted(other))
    assert same == (one == other)
