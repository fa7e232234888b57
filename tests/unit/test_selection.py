"""`--env`, `--component` and `--shard`: names, lists, globs, and what is said of unknown ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.errors import UsageError
from mop.model import Platform
from mop.selection import Selected, select, shard
from tests.unit.platforms import environment, platform


@pytest.fixture
def three(tmp_path: Path) -> Platform:
    return platform(
        tmp_path,
        environment("dev", ["logs", "metrics", "minio"]),
        environment("prod-eu", ["logs", "metrics"]),
        environment("prod-us", ["logs"]),
    )


def names(selected: tuple[Selected, ...]) -> dict[str, list[str]]:
    return {part.environment.name: list(part.components) for part in selected}


def test_one_environment_is_the_default(tmp_path: Path) -> None:
    assert names(select(platform(tmp_path, environment("local")))) == {"local": ["logs", "metrics"]}


def test_with_several_the_command_line_must_say(three: Platform) -> None:
    with pytest.raises(UsageError, match="which environment") as caught:
        select(three)
    assert "dev, prod-eu, prod-us" in caught.value.hint


def test_lists_and_globs_in_the_declared_order(three: Platform) -> None:
    assert list(names(select(three, "prod-us,dev"))) == ["dev", "prod-us"]
    assert list(names(select(three, "prod-*"))) == ["prod-eu", "prod-us"]
    assert list(names(select(three, "*"))) == ["dev", "prod-eu", "prod-us"]


def test_a_glob_does_not_name(three: Platform) -> None:
    assert [part.named for part in select(three, "prod-*,prod-us")] == [False, True]


def test_components_keep_their_order_and_drop_environments_without_them(three: Platform) -> None:
    assert names(select(three, "*", "metrics,logs")) == {
        "dev": ["logs", "metrics"],
        "prod-eu": ["logs", "metrics"],
        "prod-us": ["logs"],
    }
    assert names(select(three, "*", "minio")) == {"dev": ["minio"]}


def test_a_named_environment_must_have_the_named_component(three: Platform) -> None:
    with pytest.raises(UsageError, match="minio is not in environment prod-us"):
        select(three, "prod-us", "minio")


def test_every_unknown_name_is_said_with_the_nearest(three: Platform) -> None:
    with pytest.raises(UsageError) as caught:
        select(three, "prd-eu,stagin,dev")
    assert caught.value.message == "no environment prd-eu (did you mean prod-eu?); no environment stagin"
    with pytest.raises(UsageError, match="did you mean metrics"):
        select(three, "dev", "metrcs")


@given(count=st.integers(1, 8))
def test_shards_are_disjoint_complete_and_stable(count: int) -> None:
    everything = tuple(Selected(environment(f"e{i}"), ("logs",), True) for i in range(11))
    parts = [shard(everything, f"{i}/{count}") for i in range(1, count + 1)]
    found = [part.environment.name for shard_ in parts for part in shard_]
    assert sorted(found) == sorted(part.environment.name for part in everything)
    assert parts == [shard(tuple(reversed(everything)), f"{i}/{count}") for i in range(1, count + 1)]


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2"])
def test_a_shard_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="expected I/N"):
        shard((), text)
