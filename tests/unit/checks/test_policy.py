"""Which checks run where, how grave what they find is, and the list that people read."""

from __future__ import annotations

from mop.checks import CHECKS, NAMES, policy
from mop.checks.objects import Objects
from mop.problem import Problem
from tests.unit.platforms import environment


def test_a_protected_environment_is_never_laxer_than_an_ordinary_one() -> None:
    rank = {"off": 0, "warning": 1, "error": 2}
    assert all(rank[check.protected] >= rank[check.level] for check in CHECKS)


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_mop_yaml_has_the_last_word() -> None:
    strict = environment("prod", protected=True, validate={"checks": {"probes": "error", "endpoints": "off"}})
    wanted = policy.levels(strict)
    assert (wanted["probes"], wanted["endpoints"], wanted["requests"]) == ("error", "off", "warning")


def test_what_a_check_calls_a_warning_stays_one() -> None:
    env = environment("test")
    found = [Problem("odd", level="warning", check="mounts"), Problem("wrong", check="mounts")]
    assert [p.level for p in policy.settle(Objects(env, {}), found, {})] == ["warning", "error"]


def test_what_mop_yaml_calls_an_error_is_one_whatever_its_check_says() -> None:
    env = environment("test", validate={"checks": {"chart-values": "error"}})
    found = [Problem("dropped", level="warning", check="chart-values")]
    assert [p.level for p in policy.settle(Objects(env, {}), found, {})] == ["error"]


def test_a_check_that_is_off_does_not_run() -> None:
    env = environment("test", validate={"checks": {check.name: "off" for check in CHECKS}})
    broken = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "1", "namespace": "nowhere"}}
    objects = Objects(env, {"a": [broken], "b": [broken]})
    assert list(policy.run(objects, across=True)) == []
    assert list(policy.run(objects, across=False)) == []
