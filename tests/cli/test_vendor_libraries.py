"""`mop vendor` of charts and Jsonnet libraries together, as the repository's users run it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mop import lockfile
from tests.cli.conftest import Mop, Result, write
from tests.servers.charts import HelmRepository
from tests.servers.git_http import Repositories, git_server
from tests.servers.web import Site, site
from tests.unit.steps.libraries import asking

CHARTS = ("web", "store", "queue", "proxy")
LIBRARIES = ("one", "two", "three", "four", "five", "six")


@dataclass
class Shop:
    """A platform of four charts and six libraries; `five` and `six` ask for `base`, and `two` for `one`."""

    root: Path
    mop: Mop
    site: Site
    git: Repositories

    def vendor(self, *arguments: str) -> Result:
        return self.mop(self.root, "vendor", *arguments)

    def requests(self) -> int:
        """How many requests the servers saw since this was last asked."""
        seen = len(self.site.requests) + len(self.git.requests)
        self.site.requests.clear()
        self.git.requests.clear()
        return seen

    def files(self) -> dict[str, bytes]:
        """All of charts/ and vendor/, links followed."""
        found = [path for name in ("charts", "vendor") for path in (self.root / name).rglob("*")]
        return {
            str(path.relative_to(self.root)): path.read_bytes() for path in sorted(found) if path.is_file()
        }


@pytest.fixture
def shop(tmp_path: Path, mop: Mop) -> Iterator[Shop]:
    with site() as server, git_server(tmp_path / "git") as git:
        helm = HelmRepository(server)
        for name in CHARTS:
            helm.add(name, "1.0.0")
        asked = {"two": ["acme/one"], "five": ["acme/base"], "six": ["acme/base/util"]}
        git.commit("acme/base", {"base.libsonnet": "{}", "util/util.libsonnet": "{}"})
        for name in LIBRARIES:
            depends = asking(*(f"{git.url}/{each}@main" for each in asked.get(name, [])))
            git.commit(f"acme/{name}", {f"{name}.libsonnet": f"{{ {name}: 1 }}", "jsonnetfile.json": depends})
        lines = ["version: 1", "platform: shop", 'kubernetes: "1.34"']
        lines += ["repositories:", f"  shop: {{url: {helm.url}}}", "charts:"]
        lines += [f"  {name}: {{chart: shop/{name}, version: ^1.0}}" for name in CHARTS]
        lines += ["libraries:"] + [f"  {name}: {git.url}/acme/{name}@main" for name in LIBRARIES]
        lines += [f"components: {{app: {{libraries: [{LIBRARIES[0]}]}}, other: {{charts: [web]}}}}"]
        lines += ["environments: {dev: {target: embedded, components: [app]}}"]
        write(
            tmp_path / "shop",
            {
                "mop.yaml": "\n".join(lines) + "\n",
                "environments/dev/main.jsonnet": MAIN,
            },
        )
        yield Shop(tmp_path / "shop", mop, server, git)


def test_charts_and_libraries_are_what_the_lock_says(shop: Shop) -> None:
    first = shop.vendor()
    assert first.code == 0, first.err
    lock = lockfile.load(shop.root / "mop.lock")
    assert sorted(lock.charts) == sorted(CHARTS)
    assert sorted(path.partition("/")[2] for path in lock.libraries) == sorted(
        [*(f"acme/{name}" for name in LIBRARIES), "acme/base", "acme/base/util"]
    )
    before, text = shop.files(), (shop.root / "mop.lock").read_text()
    assert "vendor/127.0.0.1/acme/base/util/util.libsonnet" in before

    shop.requests()
    assert "nothing to do: 10 tasks" in shop.vendor().err
    assert shop.requests() == 0

    for folder in ("charts", "vendor", ".mop"):
        shutil.rmtree(shop.root / folder)
    assert shop.vendor("--locked").code == 0
    assert (shop.requests(), shop.files()) == (0, before)
    assert (shop.root / "mop.lock").read_text() == text


def test_every_flipped_byte_is_found_and_named(shop: Shop) -> None:
    shop.vendor()
    assert shop.vendor("--check").code == 0
    for name in [name for name in shop.files() if (shop.root / name).resolve() == shop.root / name]:
        path = shop.root / name
        before = path.read_bytes()
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]) if before else b"x")
        if name.endswith(
            ("five/jsonnetfile.json", "Chart.yaml")
        ):  # one of each kind through the whole program
            done = shop.vendor("--check")
            assert (done.code, name in done.out) == (1, True), done.out
        path.write_bytes(before)
    assert shop.vendor("--check").code == 0


def test_only_what_the_components_name_is_fetched(shop: Shop) -> None:
    done = shop.mop(shop.root, "show", "--env", "dev", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)[0]["data"] == {"one": "1"}
    lock = lockfile.load(shop.root / "mop.lock")
    assert (list(lock.charts), list(lock.libraries)) == ([], ["127.0.0.1/acme/one"])
    assert not (shop.root / "jsonnetfile.json").exists()  # only a whole `vendor` writes it


def test_an_update_says_what_was_and_what_is(shop: Shop) -> None:
    shop.vendor()
    old = lockfile.load(shop.root / "mop.lock").libraries["127.0.0.1/acme/four"].commit
    new = shop.git.commit("acme/four", {"new.libsonnet": "{}"})
    assert "nothing to do" in shop.vendor().err
    done = shop.vendor("--update", "four")
    assert done.code == 0, done.err
    assert f"updated: main ({old[:12]}) → main ({new[:12]})" in done.err
    assert shop.vendor("--update", "fuor").err.count("did you mean four?") == 1


def test_a_library_that_fails_stops_no_other_and_writes_no_half(shop: Shop) -> None:
    text = (shop.root / "mop.yaml").read_text()
    (shop.root / "mop.yaml").write_text(text.replace("acme/three@main", "acme/three@gone"))
    done = shop.vendor()
    assert done.code == 1
    assert "no branch, tag or commit 'gone'" in done.err
    assert (shop.root / "vendor" / "127.0.0.1" / "acme" / "four").is_dir()
    assert not (shop.root / "vendor" / "127.0.0.1" / "acme" / "three").exists()
    (shop.root / "mop.yaml").write_text(text)
    assert shop.vendor().code == 0


def test_what_is_declared_no_more_leaves_the_lock(shop: Shop) -> None:
    shop.vendor()
    lines = (shop.root / "mop.yaml").read_text().splitlines(keepends=True)
    (shop.root / "mop.yaml").write_text(
        "".join(line for line in lines if not line.startswith(("  five", "  six")))
    )
    done = shop.vendor()
    assert done.err.count("removed from mop.lock") == 4
    assert not (shop.root / "vendor" / "127.0.0.1" / "acme" / "base").exists()


MAIN = """\
{
  app: {
    apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' },
    data: { one: '%d' % (import 'one/one.libsonnet').one },
  },
}
"""
