"""An export holds exactly what is rendered, and leaves everything else alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop.errors import ManifestError
from mop.steps.export import INDEX, Outcome, export


@pytest.fixture
def rendered(tmp_path: Path) -> Path:
    folder = tmp_path / "rendered"
    fill(folder, a="a", b="b")
    return folder


def fill(folder: Path, **files: str) -> None:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)


def found(target: Path) -> dict[str, str]:
    return {
        path.relative_to(target).as_posix(): path.read_text()
        for path in target.rglob("*")
        if path.is_file() and path.name != INDEX
    }


def test_files_come_and_go_with_what_is_rendered(tmp_path: Path, rendered: Path) -> None:
    target = tmp_path / "gitops"
    assert export(target, {"dev/web": rendered}) == Outcome(written=2, removed=0, kept=0)
    assert found(target) == {"dev/web/a.yaml": "a", "dev/web/b.yaml": "b"}
    fill(rendered, b="b", c="c")
    assert export(target, {"dev/web": rendered}) == Outcome(written=1, removed=1, kept=1)
    assert found(target) == {"dev/web/b.yaml": "b", "dev/web/c.yaml": "c"}


def test_other_components_and_foreign_files_stay(tmp_path: Path, rendered: Path) -> None:
    target = tmp_path / "gitops"
    export(target, {"dev/web": rendered, "dev/api": rendered})
    (target / "README.md").write_text("mine")
    (target / "dev" / "web" / "kustomization.yaml").write_text("mine")
    fill(rendered, a="new")
    export(target, {"dev/web": rendered})
    assert found(target) == {
        "README.md": "mine",
        "dev/api/a.yaml": "a",
        "dev/api/b.yaml": "b",
        "dev/web/a.yaml": "new",
        "dev/web/kustomization.yaml": "mine",
    }


def test_a_foreign_file_in_the_way_stops_it_before_anything_changes(tmp_path: Path, rendered: Path) -> None:
    target = tmp_path / "gitops"
    (target / "dev" / "web").mkdir(parents=True)
    (target / "dev" / "web" / "b.yaml").write_text("mine")
    with pytest.raises(ManifestError, match=r"dev/web/b\.yaml"):
        export(target, {"dev/web": rendered})
    assert found(target) == {"dev/web/b.yaml": "mine"}


@pytest.mark.parametrize("index", ["", "[]", '{"files": 1}'])
def test_a_damaged_index_is_no_licence_to_delete(tmp_path: Path, rendered: Path, index: str) -> None:
    target = tmp_path / "gitops"
    export(target, {"dev/web": rendered})
    (target / INDEX).write_text(index)
    with pytest.raises(ManifestError, match="expected the index"):
        export(target, {"dev/web": rendered})
    assert found(target) == {"dev/web/a.yaml": "a", "dev/web/b.yaml": "b"}


def test_an_empty_component_leaves_no_folder(tmp_path: Path, rendered: Path) -> None:
    target = tmp_path / "gitops"
    export(target, {"dev/web": rendered})
    fill(rendered)
    export(target, {"dev/web": rendered})
    assert [path.name for path in target.iterdir()] == [INDEX]
