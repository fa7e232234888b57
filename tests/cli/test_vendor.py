"""`mop vendor` as its users run it: from real servers, offline, in CI, edited, killed, and beside itself."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.conftest import Mop, Result, clean_environ, write
from tests.servers import oci
from tests.servers.charts import HelmRepository, chart, chart_files
from tests.servers.git_http import Repositories, git_server
from tests.servers.oci import Registry, registry
from tests.servers.web import Answer, Site, site

MAIN = """\
local template = std.native('helmTemplate');
{ [name]: template(name, '../../charts/' + name, { calledFrom: std.thisFile, values: {} })
  for name in ['http', 'oci', 'git', 'local'] }
"""


@dataclass
class Shop:
    """A platform whose four charts come from a repository, a registry, git, and itself."""

    root: Path
    mop: Mop
    site: Site
    helm: HelmRepository
    registry: Registry
    git: Repositories
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, **environ: str) -> Result:
        return self.mop(self.root, *arguments, environ={**self.environ, **environ})

    def requests(self) -> int:
        """How many requests the servers saw since this was last asked (the registry tells none of its own)."""
        seen = len(self.site.requests) + len(self.git.requests)
        self.site.requests.clear()
        self.git.requests.clear()
        return seen


@pytest.fixture(scope="session")
def registry_program() -> None:
    oci.program()


@pytest.fixture
def shop(tmp_path: Path, mop: Mop, registry_program: None) -> Iterator[Shop]:
    root = tmp_path / "shop"
    with (
        site() as server,
        registry(tmp_path / "registry", passwords=True) as images,
        git_server(tmp_path / "git") as git,
    ):
        helm = HelmRepository(server)
        helm.add("web", "1.0.0")
        helm.add("web", "1.1.0")
        images.push("charts/web", "2.0.0", chart("web", "2.0.0"))
        git.commit("ops/charts", {f"web/{name}": text for name, text in chart_files("web", "3.0.0").items()})
        write(
            root,
            {
                "mop.yaml": MOP_YAML.format(helm=helm.url, oci=images.url, git=git.url),
                "environments/dev/main.jsonnet": MAIN,
                **{f"my/web/{name}": text for name, text in chart_files("web", "4.0.0").items()},
            },
        )
        login = {"REGISTRY_USERNAME": "ada", "REGISTRY_PASSWORD": "lovelace"}
        yield Shop(root, mop, server, helm, images, git, login)


MOP_YAML = """\
version: 1
platform: shop
kubernetes: "1.34"
repositories:
  helm: {{url: "{helm}"}}
  images: {{url: "{oci}/charts", credentials: "env:REGISTRY"}}
charts:
  http: {{chart: helm/web, version: ^1.0}}
  oci: {{chart: images/web, version: 2.x}}
  git: {{chart: "git+{git}/ops/charts.git//web?ref=main"}}
  local: {{chart: ./my/web}}
components:
  http: {{charts: [http]}}
  oci: {{charts: [oci]}}
  git: {{charts: [git]}}
  local: {{charts: [local]}}
environments:
  dev: {{target: embedded, components: [http, oci, git, local]}}
