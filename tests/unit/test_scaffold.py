"""What `mop init` writes, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mop import config, scaffold
from mop.config.environments import kubernetes_versions
from mop.errors import ConfigError
from mop.model import Target


def tanka(root: Path, path: str, spec: object) -> None:
    folder = root / path
    folder.mkdir(parents=True)
    (folder / "main.jsonnet").write_text("{}")
    (folder / "spec.json").write_text(spec if isinstance(spec, str) else json.dumps(spec))


def contents(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_an_empty_folder_becomes_a_platform(tmp_path: Path) -> None:
    folder = tmp_path / "My Shop"

    result = scaffold.init(folder)

    expected = {"mop.yaml", "tasks.py", "dodo.py", ".gitignore", "environments/local/main.jsonnet"}
    assert set(result.written) == set(contents(folder)) == expected
    assert (result.kept, result.notes) == ((), ())
    assert (folder / ".gitignore").read_text() == "/.mop/\n"
    platform = config.load(config.find(folder))
    assert platform.name == "my-shop"
    assert platform.environments["local"].target == Target("embedded")
    assert platform.environments["local"].kubernetes in kubernetes_versions()


def test_the_entry_points_are_those_of_this_repository() -> None:
    repository = Path(__file__).parent.parent.parent

    assert (repository / "tasks.py").read_text() == scaffold.TASKS
    assert (repository / "dodo.py").read_text() == scaffold.DODO


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    first = scaffold.init(tmp_path)
    before = contents(tmp_path)

    result = scaffold.init(tmp_path)

    assert contents(tmp_path) == before
    assert result.written == ()
    assert set(result.kept) | {"environments/local/main.jsonnet"} == set(first.written)
    assert result.notes == ()


def test_files_in_the_way_are_left_alone_and_named(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("print('mine')\n")
    (tmp_path / "dodo.py").mkdir()
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    (tmp_path / "mop.yaml").symlink_to("nowhere")

    result = scaffold.init(tmp_path)

    assert result.kept == ("mop.yaml", "tasks.py", "dodo.py", ".gitignore")
    assert result.written == ()
    assert (tmp_path / "tasks.py").read_text() == "print('mine')\n"
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n"
    assert [note.partition(":")[0] for note in result.notes] == [".gitignore", "tasks.py", "dodo.py"]


@pytest.mark.parametrize("line", ["/.mop/", ".mop", "/.mop", ".mop/"])
def test_an_entry_for_git_to_ignore_is_recognised(tmp_path: Path, line: str) -> None:
    (tmp_path / ".gitignore").write_text(f"*.pyc\n{line}\n")

    assert scaffold.init(tmp_path).notes == ()


def test_a_tanka_repository_is_taken_as_it_is(tmp_path: Path) -> None:
    tanka(tmp_path, "environments/default", {"spec": {"contextNames": ["minikube"], "namespace": "loki"}})
    tanka(tmp_path, "environments/eu/prod", {"spec": {"contextNames": ["prod-eu"], "injectLabels": True}})
    tanka(tmp_path, "environments/default/vendor/lib", {})
    (tmp_path / "environments" / "inline").mkdir()
    (tmp_path / "environments" / "inline" / "main.jsonnet").write_text("{}")
    before = contents(tmp_path)

    result = scaffold.init(tmp_path)

    assert {name: text for name, text in contents(tmp_path).items() if name in before} == before
    assert set(result.written) == {"mop.yaml", "tasks.py", "dodo.py", ".gitignore"}
    [note] = result.notes
    assert note.startswith("environments/inline has no spec.json")
    platform = config.load(tmp_path / "mop.yaml")
    assert list(platform.environments) == ["default", "eu-prod"]
    default, prod = platform.environments.values()
    assert (default.whole, default.namespace, default.target) == (True, "loki", Target("context", "minikube"))
    assert (prod.path, prod.namespace, prod.target) == (
        "environments/eu/prod",
        "default",
        Target("context", "prod-eu"),
    )


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"spec": {"apiServer": "https://10.0.0.1:6443"}}, "https://10.0.0.1:6443"),
        ({"spec": {"contextNames": ["a", "b"]}}, "one of a, b"),
        ({"spec": {}}, "does not say"),
        ({}, "does not say"),
    ],
)
def test_a_cluster_is_never_guessed(tmp_path: Path, spec: object, said: str) -> None:
    tanka(tmp_path, "environments/dev", spec)

    result = scaffold.init(tmp_path)

    [note] = result.notes
    assert "which cluster dev is" in note
    assert said in (tmp_path / "mop.yaml").read_text()
    target = config.load(tmp_path / "mop.yaml").environments["dev"].target
    assert target == Target("context", scaffold.FILL_IN)


def test_a_broken_spec_is_told_when_the_platform_is_loaded(tmp_path: Path) -> None:
    tanka(tmp_path, "environments/dev", "{")

    scaffold.init(tmp_path)

    with pytest.raises(ConfigError) as raised:
        config.load(tmp_path / "mop.yaml")
    assert [problem.file for problem in raised.value.problems] == ["environments/dev/spec.json"]


def test_a_platform_inside_a_platform_is_remarked_on(tmp_path: Path) -> None:
    scaffold.init(tmp_path)

    [note] = scaffold.init(tmp_path / "inner").notes

    assert str(tmp_path / "mop.yaml") in note


def test_a_folder_that_cannot_be_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="cannot be written"):
        scaffold.init(tmp_path / "file")


folder_names = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_names_make_a_platform_that_loads(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    ordinary = folder_names.filter(
        lambda name: name not in (".", "..", "vendor") and not name.startswith(".")
    )
    root = tmp_path_factory.mktemp("shop") / data.draw(ordinary)
    paths = data.draw(st.lists(ordinary, min_size=1, max_size=4, unique_by=str.casefold))
    contexts = data.draw(st.lists(st.text(max_size=10), max_size=2))
    for path in paths:
        tanka(
            root,
            f"environments/{path}",
            {"spec": {"contextNames": contexts, "apiServer": data.draw(st.text())}},
        )

    scaffold.init(root)

    environments = config.load(root / "mop.yaml").environments.values()
    assert {environment.path for environment in environments} == {f"environments/{path}" for path in paths}
