"""What the README shows is so: its links lead somewhere, its commands exist, its mop.yaml loads, its output is ours."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mop import config
from tests.cli.conftest import Mop

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """This repository's platform, without what was made in it."""
    for name in ("environments", "lib"):
        shutil.copytree(ROOT / name, tmp_path / "clone" / name)
    shutil.copy(ROOT / "mop.yaml", tmp_path / "clone")
    return tmp_path / "clone"


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_commands_exist(mop: Mop) -> None:
    listed = set(re.findall(r"^  ([\w.-]+)", mop(ROOT, "--help").out, re.MULTILINE))
    named = set(re.findall(r"\./inv ([a-z.]+)", README)) | {
        "show",
        "export",
        "apply",
        "deploy",
        "graph",
        "init",
    }
    assert named - listed == set()


def test_mop_yaml_loads(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "mop.yaml").write_text(example)
    platform = config.load(tmp_path / "mop.yaml")
    assert list(platform.environments) == ["local", "staging"]


def test_render_prints_what_it_shows(clone: Path, mop: Mop) -> None:
    shown = re.search(r"\$ ./inv render\n(.*?)\$ ./inv render\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    assert shape(mop(clone, "render").err) == shape(shown[1])
    assert shape(mop(clone, "render").err) == shape(shown[2])


def shape(text: str) -> list[str]:
    """Lines without times, in one order: tasks side by side end in any."""
    return sorted(re.sub(r"[\s(]+\d+\.\d+ s", " T", line).strip() for line in text.splitlines())
