"""The lock files hold what pyproject.toml asks for, each version with its hashes, and no address of an index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
RUNTIME, DEV = "requirements.lock", "requirements-dev.lock"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.M)


def pins(name: str) -> dict[str, str]:
    return {canonicalize_name(pin): version for pin, version in PINNED.findall((ROOT / name).read_text())}


def asked(group: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    texts = project["project"]["dependencies"] if group == RUNTIME else project["dependency-groups"]["dev"]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("name", [RUNTIME, DEV])
def test_each_requirement_is_locked_at_a_version_that_it_allows(name: str) -> None:
    locked = pins(name)
    wrong = [
        str(each)
        for each in asked(name)
        if not each.specifier.contains(locked.get(canonicalize_name(each.name), "0"), prereleases=True)
        or canonicalize_name(each.name) not in locked
    ]
    assert not wrong, "`inv lock` writes the lock files anew"


def test_the_tools_of_development_share_the_versions_that_users_get() -> None:
    runtime, dev = pins(RUNTIME), pins(DEV)
    assert {name: dev[name] for name in runtime.keys() & dev} == {
        name: runtime[name] for name in runtime.keys() & dev
    }


@pytest.mark.parametrize("name", [RUNTIME, DEV])
def test_everything_has_a_hash_and_nothing_an_address(name: str) -> None:
    text = (ROOT / name).read_text()
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", text)[1:]
    assert len(blocks) == len(pins(name))
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)


def test_each_dependency_says_why_it_is_there() -> None:
    told = (ROOT / "docs/explanation/dependencies.md").read_text()
    rows = {name.strip() for row in re.findall(r"(?m)^\| ([^|]+) \|", told) for name in row.split(",")}
    assert rows - {"package"} == {each.name for group in (RUNTIME, DEV) for each in asked(group)}
