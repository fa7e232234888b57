"""kustomizeBuild: which program is asked, which folders are its inputs, what it may not reach."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mop.engines import kustomize
from mop.errors import EvaluationError, ToolError
from mop.files import Digests
from tests.unit.engines.jsonnet_project import MAIN, Project

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
CALL = "std.native('kustomizeBuild')('../../kustomize/app', { calledFrom: std.thisFile%s })"

#: Stands in for the program: prints the files that the kustomization's `resources` name, followed into folders.
PROGRAM = """#!/bin/sh
test "$1" = build || { echo "unknown command $1" >&2; exit 1; }
show() {
  sed -n 's/^- //p' "$1/kustomization.yaml" | while read -r name; do
    if [ -d "$1/$name" ]; then show "$1/$name"; else echo ---; cat "$1/$name" || exit 1; fi
  done
}
show "$2"
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kustomize-program"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    monkeypatch.setenv("MOP_KUSTOMIZE", str(path))
    return path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "platform")
    project.write({
        MAIN: f"{{ app: {CALL % ''} }}",
        "kustomize/app/kustomization.yaml": "resources:\n- a.yaml\n- ../base\n",
        "kustomize/app/a.yaml": CONFIG_MAP % "web-config",
        "kustomize/base/kustomization.yaml": "resources:\n- b.yaml\n",
        "kustomize/base/b.yaml": CONFIG_MAP % "base",
    })  # fmt: skip
    return project


def test_objects_are_keyed_as_tanka_keys_them(project: Project, program: Path) -> None:
    value = project.value()
    assert sorted(value["app"]) == ["config_map_base", "config_map_web_config"]
    assert value["app"]["config_map_base"]["metadata"] == {"name": "base"}


def test_every_folder_that_is_read_is_an_input_and_so_is_the_program(project: Project, program: Path) -> None:
    found = {it.path: it for it in project.evaluate("app").inputs}
    digests = Digests(project.root)
    for folder in ("kustomize/app", "kustomize/base"):
        assert (found[folder].kind, found[folder].digest) == ("tree", digests.tree(folder))
    assert found[str(program)].digest == digests.file(program)


def test_a_remote_resource_is_refused_before_anything_runs(project: Project, program: Path) -> None:
    project.write({"kustomize/base/kustomization.yaml": "resources:\n- github.com/someone/base?ref=v1\n"})
    with pytest.raises(
        EvaluationError, match=r"names 'github.com/someone/base\?ref=v1'.*no such file or folder"
    ) as caught:
        project.value()
    assert "vendor" in caught.value.hint


def test_a_folder_without_a_kustomization(project: Project, program: Path) -> None:
    (project.root / "kustomize/app/kustomization.yaml").unlink()
    with pytest.raises(EvaluationError, match=r"no kustomization in .*kustomize/app"):
        project.value()


def test_two_objects_with_one_name(project: Project, program: Path) -> None:
    project.write({"kustomize/base/b.yaml": CONFIG_MAP % "web-config"})
    with pytest.raises(Exception, match="two objects are named 'config_map_web_config'"):
        project.value()


def test_the_program_s_own_words(project: Project, program: Path) -> None:
    program.write_text("#!/bin/sh\necho 'Error: accumulating resources' >&2\nexit 1\n")
    with pytest.raises(
        EvaluationError, match=r"kustomizeBuild: Error: accumulating resources\n\tenvironments/dev"
    ):
        project.value()


def test_what_is_no_yaml(project: Project, program: Path) -> None:
    program.write_text("#!/bin/sh\necho 'a: b: c'\n")
    with pytest.raises(EvaluationError, match="kustomize printed what is no YAML: line 1"):
        project.value()


def test_a_tree_that_changes_all_the_time(project: Project, program: Path) -> None:
    program.write_text('#!/bin/sh\necho "# $$" >> "$2/a.yaml"\n')
    with pytest.raises(EvaluationError, match="changes while it is built"):
        project.value()


def test_calledfrom_is_needed(project: Project, program: Path) -> None:
    with pytest.raises(EvaluationError, match=r"kustomizeBuild: opts\.calledFrom is unset or empty"):
        project.value("std.native('kustomizeBuild')('x', {})")


class TestProgram:
    def test_one_that_is_named_and_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MOP_KUSTOMIZE", "/nowhere/kustomize")
        with pytest.raises(ToolError, match="MOP_KUSTOMIZE is /nowhere/kustomize"):
            kustomize.program()

    def test_none_at_all(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("MOP_KUSTOMIZE", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ToolError, match="needs `kustomize` or `kubectl`"):
            kustomize.program()

    @pytest.mark.parametrize(("present", "command"), [("kustomize", "build"), ("kubectl", "kustomize")])
    def test_the_one_that_is_there(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, present: str, command: str
    ) -> None:
        monkeypatch.delenv("MOP_KUSTOMIZE", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
        (tmp_path / present).write_text("")
        (tmp_path / present).chmod(0o755)
        assert kustomize.program() == [str(tmp_path / present), command]


@pytest.mark.peers
@pytest.mark.skipif(
    not (shutil.which("kustomize") or shutil.which("kubectl")), reason="no kustomize, no kubectl"
)
def test_the_real_program(project: Project) -> None:
    os.environ.pop("MOP_KUSTOMIZE", None)
    project.write({"kustomize/app/kustomization.yaml": "resources: [a.yaml, ../base]\nnamePrefix: my-\n"})
    assert sorted(project.value()["app"]) == ["config_map_my_base", "config_map_my_web_config"]
