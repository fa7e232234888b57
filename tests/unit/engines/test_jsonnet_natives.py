"""Tanka's native functions as Jsonnet calls them, held to what Go's libraries say."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mop.engines.jsonnet_natives import reindent
from mop.errors import ChartError, EvaluationError, MopError
from tests.unit.engines.jsonnet_project import MAIN, Project
from tests.unit.goyaml.conftest import go  # noqa: F401 - a fixture
from tests.unit.goyaml.judge import Judge
from tests.unit.goyaml.texts import values


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def call(project: Project, name: str, *arguments: object) -> Any:
    """What `std.native(name)` gives for `arguments`."""
    return project.value(f"std.native('{name}')({', '.join(json.dumps(it) for it in arguments)})")


def failure(project: Project, name: str, *arguments: object) -> str:
    """The first line of the error."""
    with pytest.raises(MopError) as caught:
        call(project, name, *arguments)
    return caught.value.message.splitlines()[0]


class TestCalling:
    def test_a_native_is_a_function_like_any_other(self, project: Project) -> None:
        code = "local n = std.native('sha256'); [std.isFunction(n), std.length(n), n(str='x') == n('x')]"
        assert project.value(code) == [True, 1, True]

    def test_an_unknown_native_is_null_as_in_tk(self, project: Project) -> None:
        assert project.value("[std.native('nope'), std.native(x='nope')]") == [None, None]

    def test_std_is_otherwise_what_it_was(self, project: Project) -> None:
        code = "[std.native('sha256') != null, std.thisFile, std.objectFields(std), std.length('abc')]"
        assert project.value(code) == [True, str(project.root / MAIN), [], 3]

    def test_a_library_may_hand_natives_on(self, project: Project) -> None:
        project.write({"lib/tk.libsonnet": "{ native:: std.native, sha:: std.native('sha256'), std:: std }"})
        code = "local t = import 'tk.libsonnet'; [t.native('sha256')('x'), t.sha('x'), t.std.native('sha256')('x')]"
        digest = hashlib.sha256(b"x").hexdigest()
        assert project.value(code) == [digest] * 3

    def test_a_file_with_natives_can_also_be_read_as_text(self, project: Project) -> None:
        code = "std.native('sha256')('x')"
        project.write({"lib/n.libsonnet": code})
        text, value, data = project.value(
            "[importstr 'n.libsonnet', import 'n.libsonnet', importbin 'n.libsonnet']"
        )
        assert text == code
        assert value == hashlib.sha256(b"x").hexdigest()
        assert bytes(data) == code.encode()

    def test_a_file_of_any_name_may_hold_code(self, project: Project) -> None:
        project.write({"lib/n.json": "{ sum: std.native('sha256')('x') }"})
        assert project.value("(import 'n.json').sum") == hashlib.sha256(b"x").hexdigest()

    @pytest.mark.parametrize("text", ["", "a\0b", "🙂", "\ud7ff\uffff", "x" * 100_000])
    def test_texts_pass_whole(self, project: Project, text: str) -> None:
        assert call(project, "sha256", text) == hashlib.sha256(text.encode()).hexdigest()

    def test_wrong_arguments_are_named(self, project: Project) -> None:
        assert failure(project, "sha256", 3) == "RUNTIME ERROR: sha256: str must be a string, found number"
        assert failure(project, "regexMatch", "a", [1]).endswith(
            "regexMatch: string must be a string, found array"
        )
        assert failure(project, "manifestJsonFromJson", "{}", -1).endswith(
            "indent must be a number that is not negative, found number"
        )
        assert "Missing argument: str" in failure(project, "sha256")


class TestParsing:
    @settings(max_examples=40, deadline=None)
    @given(values)
    def test_json(self, tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
        project = Project(tmp_path_factory.mktemp("project"))
        project.write({"lib/v.json": json.dumps(value)})
        assert floats(project.value("std.native('parseJson')(importstr 'v.json')")) == floats(value)

    def test_numbers_are_float64(self, project: Project) -> None:
        assert float(call(project, "parseJson", "18446744073709551615")) == 18446744073709551616.0

    def test_json_that_is_none(self, project: Project) -> None:
        assert "invalid character" in failure(project, "parseJson", "{a: 1}")

    def test_yaml_is_a_list_of_documents(self, project: Project) -> None:
        assert call(project, "parseYaml", "a: yes\n---\n---\n- 0777\n- 2001-01-01\n- 1e3\n- 12:30\n") == [
            {"a": "yes"},
            None,
            [511, "2001-01-01T00:00:00Z", 1000, "12:30"],
        ]
        assert call(project, "parseYaml", "") == call(project, "parseYaml", "# nothing\n") == []

    def test_yaml_that_is_none(self, project: Project) -> None:
        assert failure(project, "parseYaml", "a: 1\na: 2") == (
            "RUNTIME ERROR: parseYaml: parsing yaml: line 2: mapping key 'a' already defined at line 1"
        )
        assert "line 1: the key '1' is not a string" in failure(project, "parseYaml", "1: x")


class TestManifesting:
    @settings(max_examples=300, deadline=None)
    @given(values, st.integers(0, 4))
    def test_json_is_only_laid_out_anew(self, go: Judge, value: Any, indent: int) -> None:  # noqa: F811
        for text in (json.dumps(value), json.dumps(value, indent=3, ensure_ascii=False)):
            assert reindent(text, indent) + "\n" == go.ask("indent", text, " " * indent)

    def test_json_keeps_order_digits_and_escapes(self, project: Project) -> None:
        assert call(
            project, "manifestJsonFromJson", ' {"b": 1.50, "a": "\\u00e9", "c": [], "d": {}} ', 2
        ) == ('{\n  "b": 1.50,\n  "a": "\\u00e9",\n  "c": [],\n  "d": {}\n}\n')

    def test_yaml_is_that_of_yaml_v3(self, project: Project) -> None:
        text = json.dumps({"b10": 1000000, "b9": ["yes", "\ud800"], "a": {}})
        assert (
            call(project, "manifestYamlFromJson", text)
            == 'a: {}\nb9:\n    - "yes"\n    - \ufffd\nb10: 1e+06\n'
        )

    @pytest.mark.parametrize("name", ["manifestJsonFromJson", "manifestYamlFromJson"])
    @pytest.mark.parametrize("text", ["", "{", "NaN", "[1,]", "{'a': 1}", "1 2"])
    def test_what_is_no_json_is_refused(self, project: Project, name: str, text: str) -> None:
        arguments = [text, 2] if name == "manifestJsonFromJson" else [text]
        assert f"{name}: not JSON" in failure(project, name, *arguments)


class TestRegularExpressions:
    def test_they_are_go_s(self, project: Project) -> None:
        assert call(project, "regexMatch", "b+", "abc") is True
        assert call(project, "regexMatch", "^b", "abc") is False
        assert call(project, "regexSubst", "(a)(x*)", "baac", "<$1$2x>") == "b<a><a>c"
        assert call(project, "escapeStringRegex", "a.b*c") == r"a\.b\*c"

    def test_one_that_is_none(self, project: Project) -> None:
        assert "regexSubst: error parsing regexp: missing" in failure(project, "regexSubst", "(", "x", "y")


class TestHelmTemplate:
    OPTIONS = "{ calledFrom: std.thisFile }"

    def render(self, project: Project, options: str, chart: str = "../../charts/web") -> Any:
        (project.root / "charts/web").mkdir(parents=True, exist_ok=True)
        return project.value(f"std.native('helmTemplate')('web', '{chart}', {options})")

    def test_the_environment_gives_namespace_and_version(self, project: Project) -> None:
        assert self.render(project, self.OPTIONS) == {
            "request": {
                "release": "web",
                "namespace": "monitoring",
                "values": {},
                "kube_version": "v1.34.0",
                "api_versions": [],
                "include_crds": True,
                "skip_tests": False,
                "no_hooks": False,
            }
        }
        assert project.charts.requests[0][0].chart == project.root / "charts/web"

    def test_options_say_otherwise_in_any_case(self, project: Project) -> None:
        options = (
            "{ calledfrom: std.thisFile, NameSpace: 'x', VALUES: { a: 1 }, kubeversion: '1.30', apiVersions: ['a/v1'],"
            " includeCRDs: false, skiptests: true, nohooks: true, nameFormat: '{{ .kind }}', unknown: 3 }"
        )
        assert self.render(project, options)["request"] == {
            "release": "web",
            "namespace": "x",
            "values": {"a": 1},
            "kube_version": "1.30",
            "api_versions": ["a/v1"],
            "include_crds": False,
            "skip_tests": True,
            "no_hooks": True,
        }
        assert project.charts.requests[0][1] == "{{ .kind }}"

    def test_null_is_as_if_not_given(self, project: Project) -> None:
        options = "{ calledFrom: std.thisFile, includeCrds: null, values: null, namespace: '' }"
        assert self.render(project, options) == self.render(project, self.OPTIONS)

    def test_the_path_is_relative_to_the_file_that_calls(self, project: Project) -> None:
        project.write({
            "lib/web/web.libsonnet": "std.native('helmTemplate')('w', './charts/x', { calledFrom: std.thisFile })",
            "lib/web/charts/x/Chart.yaml": "",
        })  # fmt: skip
        project.value("import 'web/web.libsonnet'")
        assert project.charts.requests[0][0].chart == project.root / "lib/web/charts/x"

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ("{}", "opts.calledFrom is unset or empty"),
            ("{ calledFrom: '' }", "opts.calledFrom is unset or empty"),
            ("'x'", "opts must be an object, found 'x'"),
            ("{ calledFrom: std.thisFile, values: [1] }", r"opts.values must be an object, found \[1\]"),
            (
                "{ calledFrom: std.thisFile, apiVersions: [1] }",
                "opts.apiVersions must be an array of strings",
            ),
            ("{ calledFrom: std.thisFile, includeCrds: 'yes' }", "opts.includeCrds must be a boolean"),
        ],
    )
    def test_wrong_options(self, project: Project, options: str, said: str) -> None:
        with pytest.raises(EvaluationError, match=f"helmTemplate: {said}"):
            self.render(project, options)

    def test_a_chart_that_is_not_there(self, project: Project) -> None:
        with pytest.raises(
            ChartError, match=r"there is no chart at charts/none .*called from environments/dev"
        ) as caught:
            self.render(project, self.OPTIONS, "../../charts/none")
        assert "inv vendor" in caught.value.hint

    def test_options_may_not_hold_functions(self, project: Project) -> None:
        with pytest.raises(EvaluationError, match="function"):
            self.render(project, "{ calledFrom: std.thisFile, values: { f(x): x } }")


def floats(value: Any) -> Any:
    """`value` with every number a float."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, list):
        return [floats(item) for item in value]
    return {key: floats(item) for key, item in value.items()} if isinstance(value, dict) else value
