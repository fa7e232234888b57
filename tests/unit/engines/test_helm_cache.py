from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.cache import Cache
from mop.engines.helm_cache import CachedCharts, holds_secrets
from mop.engines.helm_sdk import HelmSdk
from mop.engines.protocols import HelmObject, HelmRequest
from mop.errors import ChartError
from mop.files import Digests
from tests.unit.engines.helm_cases import CHART, request


class FakeHelm:
    """Gives what it was told; `during` happens within each render."""

    def __init__(self, *manifests: dict[str, Any], version: str = "v4") -> None:
        self.manifests = manifests or ({"kind": "ConfigMap", "metadata": {"name": "x"}},)
        self.version = version
        self.renders = 0
        self.during: Callable[[], None] = lambda: None

    def template(self, request: HelmRequest) -> tuple[HelmObject, ...]:
        self.renders += 1
        self.during()
        return tuple(HelmObject("c/templates/a.yaml", manifest) for manifest in self.manifests)


class Platform:
    """A chart, a cache that machines share, and a checkout with its own folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chart = folder / "charts" / "c"
        (self.chart / "templates").mkdir(parents=True)
        (self.chart / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
        (self.chart / "templates" / "a.yaml").write_text("kind: ConfigMap\nmetadata: {name: x}\n")

    def charts(self, helm: Any, checkout: str = "here") -> CachedCharts:
        return CachedCharts(
            lambda: helm,
            Digests(self.folder),
            unstable_folder=self.folder / checkout / "random",
            shared_folder=self.folder / "shared",
        )

    def files(self, folder: str) -> list[Path]:
        found = (self.folder / folder).rglob("*")
        return sorted(path for path in found if path.is_file() and "locks" not in path.parts)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path)


SECRET = {"kind": "Secret", "metadata": {"name": "x"}, "data": {"password": "cGFzcw=="}}


def test_the_second_render_is_a_hit_in_every_checkout(platform: Platform) -> None:
    helm = FakeHelm()
    first = platform.charts(helm).render(request(chart=platform.chart), None)
    second = platform.charts(helm, "elsewhere").render(request(chart=platform.chart), None)
    assert (first.hit, second.hit) == (False, True)
    assert json.loads(second.text) == {"config_map_x": helm.manifests[0]}
    assert (second.text, second.digest, second.random) == (first.text, first.digest, ())
    assert first.digest == Digests(platform.folder).tree(platform.chart)
    assert helm.renders == 1


def test_a_hit_loads_neither_the_library_nor_a_yaml_parser(platform: Platform) -> None:
    program = f"""
import sys
from pathlib import Path
from mop.engines.helm_cache import CachedCharts
from mop.engines.helm_sdk import HelmSdk
from mop.engines.protocols import HelmRequest
from mop.files import Digests

