"""Evaluating an environment: components, arguments, inputs, errors; on real files, with the real engine."""

from __future__ import annotations

import gc
import json
import logging
import resource
import threading
from pathlib import Path

import pytest

from mop.errors import ChartError, EvaluationError
from mop.files import Input, sha256
from mop.model import Argument
from tests.unit.engines.jsonnet_project import MAIN, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "platform")


def inputs(project: Project, *components: str) -> dict[str, tuple[str, str]]:
    return {it.path: (it.kind, it.digest) for it in project.evaluate(*components).inputs}


class TestComponents:
    def test_each_component_is_json_of_its_own(self, project: Project) -> None:
        project.write({MAIN: "{ loki: { a: 1 }, grafana: [null, 'x'], hidden:: 3 }"})
        evaluated = project.evaluate("loki", "grafana")
        assert evaluated.fields == ("grafana", "loki")
        assert {name: json.loads(text) for name, text in evaluated.outputs.items()} == {
            "loki": {"a": 1},
            "grafana": [None, "x"],
        }

    def test_what_is_not_asked_for_is_not_evaluated(self, project: Project) -> None:
        project.write({MAIN: "{ loki: 1, broken: error 'never' }"})
        assert project.evaluate("loki").outputs == {"loki": "1\n"}

    def test_a_component_that_is_no_field_has_no_output(self, project: Project) -> None:
        project.write({MAIN: "{ loki: 1, hidden:: 2 }"})
        evaluated = project.evaluate("loki", "hidden", "tempo")
        assert (evaluated.fields, list(evaluated.outputs)) == (("loki",), ["loki"])

    def test_names_may_be_anything_that_a_field_may_be(self, project: Project) -> None:
        names = ("fields", ".", "with space", "ü", "'\"\\", "local")
        project.write({MAIN: json.dumps(dict.fromkeys(names, 1))})
        assert set(project.evaluate(*names).outputs) == set(names)

    def test_the_whole_value_is_one_output(self, project: Project) -> None:
        assert project.value("[{ a: 1 }]") == [{"a": 1}]

    @pytest.mark.parametrize(("code", "found"), [("[]", "an array"), ("null", "null"), ("'x'", "a string")])
    def test_components_want_an_object(self, project: Project, code: str, found: str) -> None:
        project.write({MAIN: code})
        with pytest.raises(EvaluationError, match=f"must give an object with one field.*gives .*{found}"):
            project.evaluate("loki")

    def test_an_assertion_of_the_environment_holds_for_its_components(self, project: Project) -> None:
        project.write({MAIN: "{ assert self.a == 2 : 'a must be 2', a: 1 }"})
        with pytest.raises(EvaluationError, match="a must be 2"):
            project.evaluate("a")


class TestArguments:
    def test_main_may_be_a_function(self, project: Project) -> None:
        project.write({MAIN: "function(name, replicas=1) { web: [name, replicas] }"})
        arguments = {"name": Argument("x"), "replicas": Argument("1 + 1", code=True)}
        assert json.loads(project.evaluate("web", tla=arguments).outputs["web"]) == ["x", 2]
        assert json.loads(project.evaluate(whole=True, tla=arguments).outputs[""]) == {"web": ["x", 2]}

    def test_defaults_are_enough(self, project: Project) -> None:
        project.write({MAIN: "function(replicas=1) { web: replicas }"})
        assert project.evaluate("web").outputs == {"web": "1\n"}

    def test_arguments_of_what_is_no_function_are_ignored_as_tk_does(self, project: Project) -> None:
        project.write({MAIN: "{ web: 1 }"})
        assert project.evaluate("web", tla={"std": Argument("x")}).outputs == {"web": "1\n"}

    def test_a_missing_argument_is_named(self, project: Project) -> None:
        project.write({MAIN: "function(name) { web: name }"})
        with pytest.raises(EvaluationError, match="Missing argument: name"):
            project.evaluate("web")

    def test_external_variables(self, project: Project) -> None:
        project.write({MAIN: "{ web: [std.extVar('a'), std.extVar('b')] }", "lib/x.txt": "text"})
        variables = {"a": Argument("1"), "b": Argument("[1, importstr 'x.txt']", code=True)}
        assert json.loads(project.evaluate("web", ext=variables).outputs["web"]) == ["1", [1, "text"]]

    def test_a_nul_character_cannot_be_passed(self, project: Project) -> None:
        project.write({MAIN: "{ web: 1 }"})
        with pytest.raises(EvaluationError, match="NUL"):
            project.evaluate("web", ext={"a": Argument("x\0y")})


