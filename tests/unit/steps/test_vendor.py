"""charts/ becomes what mop.lock says, from real servers; edits and kills are survived."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mop import lockfile, trees
from mop.cache import Cache
from mop.engines.protocols import ChartRepositories
from mop.engines.registry import ChartRegistry
from mop.engines.registry.http import Patience
from mop.errors import VendorError
from mop.files import Digests
from mop.lockfile import ChartLock
from mop.model import Chart, Platform, Repository
from mop.outputs import Outputs
from mop.steps.vendor import Options, Outcome, check, current, forget, vendor
from tests.servers.charts import HelmRepository, chart, chart_files, pack, write_files
from tests.servers.git_http import Repositories, git_server
from tests.servers.web import site
from tests.unit.platforms import environment, platform

FREE = Options(locked=False)


@dataclass
class Bench:
    """A platform with a Helm repository, and one cache for all runs."""

    root: Path
    helm: HelmRepository
    charts: dict[str, Chart]
    requests: int = 0

    @property
    def platform(self) -> Platform:
        made = platform(self.root, environment("dev", ["web"]))
        repositories = {"shop": Repository("shop", self.helm.url)}
        return replace(made, charts=self.charts, repositories=repositories)

    def declare(self, name: str = "web", source: str = "", version: str = "^1.0") -> None:
        self.charts[name] = Chart(name, source or f"shop/{name}", version)

    def outputs(self) -> Outputs:
        return Outputs(self.root, Digests(self.root))

    def run(self, name: str = "web", options: Options = FREE) -> Outcome:
        """One run of its own: a new engine, nothing remembered but what is on disk."""
        engine = ChartRegistry(self.root, cache=Cache(self.root.parent / "cache"), patience=Patience(2, 4, 2))
        try:
            return vendor(self.platform, name, self.outputs(), Tools(engine), options)
        finally:
            self.requests = engine.requests

    def current(self, name: str = "web") -> bool:
        return current(self.platform, name, self.outputs())

    def locked(self, name: str = "web") -> ChartLock:
        return lockfile.load(self.root / "mop.lock").charts[name]

    def folder(self, name: str = "web") -> Path:
        return self.root / "charts" / name


class Tools:
    """The toolbox of a run that vendors."""

    def __init__(self, engine: ChartRepositories) -> None:
        self._engine = engine

    def repositories(self) -> ChartRepositories:
        return self._engine

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"vendoring asked for {name}")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with site() as server:
        helm = HelmRepository(server)
        for version in ("1.0.0", "1.2.0", "2.0.0"):
            helm.add("web", version)
        root = tmp_path / "platform"
        root.mkdir()
        found = Bench(root, helm, {})
        found.declare()
        yield found


@pytest.fixture
def git(tmp_path: Path) -> Iterator[Repositories]:
    with git_server(tmp_path / "repositories") as found:
        yield found


def test_a_missing_entry_is_resolved_fetched_and_locked(bench: Bench) -> None:
    assert bench.run().change == "added"
    entry = bench.locked()
    assert (entry.version, entry.chart, entry.source) == ("1.2.0", "shop/web", bench.helm.url)
    assert entry.tree == Digests(bench.root).tree(bench.folder())
    assert bench.current()


def test_a_present_entry_never_changes(bench: Bench) -> None:
    bench.run()
    before = (bench.root / "mop.lock").read_bytes()
    bench.helm.add("web", "1.9.0")
    assert bench.current()
    assert bench.run().change == "kept"
    assert bench.requests == 0
    assert (bench.root / "mop.lock").read_bytes() == before


def test_with_the_cache_and_without_charts_no_request_is_made(bench: Bench) -> None:
    bench.run()
    shutil.rmtree(bench.root / "charts")
    assert not bench.current()
    assert bench.run() == Outcome("web", "1.2.0", "restored")
    assert bench.requests == 0
    assert bench.current()


def test_an_update_says_from_what_to_what(bench: Bench) -> None:
    bench.run()
    bench.helm.add("web", "1.9.0")
    bench.helm.add("db", "1.0.0")
    bench.declare("db")
    bench.run("db")
    bench.helm.add("db", "1.5.0")
    outcome = bench.run(options=Options(locked=False, update=("web",)))
    assert (outcome.change, outcome.before, outcome.version) == ("updated", "1.2.0", "1.9.0")
    assert "1.9.0" in (bench.folder() / "Chart.yaml").read_text()
    assert bench.locked("db").version == "1.0.0"
    assert bench.run("db", Options(locked=False, update=None)).version == "1.5.0"


def test_locked_refuses_an_addition(bench: Bench) -> None:
    with pytest.raises(VendorError, match="no entry for the chart web"):
        bench.run(options=Options(locked=True))
    assert not (bench.root / "mop.lock").exists() and not (bench.root / "charts").exists()


def test_locked_restores_what_is_locked(bench: Bench) -> None:
    bench.run()
    shutil.rmtree(bench.root / "charts")
    assert bench.run(options=Options(locked=True)).change == "restored"


def test_ci_means_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert Options().locked
    monkeypatch.setenv("CI", "")
    assert not Options().locked


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2.0.0", r"asks for version 2\.0\.0, mop\.lock has 1\.2\.0"), ("^2", r"asks for version \^2")],
)
def test_mop_yaml_and_the_lock_that_differ_are_told(bench: Bench, version: str, expected: str) -> None:
    bench.run()
    bench.declare(version=version)
    assert not bench.current()
    with pytest.raises(VendorError, match=expected) as caught:
        bench.run()
    assert "--update web" in caught.value.hint
    assert bench.run(options=Options(locked=False, update=("web",))).version == "2.0.0"


def test_a_repository_that_moved_is_told(bench: Bench) -> None:
    bench.run()
    bench.helm = HelmRepository(bench.helm.site, "/elsewhere")
    with pytest.raises(VendorError, match=r"mop\.yaml asks for web of .*/elsewhere"):
        bench.run()


def test_an_edited_tree_is_named_file_by_file_and_left_alone(bench: Bench) -> None:
    bench.run()
    (bench.folder() / "values.yaml").write_text("greeting: mine\n")
    (bench.folder() / "extra.yaml").write_text("")
    (bench.folder() / "templates" / "configmap.yaml").unlink()
    with pytest.raises(VendorError, match="left as it is") as caught:
        bench.run()
    assert bench.requests == 0
    for line in ("added: extra.yaml", "changed: values.yaml", "missing: templates/configmap.yaml"):
        assert line in caught.value.message
    assert (bench.folder() / "values.yaml").read_text() == "greeting: mine\n"
    with pytest.raises(VendorError, match="left as it is"):
        bench.run(options=Options(locked=False, update=None))
    assert bench.run(options=Options(locked=False, force=True)).change == "restored"
    assert bench.current() and not (bench.folder() / "extra.yaml").exists()


def test_an_edit_is_seen_too_where_nothing_is_remembered(bench: Bench) -> None:
    bench.run()
    shutil.rmtree(bench.root / ".mop")
    (bench.folder() / "values.yaml").write_text("greeting: mine\n")
    with pytest.raises(VendorError, match=r"changed: values\.yaml"):
        bench.run()


def test_a_folder_of_somebody_elses_is_not_taken_over(bench: Bench) -> None:
    write_files(bench.folder(), {"Chart.yaml": "name: mine\n"})
    with pytest.raises(VendorError, match="left as it is"):
        bench.run()
    assert (bench.folder() / "Chart.yaml").read_text() == "name: mine\n"
    assert not (bench.root / "mop.lock").exists()


def test_the_same_chart_vendored_by_other_means_is_adopted(bench: Bench) -> None:
    write_files(bench.folder(), chart_files("web", "1.2.0"))
    assert bench.run().change == "added"
    assert bench.current()


def test_a_lock_that_came_with_a_pull_brings_its_folder(bench: Bench) -> None:
    """The folder is what was vendored before, unedited: it may go."""
    bench.run()
    bench.declare(version="2.0.0")
    bench.run(options=Options(locked=False, update=None))
    lock = (bench.root / "mop.lock").read_bytes()
    bench.declare(version="^1.0")
    bench.run(options=Options(locked=False, update=None))
    (bench.root / "mop.lock").write_bytes(lock)
    bench.declare(version="2.0.0")
    assert bench.run().change == "restored"
    assert "2.0.0" in (bench.folder() / "Chart.yaml").read_text()


def test_an_archive_that_is_not_what_the_lock_says_is_refused(bench: Bench) -> None:
    bench.run()
    shutil.rmtree(bench.root / "charts")
    shutil.rmtree(bench.root.parent / "cache")
    bench.helm.site.answers["/charts/web-1.2.0.tgz"] = chart("web", "1.2.0", description="evil")
    with pytest.raises(VendorError, match="is not what was promised"):
        bench.run()
    assert not bench.folder().exists()


def test_a_tree_that_is_not_what_the_lock_says_is_refused(bench: Bench) -> None:
    bench.run()
    text = (bench.root / "mop.lock").read_text()
    tree = bench.locked().tree
    (bench.root / "mop.lock").write_text(text.replace(tree, "f" * 64))
    shutil.rmtree(bench.root / "charts")
    with pytest.raises(VendorError, match=f"expected {'f' * 64}, found {tree}"):
        bench.run()
    assert not bench.folder().exists()


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        (chart("other", "3.0.0"), "another chart: expected web, found 'other'"),
        (chart("web", "3.0.1"), r"another version of web: expected 3\.0\.0, found 3\.0\.1"),
        (pack({"values.yaml": ""}, "web"), "no Chart.yaml"),
        (pack({"Chart.yaml": "a: ["}, "web"), "no YAML"),
    ],
)
def test_another_chart_inside_is_refused(bench: Bench, archive: bytes, expected: str) -> None:
    bench.run()
    bench.helm.add("web", "3.0.0", archive=archive)
    bench.declare(version="3.0.0")
    before = (bench.root / "mop.lock").read_bytes()
    with pytest.raises(VendorError, match=expected):
        bench.run(options=Options(locked=False, update=None))
    assert (bench.root / "mop.lock").read_bytes() == before
    assert "1.2.0" in (bench.folder() / "Chart.yaml").read_text()
    assert not (bench.root / "charts" / trees.STAGING).exists()


def test_a_version_with_build_metadata_in_the_archive_is_the_same(bench: Bench) -> None:
    bench.helm.add("web", "3.0.0", archive=chart("web", "v3.0.0"))
    bench.declare(version="3.0.0")
    assert bench.run().version == "3.0.0"


def test_check_finds_every_flipped_byte_without_network(bench: Bench) -> None:
    bench.run()
    assert check(bench.platform, ["web"]) == []
    for path in sorted(p for p in bench.folder().rglob("*") if p.is_file()):
        data, state = path.read_bytes(), path.stat()
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])

        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        [problem] = check(bench.platform, ["web"])
        assert problem.file == path.relative_to(bench.root).as_posix() and "changed" in problem.message
        path.write_bytes(data)
    assert check(bench.platform, ["web"]) == []


def test_check_names_what_is_missing(bench: Bench) -> None:
    assert "is not in mop.lock" in check(bench.platform, ["web"])[0].message
    bench.run()
    shutil.rmtree(bench.root / "charts")
    assert "is not there" in check(bench.platform, ["web"])[0].message
    bench.declare(version="2.0.0")
    assert any("asks for version" in problem.message for problem in check(bench.platform, ["web"]))


def test_what_mop_yaml_no_longer_declares_leaves_the_lock(bench: Bench) -> None:
    bench.helm.add("db", "1.0.0")
    bench.declare("db")
    bench.run()
    bench.run("db")
    del bench.charts["db"]
    with pytest.raises(VendorError, match=r"db, which mop\.yaml does not declare"):
        forget(bench.platform, Options(locked=True))
    assert forget(bench.platform, FREE) == ["db"]
    assert not bench.folder("db").exists() and bench.current()
    assert list(lockfile.load(bench.root / "mop.lock").charts) == ["web"]


def test_an_edited_folder_outlives_its_entry(bench: Bench) -> None:
    bench.run()
    (bench.folder() / "values.yaml").write_text("mine")
    del bench.charts["web"]
    assert forget(bench.platform, FREE) == ["web"]
    assert bench.folder().exists()


def test_a_full_disk_leaves_everything_as_it_was(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run()
    before = trees.files(bench.folder()), (bench.root / "mop.lock").read_bytes()
    bench.declare(version="2.0.0")
    opened = Path.open

    def full(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if "x" in mode and path.name == "values.yaml":
            raise OSError(28, "No space left on device", str(path))
        return opened(path, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(VendorError, match="charts/web cannot be written: No space left on device"):
        bench.run(options=Options(locked=False, update=None))
    assert (trees.files(bench.folder()), (bench.root / "mop.lock").read_bytes()) == before
    assert not (bench.root / "charts" / trees.STAGING).exists()


def test_an_address_with_a_signature_is_not_locked_but_looked_up_again(bench: Bench) -> None:
    data = bench.helm.add("web", "1.5.0", urls=["signed.tgz?token=secret"])
    bench.helm.site.answers["/charts/signed.tgz?token=secret"] = data
    bench.run()
    assert "secret" not in (bench.root / "mop.lock").read_text()
    shutil.rmtree(bench.root / "charts")
    shutil.rmtree(bench.root.parent / "cache")
    assert bench.run().change == "restored"


# ---------------------------------------------------------------- subcharts


def test_subcharts_that_the_archive_lacks_are_fetched_and_locked(bench: Bench) -> None:
    bench.helm.add("cache", "4.1.0")
    bench.helm.add("cache", "4.2.0")
    dependencies = [{"name": "cache", "version": "^4.0", "repository": bench.helm.url}]
    bench.helm.add("web", "1.5.0", archive=chart("web", "1.5.0", dependencies=dependencies))
    bench.run()
    [subchart] = bench.locked().subcharts
    assert (subchart.path, subchart.version, subchart.source) == ("charts/cache", "4.2.0", bench.helm.url)
    shutil.rmtree(bench.root / "charts")
    bench.helm.add("cache", "4.9.0")
    bench.run()
    assert bench.requests == 0 and bench.current()
    assert "4.2.0" in (bench.folder() / "charts/cache/Chart.yaml").read_text()


def test_a_chart_lock_says_which_version(bench: Bench) -> None:
    bench.helm.add("cache", "4.1.0")
    bench.helm.add("cache", "4.2.0")
    dependencies = [{"name": "cache", "version": "^4.0", "repository": bench.helm.url}]
    files = chart_files("web", "1.5.0", dependencies=dependencies)
    files["Chart.lock"] = "dependencies:\n- name: cache\n  version: 4.1.0\n"
    bench.helm.add("web", "1.5.0", archive=pack(files, "web"))
    bench.run()
    assert bench.locked().subcharts[0].version == "4.1.0"


def test_subcharts_that_the_archive_brings_are_left_as_they_are(bench: Bench) -> None:
    dependencies = [
        {"name": name, "version": "1", "repository": "https://gone.invalid"} for name in ("a", "b")
    ]
    files: dict[str, Any] = dict(chart_files("web", "1.5.0", dependencies=dependencies))
    files["charts/a-1.0.0.tgz"] = chart("a", "1.0.0")
    files |= {f"charts/whatever/{name}": text for name, text in chart_files("b", "1.0.0").items()}
    bench.helm.add("web", "1.5.0", archive=pack(files, "web"))
    bench.run()
    assert bench.locked().subcharts == ()
    assert (bench.folder() / "charts/a-1.0.0.tgz").read_bytes() == chart("a", "1.0.0")


def test_subcharts_of_subcharts_and_neighbours_in_git(bench: Bench, git: Repositories) -> None:
    bench.helm.add("deep", "1.0.0")
    common = chart_files(
        "common", "0.1.0", dependencies=[{"name": "deep", "version": "1", "repository": bench.helm.url}]
    )
    web = chart_files(
        "web", "1.0.0", dependencies=[{"name": "common", "version": "*", "repository": "file://../common"}]
    )
    files = {
        f"charts/{chart}/{name}": text
        for chart, all_ in (("common", common), ("web", web))
        for name, text in all_.items()
    }
    first = git.commit("ops/charts", files)
    bench.declare(source=f"git+{git.url}/ops/charts.git//charts/web?ref=main", version="")
    bench.run()
    found = {each.path: each for each in bench.locked().subcharts}
    assert set(found) == {"charts/common", "charts/common/charts/deep"}
    assert f"charts/common?ref={first}" in found["charts/common"].url
    git.commit("ops/charts", {"charts/common/values.yaml": "changed: true\n"})
    git.requests.clear()
    shutil.rmtree(bench.root / "charts")
    bench.run()
    assert git.requests == [] and bench.requests == 0 and bench.current()


@pytest.mark.parametrize(
    ("dependency", "expected"),
    [
        ({"name": "x", "version": "1"}, "not in its charts/"),
        ({"name": "x", "version": "1", "repository": "@stable"}, "repository 'stable', which mop.yaml"),
        ({"name": "x", "version": "1", "repository": "file://../x"}, "not in its charts/"),
        ({"name": "x", "version": "1", "repository": "https://ada:pw@a.example.com"}, "holds a login"),
        ({"name": "../x", "version": "1", "repository": "https://a"}, "no chart's name"),
    ],
)
def test_a_subchart_that_cannot_be_had_is_told(
    bench: Bench, dependency: dict[str, str], expected: str
) -> None:
    bench.helm.add("web", "1.5.0", archive=chart("web", "1.5.0", dependencies=[dependency]))
    with pytest.raises(VendorError, match=expected):
        bench.run()
    assert not bench.folder().exists()


def test_a_neighbour_outside_of_the_repository_is_refused(bench: Bench) -> None:
    dependencies = [{"name": "x", "version": "1", "repository": "file://../../../x"}]
    write_files(bench.root / "my" / "web", chart_files("web", "1.0.0", dependencies=dependencies))
    bench.declare(source="./my/web", version="")
    with pytest.raises(VendorError, match="lies outside of its repository"):
        bench.run()


def test_a_chart_that_depends_on_itself_is_no_endless_loop(bench: Bench) -> None:
    dependencies = [{"name": "loop", "version": "*", "repository": bench.helm.url}]
    bench.helm.add("loop", "1.0.0", archive=chart("loop", "1.0.0", dependencies=dependencies))
    bench.declare("loop", version="1.0.0")
    with pytest.raises(VendorError, match="without end"):
        bench.run("loop")


# ---------------------------------------------------------------- interruptions and company


class Killed(BaseException):
    """The process ends here."""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
@given(step=st.integers(0, 60), force=st.booleans())
def test_a_kill_at_any_step_leaves_the_old_tree_or_the_new_and_the_next_run_finishes(
    bench: Bench, step: int, force: bool
) -> None:
    bench.declare(version="1.0.0")
    bench.run(options=Options(locked=False, update=None, force=True))
    old = trees.files(bench.folder())
    bench.declare(version="2.0.0")
    update = Options(locked=False, update=None, force=force)
    with pytest.MonkeyPatch.context() as patch:
        _killed_at(step, patch)
        with contextlib.suppress(Killed):
            bench.run(options=update)
    found = trees.files(bench.folder())
    assert found == old or "2.0.0" in (bench.folder() / "Chart.yaml").read_text()
    bench.run(options=update)
    assert bench.current() and bench.locked().version == "2.0.0"
    assert sorted(path.name for path in (bench.root / "charts").iterdir()) == ["web"]


def _killed_at(step: int, patch: pytest.MonkeyPatch) -> None:
    """The calls that change files count; from the one of number `step` on none is made any more."""

    counted = 0

    def counting(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted_call(*args: Any, **kwargs: Any) -> Any:
            nonlocal counted
            counted += 1
            if counted > step:
                raise Killed
            return call(*args, **kwargs)

        return counted_call

    for name in ("rename", "unlink", "rmdir", "mkdir", "replace", "chmod"):
        patch.setattr(os, name, counting(getattr(os, name)))
    patch.setattr(trees, "_exchange", counting(trees._exchange))


def test_two_that_vendor_the_same_at_once_do_it_once(bench: Bench) -> None:
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda: outcomes.append(bench.run())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.change for outcome in outcomes) == ["added", "kept", "kept", "kept"]
    assert len(bench.helm.site.asked("/charts/web-1.2.0.tgz")) == 1
    assert bench.current()
