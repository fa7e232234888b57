from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from mop.engines.helm_output import objects, split_stream
from mop.engines.helm_sdk import HelmSdk
from mop.engines.protocols import HelmObject
from mop.errors import ChartError, ToolError
from tests.unit.engines.helm_cases import CASES, CHART, GOLDEN, request


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A copy of the test chart, to be changed."""
    return shutil.copytree(CHART, tmp_path / "relay")


@pytest.mark.parametrize("name", CASES)
def test_objects_order_and_templates_are_those_of_helm_template(name: str) -> None:
    golden = (GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")
    assert HelmSdk().template(CASES[name]) == objects(split_stream(golden))


def test_an_archive_renders_as_its_folder_does(tmp_path: Path, chart: Path) -> None:
    for ignored in ("templates/draft-of-a-page.yaml", "files/private/note.txt"):
        (chart / ignored).unlink()  # .helmignore is for packaging: an archive never holds them
    archive = tmp_path / "relay-1.2.0.tgz"
    with tarfile.open(archive, "w:gz") as out:
        out.add(chart, "relay")
    assert HelmSdk().template(request(chart=archive)) == HelmSdk().template(request())


def test_a_subchart_may_be_an_archive(chart: Path) -> None:
    with tarfile.open(chart / "charts" / "store-0.1.0.tgz", "w:gz") as out:
        out.add(chart / "charts" / "store", "store")
    shutil.rmtree(chart / "charts" / "store")
    assert HelmSdk().template(request(chart=chart)) == HelmSdk().template(request())


def test_the_version_is_known_without_loading_the_library_and_is_the_librarys_own() -> None:
    program = (
        "import sys, json; from mop.engines.helm_sdk import HelmSdk; version = HelmSdk().version;"
        "loaded = sorted({'helm_python', 'ctypes', 'yaml'} & set(sys.modules)); import helm_python;"
        "print(json.dumps([version, loaded, helm_python.helm_sdk_version(), helm_python.helm_c_version()]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    version, loaded, helm, binding = json.loads(done.stdout)
    assert loaded == []
    assert version == f"{helm}+sdk.{binding}"


def test_eight_threads_render_what_one_does() -> None:
    expected = {name: HelmSdk().template(CASES[name]) for name in CASES}
    helm = HelmSdk()
    wrong: list[str] = []

    def render() -> None:
        for name, wanted in expected.items():
            if helm.template(CASES[name]) != wanted:
                wrong.append(name)

    threads = [threading.Thread(target=render) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_no_handle_of_the_library_is_left_open(chart: Path) -> None:
    import helm_python

    before = helm_python.open_handles_count()
    HelmSdk().template(request())
    (chart / "templates" / "bad.yaml").write_text("{{ fail }}")
    with pytest.raises(ChartError):
        HelmSdk().template(request(chart=chart))
    assert helm_python.open_handles_count() == before


def test_a_library_that_cannot_be_loaded_names_the_other_way(tmp_path: Path) -> None:
    broken = tmp_path / "libhelm_c.so"
    broken.write_text("no library")
    program = (
        "from tests.unit.engines.helm_cases import request; from mop.engines.helm_sdk import HelmSdk;"
        "from mop.errors import ToolError\n"
        "try: HelmSdk().template(request())\n"
        "except ToolError as error: print(error.message, '|', error.hint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, env={"HELM_C_LIB": str(broken), "PATH": ""},
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert "the Helm library cannot be used" in done.stdout
    assert "MOP_HELM" in done.stdout


def test_a_chart_that_is_not_there_has_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ChartError, match="no chart at") as caught:
        HelmSdk().template(request(chart=tmp_path / "loki"))
    assert "inv vendor" in caught.value.hint


def test_a_helper_that_fails_is_named_with_the_way_to_it() -> None:
    with pytest.raises(ChartError) as caught:
        HelmSdk().template(request({"greeting": '{{ include "relay.outer" . }}'}))
    assert caught.value.message == (
        "chart relay, template relay/templates/_helpers.tpl line 15:"
        " nil pointer evaluating interface {}.deeply (at .Values.missing.deeply.nested)"
    )
    assert caught.value.hint == (
        "included from relay/templates/_helpers.tpl line 12, relay/templates/config.yaml line 8,"
        " relay/templates/deployment.yaml line 17"
    )
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (str(CHART / "templates" / "_helpers.tpl"), 15)


def test_all_violations_of_the_values_schema_are_told() -> None:
    with pytest.raises(ChartError, match="chart relay: 3 values break its schema") as caught:
        HelmSdk().template(request({"replicas": "x", "greeting": 5, "image": {"tog": 1}}))
    assert [(p.path, p.message) for p in caught.value.problems] == [
        ("$.greeting", "got number, want string"),
        ("$.image", "additional properties 'tog' not allowed"),
        ("$.replicas", "got string, want integer"),
    ]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("Chart.yaml", "name: [", "cannot load Chart.yaml"),
        ("Chart.yaml", "apiVersion: v2\nname: relay\n", "chart.metadata.version is required"),
        ("values.yaml", "a: [", "cannot load values.yaml"),
        ("templates/bad.yaml", "{{ if }", "templates/bad.yaml line 1: unexpected"),
        ("templates/bad.yaml", "{{ nosuch }}", 'function "nosuch" not defined'),
        ("templates/bad.yaml", 'a: {{ required "need it" .Values.no }}', "line 1: need it"),
        ("templates/bad.yaml", "a: [", "rendered text that is no YAML: line 2"),
        ("templates/bad.yaml", "just words", "expected a Kubernetes object, found 'just words'"),
    ],
)
def test_a_mistake_in_a_chart_is_told_with_its_place(chart: Path, file: str, text: str, message: str) -> None:
    (chart / file).write_text(text)
    with pytest.raises(ChartError) as caught:
        HelmSdk().template(request(chart=chart))
    assert message in caught.value.message
    assert caught.value.message.startswith("chart relay")
    assert str(chart) not in caught.value.message


def test_what_helm_template_refuses_before_it_renders_is_refused(chart: Path) -> None:
    with pytest.raises(ChartError, match=r"requires kubeVersion: >=1\.25\.0-0 which is incompatible"):
        HelmSdk().template(request(kube_version="v1.24.9"))
    with pytest.raises(ChartError, match="library charts are not installable"):
        HelmSdk().template(request(chart=CHART / "charts" / "common"))
    with pytest.raises(ChartError, match="invalid release name"):
        HelmSdk().template(request(release="No_Name"))
    shutil.rmtree(chart / "charts" / "dashboards")
    with pytest.raises(ChartError, match="missing in charts/ directory: dashboards"):
        HelmSdk().template(request(chart=chart))


@pytest.mark.parametrize(
    ("constraint", "version", "fits"),
    [
        (">=1.25.0-0", "v1.34.0", True),
        ("^1.20", "v1.34.0", True),
        ("~1.33", "v1.34.0", False),
        (">=1.22 <1.30 || >=1.34", "v1.34.0", True),
        (">=1.34", "v1.34.1-gke.100", True),
        ("no constraint", "v1.34.0", False),
    ],
)
def test_the_kubernetes_constraint_is_read_by_helms_own_library(
    chart: Path, constraint: str, version: str, fits: bool
) -> None:
    text = (chart / "Chart.yaml").read_text()
    (chart / "Chart.yaml").write_text(text.replace(">=1.25.0-0", constraint))
    try:
        rendered: tuple[HelmObject, ...] = HelmSdk().template(request(chart=chart, kube_version=version))
    except ChartError as error:
        assert "incompatible" in error.message
        rendered = ()
    assert bool(rendered) is fits


def test_nothing_of_the_machine_reaches_a_render(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = HelmSdk().template(request())
    (tmp_path / "config").write_text(
        "current-context: prod\ncontexts: [{name: prod, context: {namespace: prod}}]"
    )
    for name, value in {
        "KUBECONFIG": str(tmp_path / "config"), "HELM_NAMESPACE": "prod", "HELM_KUBECONTEXT": "prod",
        "HELM_DEBUG": "true", "HOME": str(tmp_path), "TZ": "Asia/Tokyo",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert HelmSdk().template(request()) == plain


def test_a_failure_inside_the_library_is_no_mistake_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    import helm_python

    def panic(*_args: object) -> None:
        raise helm_python.HelmPanicError("recovered: index out of range")

    monkeypatch.setattr(helm_python, "validate_release_name", panic)
    with pytest.raises(ToolError, match="failed inside on chart relay"):
        HelmSdk().template(request())