root = Path({str(platform.folder)!r})
charts = CachedCharts(HelmSdk, Digests(root), unstable_folder=root / "random", shared_folder=root / "shared")
render = charts.render(HelmRequest(Path("charts/c"), "x", "y", {{}}, "v1.34.0"), None)
print(render.hit, sorted({{"helm_python", "yaml", "filelock", "ctypes", "re2"}} & set(sys.modules)))
"""
    first, second = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert first.startswith("False ['ctypes', 'helm_python'")
    assert second == "True []\n"


def test_a_hit_tells_of_the_same_values_that_do_nothing(platform: Platform) -> None:
    (platform.chart / "values.yaml").write_text("replicas: 1\n")
    asked = request(chart=platform.chart, values={"replcas": 2, "replicas": 2})
    first = platform.charts(FakeHelm()).render(asked, None)
    second = platform.charts(FakeHelm()).render(asked, None)
    assert (first.hit, second.hit) == (False, True)
    assert first.unused == second.unused == (("replcas", "replicas"),)


CHANGES: list[Callable[[HelmRequest], HelmRequest]] = [
    lambda r: replace(r, release="other"),
    lambda r: replace(r, namespace="other"),
    lambda r: replace(r, values={"a": 1}),
    lambda r: replace(r, values={"a": "1"}),
    lambda r: replace(r, values={"a": None}),
    lambda r: replace(r, kube_version="v1.33.0"),
    lambda r: replace(r, api_versions=("a/v1",)),
    lambda r: replace(r, api_versions=("a/v1", "b/v1")),
    lambda r: replace(r, api_versions=("b/v1", "a/v1")),
    lambda r: replace(r, include_crds=False),
    lambda r: replace(r, skip_tests=True),
    lambda r: replace(r, no_hooks=True),
]


def test_whatever_a_render_depends_on_makes_another_entry(platform: Platform) -> None:
    helm = FakeHelm()
    charts = platform.charts(helm)
    asked = [request(chart=platform.chart)]
    asked += [change(asked[0]) for change in CHANGES]
    assert not any(charts.render(one, None).hit for one in asked)
    names = CachedCharts._key(charts, asked[0], "{{ .kind }}", "digest")
    assert names != CachedCharts._key(charts, asked[0], None, "digest"), "the format of names"
    assert all(charts.render(one, None).hit for one in asked)
    assert not platform.charts(FakeHelm(version="v5")).render(asked[0], None).hit, "Helm's version"


def test_a_chart_is_known_by_its_content_and_not_by_its_path(platform: Platform) -> None:
    helm = FakeHelm()
    charts = platform.charts(helm)
    charts.render(request(chart=platform.chart), None)
    twin = shutil.copytree(platform.chart, platform.folder / "deep" / "twin")
    assert charts.render(request(chart=twin), None).hit
    (twin / "templates" / "a.yaml").write_text("kind: Job\nmetadata: {name: x}\n")
    again = platform.charts(helm)
    assert not again.render(request(chart=twin), None).hit
    assert again.render(request(chart=platform.chart), None).hit


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4))
def test_the_order_of_values_makes_no_difference(values: dict[str, Any]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        platform = Platform(Path(folder))
        charts = platform.charts(FakeHelm())
        charts.render(request(values, chart=platform.chart), None)
        turned = dict(reversed(values.items()))
        assert charts.render(request(turned, chart=platform.chart), None).hit


def test_what_holds_secrets_stays_in_the_checkout_for_its_owner_alone(platform: Platform) -> None:
    helm = FakeHelm(SECRET)
    platform.charts(helm).render(request(chart=platform.chart), None)
    assert platform.files("shared") == []
    (entry,) = platform.files("here")
    assert b"cGFzcw==" in entry.read_bytes()
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert stat.S_IMODE(entry.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((platform.folder / "here" / "random").stat().st_mode) == 0o700
    assert platform.charts(helm).render(request(chart=platform.chart), None).hit
    assert not platform.charts(helm, "elsewhere").render(request(chart=platform.chart), None).hit


@pytest.mark.parametrize(
    ("manifest", "secret"),
    [
        (SECRET, True),
        ({"kind": "Secret", "stringData": {"a": "b"}}, True),
        ({"kind": "Secret", "data": {}}, False),
        ({"kind": "Secret"}, False),
        ({"kind": "ExternalSecret", "data": {"a": "b"}}, False),
        ({"kind": "List", "items": [{"kind": "ConfigMap"}, SECRET]}, True),
        ({"kind": "List", "items": ["no object", None]}, False),
    ],
)
def test_secrets_are_found_in_lists_too(manifest: dict[str, Any], secret: bool) -> None:
    assert holds_secrets([{"kind": "ConfigMap"}, manifest]) is secret


def test_a_random_render_is_kept_here_while_its_inputs_stay_the_same(platform: Platform) -> None:
    text = "kind: ConfigMap\nmetadata: {name: x}\ndata: {it: '{{ randAlphaNum 8 }}'}\n"
    (platform.chart / "templates" / "a.yaml").write_text(text)
    helm = HelmSdk()
    first = platform.charts(helm).render(request(chart=platform.chart), None)
    assert first.random == ("c: c/templates/a.yaml: randAlphaNum (ConfigMap/x data.it)",)
    again = platform.charts(helm).render(request(chart=platform.chart), None)
    assert (again.hit, again.text, again.random) == (True, first.text, first.random)
    other = platform.charts(helm, "elsewhere").render(request(chart=platform.chart), None)
    assert not other.hit
    assert other.text != first.text
    assert platform.files("shared") == []
    (platform.chart / "templates" / "a.yaml").write_text(text + "# changed\n")
    changed = platform.charts(helm).render(request(chart=platform.chart), None)
    assert not changed.hit
    assert changed.text != first.text


def test_a_damaged_entry_is_rendered_again(platform: Platform) -> None:
    helm = FakeHelm()
    expected = platform.charts(helm).render(request(chart=platform.chart), None)
    (entry,) = platform.files("shared")
    entry.write_bytes(entry.read_bytes()[:-1])
    again = platform.charts(helm).render(request(chart=platform.chart), None)
    assert (again.hit, again.text) == (False, expected.text)
    assert platform.charts(helm).render(request(chart=platform.chart), None).hit


def test_a_chart_that_changes_while_it_is_rendered_is_rendered_again(platform: Platform) -> None:
    helm = FakeHelm()
    charts = platform.charts(helm)

    def change_once() -> None:
        (platform.chart / "values.yaml").write_text("changed: true\n")
        helm.during = lambda: None

    helm.during = change_once
    render = charts.render(request(chart=platform.chart), None)
    assert helm.renders == 2
    assert render.digest == Digests(platform.folder).tree(platform.chart)
    assert len(platform.files("shared")) == 1, "the render of half a change is not kept"


def test_a_chart_that_keeps_changing_is_an_error(platform: Platform) -> None:
    helm = FakeHelm()
    helm.during = lambda: (platform.chart / "values.yaml").write_text(f"n: {helm.renders}\n") and None
    with pytest.raises(ChartError, match=r"changes while it is rendered \(3 attempts\)"):
        platform.charts(helm).render(request(chart=platform.chart), None)
    assert helm.renders == 3
    assert platform.files("shared") == []


def test_a_failure_of_half_a_change_is_no_failure(platform: Platform) -> None:
    helm = FakeHelm()

    def fail_once() -> None:
        (platform.chart / "values.yaml").write_text("changed: true\n")
        helm.during = lambda: None
        raise ChartError("half of an edit")

    helm.during = fail_once
    assert not platform.charts(helm).render(request(chart=platform.chart), None).hit


@pytest.mark.parametrize("vanished", [True, False])
def test_a_file_that_vanishes_is_a_change_and_one_that_cannot_be_read_an_error(
    platform: Platform, vanished: bool
) -> None:
    helm = FakeHelm()
    note = platform.chart / "note.txt"
    note.write_text("here")

    def fail_once() -> None:
        helm.during = lambda: None
        if vanished:
            note.unlink()
        raise FileNotFoundError(2, "No such file or directory", str(note))

    helm.during = fail_once
    charts = platform.charts(helm)
    if vanished:
        assert not charts.render(request(chart=platform.chart), None).hit
    else:
        with pytest.raises(ChartError, match=r"cannot be read or copied: .*note\.txt"):
            charts.render(request(chart=platform.chart), None)


def test_threads_that_want_one_render_share_it(platform: Platform) -> None:
    helm = FakeHelm()
    charts = platform.charts(helm)
    together = threading.Barrier(8)
    texts: list[str] = []

    def render() -> None:
        together.wait()
        texts.append(charts.render(request(chart=platform.chart), None).text)

    threads = [threading.Thread(target=render) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert helm.renders == 1
    assert len(set(texts)) == 1


def test_nothing_is_kept_of_a_chart_that_fails(platform: Platform) -> None:
    (platform.chart / "templates" / "a.yaml").write_text('{{ fail "no" }}')
    charts = platform.charts(HelmSdk())
    for _ in range(2):
        with pytest.raises(ChartError, match=r"chart c, template c/templates/a\.yaml line 1: no") as caught:
            charts.render(request(chart=platform.chart), None)
        (problem,) = caught.value.problems
        assert (problem.file, problem.line) == ("charts/c/templates/a.yaml", 1)
    assert platform.files("shared") == platform.files("here") == []


def test_two_objects_with_one_name_are_an_error(platform: Platform) -> None:
    helm = FakeHelm({"kind": "Job", "metadata": {"name": "x"}}, {"kind": "Job", "metadata": {"name": "X"}})
    with pytest.raises(ChartError, match="two objects are named 'job_x'"):
        platform.charts(helm).render(request(chart=platform.chart), None)


def test_no_chart_and_values_that_are_no_json_are_told(platform: Platform) -> None:
    charts = platform.charts(FakeHelm())
    with pytest.raises(ChartError, match="no chart at"):
        charts.render(request(chart=platform.folder / "nothing"), None)
    with pytest.raises(ChartError, match="are no JSON"):
        charts.render(request({"a": float("nan")}, chart=platform.chart), None)


def test_clear_forgets_what_is_shared_and_what_is_here(platform: Platform) -> None:
    (platform.charts(FakeHelm())).render(request(chart=platform.chart), None)
    charts = platform.charts(FakeHelm(SECRET))
    charts.render(request({"a": 1}, chart=platform.chart), None)
    assert charts.clear() > 0
    assert platform.files("shared") == platform.files("here") == []


def test_a_shared_folder_that_cannot_be_written_costs_time_only(platform: Platform) -> None:
    (platform.folder / "shared").write_text("in the way")
    helm = FakeHelm()
    charts = platform.charts(helm)
    assert not charts.render(request(chart=platform.chart), None).hit
    assert not charts.render(request(chart=platform.chart), None).hit
    assert charts.shared.trouble


def test_the_test_chart_goes_through_the_cache_unchanged(platform: Platform) -> None:
    asked = request({"tags": {"extras": True}}, chart=CHART, api_versions=("monitoring.coreos.com/v1",))
    render = platform.charts(HelmSdk()).render(asked, None)
    objects = HelmSdk().template(asked)
    assert list(json.loads(render.text).values()) == [found.manifest for found in objects]
    assert "pod_demo_test" in json.loads(render.text)
    assert platform.charts(HelmSdk()).render(asked, None).text == render.text


def test_the_shared_folder_is_that_of_the_environment(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOP_CACHE_DIR", os.fspath(platform.folder / "named"))
    charts = CachedCharts(FakeHelm, Digests(platform.folder), unstable_folder=platform.folder / "u")
    assert isinstance(charts.shared, Cache)
    assert charts.shared.folder == platform.folder / "named" / "renders"
