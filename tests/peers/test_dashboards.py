"""Plain `tk` in this repository: the same values from the same folders, dashboards included."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mop.engines.jsonnet_dashboards import index
from mop.runner.run import Run, open_workspace
from mop.selection import select
from tests.peers.test_tanka import TK, plain

pytestmark = [pytest.mark.peers, pytest.mark.skipif(not TK, reason="MOP_TK names no tk")]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This repository's Jsonnet, as a clone has it."""
    root = tmp_path / "clone"
    for name in ("lib", "environments"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("mop.yaml", "tkrc.yaml"):
        shutil.copy(ROOT / name, root)
    monkeypatch.setenv("MOP_CACHE_DIR", str(tmp_path / "cache"))
    return root


def tk(root: Path) -> Any:
    done = subprocess.run(
        [str(TK), "eval", str(root / "environments/local")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return plain(json.loads(done.stdout))


def mop(root: Path) -> Any:
    """What MOP evaluates for the environment `local`, component by component."""
    workspace = open_workspace(root)
    run = Run(workspace)
    run.execute(run.specs(select(workspace.platform, "local"), ["evaluate"]), 1)
    assert not run.errors
    paths = {
        name: workspace.outputs.evaluated("local", name)
        for name in workspace.platform.environments["local"].components
    }
    return plain({name: json.loads(path.read_text()) for name, path in paths.items()})


def test_tk_gives_what_mop_gives(repository: Path) -> None:
    theirs = tk(repository)
    assert "grafana-platform-health" in theirs["dashboards"]["dashboards"]
    assert mop(repository) == theirs


def test_tk_sees_a_new_dashboard_once_the_index_is_written(repository: Path) -> None:
    folder = repository / "lib/dashboards"
    (folder / "platform/Neu & schön.json").write_text('{"title": "\\u00fc ü", "panels": []}')
    ours = mop(repository)
    assert tk(repository) != ours
    (folder / "index.libsonnet").write_text(index(folder))
    assert tk(repository) == ours


def test_tk_names_the_file_to_mend_for_a_folder_that_the_index_lacks(repository: Path) -> None:
    library = repository / "lib/components/dashboards.libsonnet"
    library.write_text(library.read_text().replace("dashboards('platform'", "dashboards('team'"))
    done = subprocess.run(
        [str(TK), "eval", str(repository / "environments/local")], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "lib/dashboards/index.libsonnet has no folder 'team'; it has: platform" in done.stderr