"""


def test_four_charts_of_four_kinds_of_sources(shop: Shop) -> None:
    first = shop.run("vendor")
    assert first.code == 0, first.err
    assert first.err.count("added:") == 4
    versions = {
        name: (shop.root / "charts" / name / "Chart.yaml").read_text()
        for name in ("http", "oci", "git", "local")
    }
    for name, version in (("http", "1.1.0"), ("oci", "2.0.0"), ("git", "3.0.0"), ("local", "4.0.0")):
        assert version in versions[name]
    lock = (shop.root / "mop.lock").read_text()
    assert "lovelace" not in lock + first.err
    shop.requests()

    again = shop.run("vendor")
    assert again.code == 0 and "nothing to do: 4 tasks" in again.err
    shutil.rmtree(shop.root / "charts")
    # No login, no server: everything is in the cache.
    shop.environ = {}
    restored = shop.run("vendor")
    assert restored.code == 0 and restored.err.count("restored:") == 4, restored.err
    assert shop.requests() == 0
    assert (shop.root / "mop.lock").read_text() == lock
    assert shop.run("vendor", "--check").code == 0


def test_render_vendors_first_what_its_components_name(shop: Shop) -> None:
    assert shop.run("render", "--component", "http,local").code == 0
    assert {path.name for path in (shop.root / "charts").iterdir()} == {"http", "local"}
    whole = shop.run("render")
    assert whole.code == 0, whole.err
    rendered_file = shop.root / ".mop/rendered/dev/http/v1.ConfigMap-http-web.yaml"
    assert 'version: "1.1.0"' in rendered_file.read_text()
    shop.requests()
    assert "nothing to do" in shop.run("render").err
    assert shop.requests() == 0


def test_an_updated_chart_is_rendered_again(shop: Shop) -> None:
    assert shop.run("render").code == 0
    shop.helm.add("web", "1.7.0")
    kept = shop.run("render")
    assert "nothing to do" in kept.err
    updated = shop.run("vendor", "--update", "http")
    assert "updated: 1.1.0 → 1.7.0" in updated.err
    assert shop.run("render").code == 0
    assert '"1.7.0"' in (shop.root / ".mop/rendered/dev/http/v1.ConfigMap-http-web.yaml").read_text()


def test_in_ci_the_lock_does_not_change(shop: Shop) -> None:
    refused = shop.run("vendor", CI="true")
    assert refused.code == 1
    assert "mop.lock has no entry for the chart http" in refused.err
    assert not (shop.root / "mop.lock").exists()
    assert shop.run("render", CI="true").code == 1
    assert shop.run("vendor").code == 0
    shutil.rmtree(shop.root / "charts")
    assert shop.run("render", CI="true").code == 0
    assert "--locked forbids" in shop.run("vendor", "--update", CI="true").err


def test_a_flipped_byte_is_found_and_an_edit_is_never_overwritten(shop: Shop) -> None:
    assert shop.run("vendor").code == 0
    file = shop.root / "charts/oci/values.yaml"
    file.write_text("greeting: hellp\n")
    checked = shop.run("vendor", "--check")
    assert checked.code == 1 and "charts/oci/values.yaml" in checked.out
    refused = shop.run("vendor")
    assert refused.code == 1 and "changed: values.yaml" in refused.err
    assert file.read_text() == "greeting: hellp\n"
    assert shop.run("render").code == 1
    assert shop.run("vendor", "--force").code == 0
    assert shop.run("vendor", "--check").code == 0


def test_one_chart_that_cannot_be_had_does_not_stop_the_others(shop: Shop) -> None:
    shop.site.answers[shop.helm.index_path] = Answer(b"", 403)
    result = shop.run("vendor")
    assert result.code == 1
    assert "403 Forbidden" in result.err and "credentials: env:NAME" in result.err
    assert {path.name for path in (shop.root / "charts").iterdir()} == {"oci", "git", "local"}


def test_an_unknown_name_to_update_has_a_nearest_one(shop: Shop) -> None:
    result = shop.run("vendor", "--update", "htp")
    assert result.code == 1 and "did you mean http?" in result.err


def test_a_platform_without_charts_gets_no_lock(platform: Path, mop: Mop) -> None:
    assert mop(platform, "vendor").code == 0
    assert mop(platform, "render").code == 0
    assert not (platform / "mop.lock").exists() and not (platform / "charts").exists()


def test_a_lock_that_is_broken_is_told_with_its_line(shop: Shop) -> None:
    assert shop.run("vendor").code == 0
    lock = shop.root / "mop.lock"
    lock.write_text(lock.read_text().replace("version: 1\n", "version: 1\n<<<<<<< HEAD\n"))
    for command in (["vendor"], ["render"], ["vendor", "--check"]):
        result = shop.run(*command)
        assert result.code == 1 and "mop.lock:" in result.err, result.err


def test_two_at_once_do_not_harm_each_other(shop: Shop, tmp_path: Path) -> None:
    environ = clean_environ(tmp_path, shop.environ)
    command = [sys.executable, "-m", "mop", "vendor"]
    both = [subprocess.Popen(command, cwd=shop.root, env=environ, stderr=subprocess.PIPE) for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said.decode()
    assert shop.run("vendor", "--check").code == 0
    assert "nothing to do: 4 tasks" in shop.run("vendor").err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_killed_while_it_downloads_leaves_nothing_half(
    shop: Shop, tmp_path: Path, number: signal.Signals
) -> None:
    good = shop.site.answers["/charts/web-1.1.0.tgz"]
    shop.site.answers["/charts/web-1.1.0.tgz"] = Answer(hang=True)
    environ = clean_environ(tmp_path, {**shop.environ, "MOP_HTTP_TIMEOUT": "3"})
    process = subprocess.Popen(
        [sys.executable, "-m", "mop", "vendor"], cwd=shop.root, env=environ, stderr=subprocess.PIPE
    )
    while not shop.site.asked("/charts/web-1.1.0.tgz"):
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL), said.decode()
    assert not (shop.root / "charts/http").exists()
    shop.site.answers["/charts/web-1.1.0.tgz"] = good
    assert shop.run("vendor").code == 0
    assert shop.run("vendor", "--check").code == 0
    assert {p.name for p in (shop.root / "charts").iterdir()} == {"http", "oci", "git", "local"}


def test_clean_does_not_make_vendored_folders_look_edited(shop: Shop) -> None:
    assert shop.run("vendor").code == 0
    lock = (shop.root / "mop.lock").read_bytes()
    shop.helm.add("web", "1.7.0")
    assert shop.run("vendor", "--update", "http").code == 0
    assert shop.run("clean").code == 0
    (shop.root / "mop.lock").write_bytes(lock)
    assert "restored: 1.1.0" in shop.run("vendor").err


def test_an_update_of_the_lock_touches_what_renders_the_chart(shop: Shop) -> None:
    """charts/ is not committed: only mop.lock tells that another chart is there now."""
    write(shop.root, {".gitignore": "/.mop/\n/charts/\n"})
    assert shop.run("vendor").code == 0
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        subprocess.run(["git", "-C", str(shop.root), *identity, *arguments], check=True)

    def touched(*arguments: str) -> set[str]:
        result = shop.run("affected", "--since", "HEAD", "--json", *arguments)
        assert result.code == 0, result.err
        return {one["component"] for one in json.loads(result.out)["components"]}

    assert touched() == touched("--exact") == set()
    shop.helm.add("web", "1.7.0")
    assert shop.run("vendor", "--update", "http").code == 0
    assert touched() == {"http", "oci", "git", "local"}  # inputs belong to the environment
    assert touched("--exact") == {"http"}
    assert "1.7.0" in (shop.root / "charts/http/Chart.yaml").read_text()
