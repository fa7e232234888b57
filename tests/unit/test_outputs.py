"""Outputs and their records: a killed or damaged run leaves work to do, never a wrong result."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from mop.files import Digests, Input, sha256
from mop.outputs import Outputs


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    return Outputs(tmp_path, Digests(tmp_path))


def config_map(name: str, namespace: str = "shop", kind: str = "ConfigMap") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}}


def look_again(outputs: Outputs) -> Outputs:
    """The outputs as the next run sees them."""
    return Outputs(outputs.root, Digests(outputs.root))


def test_an_output_is_current_while_key_inputs_and_bytes_are_the_same(outputs: Outputs) -> None:
    source = outputs.root / "main.jsonnet"
    source.write_text("{}")
    output = outputs.evaluated("dev", "web")
    inputs = [Input("main.jsonnet", "file", sha256("{}")), Input("lib/main.jsonnet", "absent")]
    assert outputs.write(output, "[]", "key", inputs) is True
    assert look_again(outputs).current(output, "key")
    assert not look_again(outputs).current(output, "another key")
    source.write_text("{ }")
    assert not look_again(outputs).current(output, "key")
    source.write_text("{}")
    assert look_again(outputs).current(output, "key"), "reverted"
    (outputs.root / "lib").mkdir()
    (outputs.root / "lib" / "main.jsonnet").write_text("")
    assert not look_again(outputs).current(output, "key"), "shadowed"


@pytest.mark.parametrize("damage", ["[", "[]\n", ""])
def test_a_damaged_output_is_not_current(outputs: Outputs, damage: str) -> None:
    output = outputs.evaluated("dev", "web")
    outputs.write(output, "[]", "key")
    output.write_text(damage)
    assert not look_again(outputs).current(output, "key")


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"key": "key"}', "\x00"])
def test_a_damaged_record_is_none(outputs: Outputs, damage: str) -> None:
    output = outputs.evaluated("dev", "web")
    outputs.write(output, "[]", "key")
    output.with_name("web.json.record").write_text(damage)
    assert outputs.record(output) is None
    assert not outputs.current(output, "key")


def test_a_record_is_gone_while_its_output_changes(outputs: Outputs) -> None:
    output = outputs.evaluated("dev", "web")
    outputs.write(output, "[]", "key")
    outputs.forget(output)
    assert not outputs.current(output, "key")
    outputs.forget(output)


def test_equal_bytes_are_not_written_again(outputs: Outputs) -> None:
    output = outputs.evaluated("dev", "web")
    outputs.write(output, "[]", "key")
    inode = output.stat().st_ino
    assert outputs.write(output, "[]", "key 2") is False
    assert output.stat().st_ino == inode


def test_a_folder_holds_exactly_its_manifests(outputs: Outputs) -> None:
    folder = outputs.rendered("dev", "web")
    outputs.write_files(folder, [config_map("a"), config_map("b")], ["a\n", "b\n"])
    (folder / "stray").mkdir()
    files = outputs.write_files(folder, [config_map("b"), config_map("c")], ["b\n", "c\n"])
    assert sorted(path.name for path in folder.iterdir()) == ["v1.ConfigMap-b.yaml", "v1.ConfigMap-c.yaml"]
    assert files == {"v1.ConfigMap-b.yaml": sha256("b\n"), "v1.ConfigMap-c.yaml": sha256("c\n")}


def test_files_of_secrets_are_private(outputs: Outputs) -> None:
    folder = outputs.rendered("dev", "web")
    outputs.write_files(folder, [config_map("a"), config_map("a", kind="Secret")], ["a\n", "s\n"])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"v1.ConfigMap-a.yaml": 0o644, "v1.Secret-a.yaml": 0o600}
    assert stat.S_IMODE(outputs.folder.stat().st_mode) == 0o700


def test_results_of_what_is_no_longer_declared_are_removed(outputs: Outputs) -> None:
    for environment, component in [("dev", "web"), ("dev", "old"), ("gone", "web")]:
        outputs.write(outputs.evaluated(environment, component), "[]", "key")
        outputs.write_files(outputs.rendered(environment, component), [config_map("a")], ["a\n"])
    outputs.write(outputs.findings("dev", ""), "[]", "key")
    outputs.prune({"dev": ["web"]})
    left = {
        path.relative_to(outputs.folder).as_posix() for path in outputs.folder.rglob("*") if path.is_file()
    }
    assert left == {
        "evaluated/dev/web.json",
        "evaluated/dev/web.json.record",
        "rendered/dev/web/v1.ConfigMap-a.yaml",
        "validated/dev/@environment.json",
        "validated/dev/@environment.json.record",
    }