STATIC = {"apiVersion": "tanka.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "environments/dev"}}


class TestTankaEnvironments:
    def test_import_tk_gives_the_environment(self, project: Project) -> None:
        code = "[(import 'tk').env, std.extVar('tanka.dev/environment')]"
        assert project.value(code, environment=STATIC) == [STATIC, STATIC]

    def test_import_tk_without_one_says_so(self, project: Project) -> None:
        with pytest.raises(EvaluationError, match="only supported for static environments"):
            project.value("(import 'tk').env")

    def test_the_only_inline_environment_is_meant(self, project: Project) -> None:
        assert project.value(f"{{ nested: [{environment('a')}] }}")["data"] == {"of": "a"}

    def test_of_several_the_name_says_which_and_the_others_are_not_evaluated(self, project: Project) -> None:
        broken = environment("broken").replace("data: {", "data: { x: error 'never',")
        project.write({MAIN: f"[{environment('a')}, {environment('b')}, {broken}]"})
        assert json.loads(project.evaluate(whole=True, name="b").outputs[""])["data"] == {"of": "b"}

    def test_a_name_that_is_none_of_them_is_answered_with_those_that_are(self, project: Project) -> None:
        project.write({MAIN: f"[{environment('b')}, {environment('a')}]"})
        with pytest.raises(EvaluationError, match="0 of them are called c; there are: a, b"):
            project.evaluate(whole=True, name="c")

    def test_a_static_environment_is_taken_as_it_stands(self, project: Project) -> None:
        project.write({MAIN: f"[{environment('a')}, {environment('b')}]"})
        assert len(json.loads(project.evaluate(whole=True, environment=STATIC).outputs[""])) == 2

    def test_another_group_s_environment_is_an_object_like_any(self, project: Project) -> None:
        foreign = {"apiVersion": "example.com/v1", "kind": "Environment", "metadata": {"name": "x"}}
        assert project.value(json.dumps([foreign])) == [foreign]


def environment(name: str) -> str:
    kind = "apiVersion: 'tanka.dev/v1alpha1', kind: 'Environment'"
    return f"{{ {kind}, metadata: {{ name: '{name}' }}, data: {{ of: '{name}' }} }}"


class TestInputs:
    def test_every_file_and_every_place_looked_at_before_it(self, project: Project) -> None:
        library = "{ text: importstr '../data/a.txt', bytes: importbin 'b.bin' }"
        project.write({
            MAIN: "(import 'x.libsonnet') + (import 'tk') { env:: null }",
            "lib/x.libsonnet": library,
            "data/a.txt": "ä",
            "vendor/b.bin": b"\xff\x00",
        })  # fmt: skip
        evaluated = project.evaluate("text", "bytes")
        assert json.loads(evaluated.outputs["bytes"]) == [255, 0]
        found = {it.path: (it.kind, it.digest) for it in evaluated.inputs}
        assert {
            path: kind for path, (kind, _) in found.items() if "x.libsonnet" in path or "b.bin" in path
        } == {
            "environments/dev/x.libsonnet": "absent",
            "lib/x.libsonnet": "file",
            "lib/b.bin": "absent",
            "environments/dev/b.bin": "absent",
            "environments/dev/vendor/b.bin": "absent",
            "vendor/b.bin": "file",
        }
        assert found["lib/x.libsonnet"] == ("file", sha256(library))
        assert found["data/a.txt"] == ("file", sha256("ä"))
        assert found[MAIN][0] == "file"

    def test_what_would_move_the_project_s_root_is_an_input(self, project: Project) -> None:
        project.write({MAIN: "{ a: 1 }", "jsonnetfile.json": "{}"})
        found = inputs(project, "a")
        assert found["jsonnetfile.json"][0] == "file"
        assert found["environments/dev/jsonnetfile.json"] == found["tkrc.yaml"] == ("absent", "")

    def test_lazily_skipped_imports_are_none(self, project: Project) -> None:
        project.write({MAIN: "{ a: 1, b: import 'b.libsonnet' }", "lib/b.libsonnet": "{}"})
        assert "lib/b.libsonnet" not in inputs(project, "a")

    def test_charts_are_inputs_by_the_digest_of_their_tree(self, project: Project) -> None:
        code = "{ a: std.native('helmTemplate')('r', '../../charts/x', { calledFrom: std.thisFile }) }"
        project.write({MAIN: code, "charts/x/Chart.yaml": ""})
        assert Input("charts/x", "tree", "digest of x") in project.evaluate("a").inputs

    def test_files_outside_the_platform_are_recorded_whole(self, project: Project, tmp_path: Path) -> None:
        (tmp_path / "shared.libsonnet").write_text("1")
        project.write({MAIN: "{ a: import '../../../shared.libsonnet' }"})
        assert inputs(project, "a")[str(tmp_path / "shared.libsonnet")][0] == "file"

    def test_links_are_not_resolved(self, project: Project) -> None:
        project.write({MAIN: "{ a: import 'l/x.libsonnet' }", "elsewhere/x.libsonnet": "std.thisFile"})
        (project.root / "lib").mkdir()
        (project.root / "lib/l").symlink_to(project.root / "elsewhere")
        evaluated = project.evaluate("a")
        assert json.loads(evaluated.outputs["a"]) == str(project.root / "lib/l/x.libsonnet")
        assert "lib/l/x.libsonnet" in {it.path for it in evaluated.inputs}

    def test_a_served_text_stands_for_its_file_and_is_no_input(self, project: Project) -> None:
        project.write(
            {MAIN: "{ a: importstr '../../mop.yaml', b: importstr 'mop.yaml' }", "mop.yaml": "on disk"}
        )
        evaluated = project.evaluate("a", served={project.root / "mop.yaml": "served"})
        assert json.loads(evaluated.outputs["a"]) == "served"
        assert not [it for it in evaluated.inputs if "mop.yaml" in it.path]

    def test_renders_are_counted_and_random_charts_named(self, project: Project) -> None:
        call = "std.native('helmTemplate')('r', '../../charts/x', { calledFrom: std.thisFile })"
        project.write({MAIN: f"{{ a: [{call}, {call}] }}", "charts/x/Chart.yaml": ""})
        project.charts.random = ("x: templates/secret.yaml: genCA",)
        evaluated = project.evaluate("a")
        assert (evaluated.renders, evaluated.hits) == (2, 1)
        assert evaluated.random == ("x: templates/secret.yaml: genCA",)

    def test_values_that_do_nothing_are_told_once_with_their_chart(self, project: Project) -> None:
        call = "std.native('helmTemplate')('r', '../../charts/x', { calledFrom: std.thisFile })"
        project.write({MAIN: f"{{ a: [{call}, {call}] }}", "charts/x/Chart.yaml": ""})
        project.charts.unused = (("replcas", "replicas"),)
        assert project.evaluate("a").unused == (("x", "replcas", "replicas"),)


class TestImportPath:
    FILES = (
        "environments/dev/lib.libsonnet",
        "lib/lib.libsonnet",
        "environments/dev/vendor/lib.libsonnet",
        "vendor/lib.libsonnet",
    )

    def test_the_order_is_tanka_s(self, project: Project) -> None:
        project.write(
            {MAIN: "{ a: import 'lib.libsonnet' }"} | {name: json.dumps(name) for name in self.FILES}
        )
        for name in self.FILES:
            assert json.loads(project.evaluate("a").outputs["a"]) == name
            (project.root / name).unlink()
        with pytest.raises(EvaluationError, match=r"couldn't open import 'lib\.libsonnet'") as caught:
            project.evaluate("a")
        assert [line.strip() for line in caught.value.message.splitlines()[1:5]] == list(self.FILES)

    def test_the_importing_file_s_folder_comes_first(self, project: Project) -> None:
        project.write({
            MAIN: "{ a: import 'sub/one.libsonnet' }",
            "lib/sub/one.libsonnet": "import 'two.libsonnet'",
            "lib/sub/two.libsonnet": "'near'",
            "environments/dev/two.libsonnet": "'base'",
        })  # fmt: skip
        assert json.loads(project.evaluate("a").outputs["a"]) == "near"

    @pytest.mark.parametrize("marker", ["jsonnetfile.json", "tkrc.yaml"])
    def test_a_tanka_project_inside_the_platform_has_its_own_lib(self, project: Project, marker: str) -> None:
        project.write({
            f"tanka/{MAIN}": "{ a: import 'lib.libsonnet' }",
            "tanka/lib/lib.libsonnet": "'tanka'",
            "lib/lib.libsonnet": "'platform'",
            f"tanka/{marker}": "{}",
        })  # fmt: skip
        assert json.loads(project.evaluate("a", main=f"tanka/{MAIN}").outputs["a"]) == "tanka"

    def test_tkrc_wins_over_a_nearer_jsonnetfile(self, project: Project) -> None:
        project.write({
            MAIN: "{ a: import 'lib.libsonnet' }",
            "environments/dev/jsonnetfile.json": "{}",
            "tkrc.yaml": "",
            "lib/lib.libsonnet": "'root'",
        })  # fmt: skip
        assert json.loads(project.evaluate("a").outputs["a"]) == "root"

    def test_nothing_above_the_platform_is_looked_at(self, project: Project, tmp_path: Path) -> None:
        (tmp_path / "tkrc.yaml").touch()
        project.write({MAIN: "{ a: import 'lib.libsonnet' }", "lib/lib.libsonnet": "'platform'"})
        assert json.loads(project.evaluate("a").outputs["a"]) == "platform"

    def test_a_folder_is_no_file(self, project: Project) -> None:
        project.write({MAIN: "{ a: import '../dev' }"})
        with pytest.raises(EvaluationError, match="'environments/dev': Is a directory"):
            project.evaluate("a")

    def test_imports_may_go_round_in_a_circle_as_long_as_values_do_not(self, project: Project) -> None:
        project.write(
            {
                MAIN: "{ a: (import 'x.libsonnet').two }",
                "lib/x.libsonnet": "{ one: 1, two: (import 'y.libsonnet').one }",
                "lib/y.libsonnet": "{ one: (import 'x.libsonnet').one }",
            }
        )
        assert project.evaluate("a").outputs == {"a": "1\n"}
        project.write({"lib/x.libsonnet": "import 'y.libsonnet'", "lib/y.libsonnet": "import 'x.libsonnet'"})
        with pytest.raises(EvaluationError, match="max stack frames exceeded"):
            project.evaluate("a")


class TestErrors:
    def test_the_stack_names_files_lines_and_columns(self, project: Project) -> None:
        project.write(
            {
                MAIN: "local x = import 'x.libsonnet';\n{ a: x.f(1) }",
                "lib/x.libsonnet": "{\n  f(n):: if n == 0 then error 'deep down' else self.f(n - 1),\n}",
            }
        )
        with pytest.raises(EvaluationError) as caught:
            project.evaluate("a")
        assert caught.value.message == (
            "RUNTIME ERROR: deep down\n"
            "\tlib/x.libsonnet:2:25-42\tfunction <anonymous>\n"
            "\tlib/x.libsonnet:2:48-61\tfunction <anonymous>\n"
            "\tenvironments/dev/main.jsonnet:2:6-12\tobject <anonymous>\n"
            '\tField "a"\n'
            "\tDuring manifestation"
        )

    def test_positions_are_those_of_the_file_whatever_was_put_before(self, project: Project) -> None:
        native = "local n = std.native('sha256'); local t = importstr 'a.txt'; { a: error t }"
        project.write({MAIN: native, "lib/a.txt": "boom"})
        with pytest.raises(
            EvaluationError, match=f"main.jsonnet:1:{native.index('error') + 1}-{native.index(' }') + 1}\t"
        ):
            project.evaluate("a")

    def test_a_syntax_error_begins_with_its_place(self, project: Project) -> None:
        project.write({MAIN: "{ a: std.native('sha256')('x') oops }"})
        with pytest.raises(EvaluationError) as caught:
            project.evaluate("a")
        expected = "environments/dev/main.jsonnet:1:32-36 Expected a comma before next field"
        assert caught.value.message == f"{expected}\n\tDuring evaluation"

    def test_infinite_recursion_ends(self, project: Project) -> None:
        project.write({MAIN: "local f(x) = f(x + 1) + 1; { a: f(0), b: { c: $.b } }"})
        for component in ("a", "b"):
            with pytest.raises(EvaluationError, match="max stack frames exceeded"):
                project.evaluate(component, max_stack=1_000_000)

    def test_what_fits_the_stack_of_tk_fits_here(self, project: Project) -> None:
        # tk evaluates a depth of 496 with its 500 frames, and not one of 497.
        project.write({MAIN: "local f(n) = if n == 0 then 0 else 1 + f(n - 1); { a: f(496) }"})
        assert project.evaluate("a").outputs == {"a": "496\n"}

    def test_a_chart_s_failure_stays_one_and_shows_who_called(self, project: Project) -> None:
        project.write(
            {
                MAIN: "{ a: std.native('helmTemplate')('r', '../../charts/x', { calledFrom: std.thisFile }) }",
                "charts/x/Chart.yaml": "",
            }
        )
        project.charts.fail = lambda request: ChartError(
            "x/templates/a.yaml:3: nil pointer", hint="set a value"
        )
        with pytest.raises(
            ChartError, match=r"x/templates/a.yaml:3: nil pointer\n\tenvironments/dev/main.jsonnet:1:6-"
        ) as caught:
            project.evaluate("a")
        assert caught.value.hint == "set a value"

    def test_an_interruption_inside_a_callback_is_raised_again(self, project: Project) -> None:
        def interrupt(request: object) -> None:
            raise KeyboardInterrupt

        project.write(
            {
                MAIN: "{ a: std.native('helmTemplate')('r', '../../charts/x', { calledFrom: std.thisFile }) }",
                "charts/x/Chart.yaml": "",
            }
        )
        project.charts.fail = interrupt
        with pytest.raises(KeyboardInterrupt):
            project.evaluate("a")

    def test_a_file_that_is_not_utf_8_reads_as_tk_reads_it(self, project: Project) -> None:
        project.write({MAIN: "{ a: importstr 'x.txt' }", "lib/x.txt": b"a\xffb"})
        assert json.loads(project.evaluate("a").outputs["a"]) == "a�b"

    def test_traces_go_to_the_log(self, project: Project, caplog: pytest.LogCaptureFixture) -> None:
        project.write({MAIN: "\n{ a: std.trace('careful', 1) }"})
        with caplog.at_level(logging.WARNING, "mop.jsonnet"):
            project.evaluate("a")
        assert caplog.messages == ["TRACE: environments/dev/main.jsonnet:2 careful"]


class TestConcurrency:
    def test_threads_evaluate_side_by_side(self, project: Project) -> None:
        code = "{ a: [std.native('parseYaml')('x: %d' % i)[0].x for i in std.range(1, 200)] + [importstr 'x.txt'] }"
        project.write({MAIN: code, "lib/x.txt": "text"})
        expected = project.evaluate("a")
        found = []
        threads = [threading.Thread(target=lambda: found.append(project.evaluate("a"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [expected] * 8

    def test_evaluating_again_and_again_keeps_no_memory(self, project: Project) -> None:
        code = "{ a: [std.native('parseYaml')('x: ' + importstr 'big.txt'), error 'x'] }"
        project.write({MAIN: code, "lib/big.txt": "x" * 200_000})

        def evaluate(times: int) -> int:
            for _ in range(times):
                with pytest.raises(EvaluationError):
                    project.evaluate("a")
            gc.collect()
            return resident()

        evaluate(40)  # until caches and arenas are as big as they get
        before = evaluate(100)
        # These handle 20 MB of text in three copies each; nothing of that order may stay.
        assert evaluate(100) - before < 15 << 20


def resident() -> int:
    """Bytes of memory that this process holds."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except FileNotFoundError:  # macOS
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_the_version_names_engine_bindings_and_helm(project: Project) -> None:
    assert project.engine.version.startswith("gojsonnet 0.")
    assert project.engine.version.endswith("helm v0 echo")
