"""The tasks as doit runs them: order, what is current, failures that stop only what needs them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mop.errors import MopError
from mop.graph import TaskSpec
from mop.runner.doit_tasks import Ledger, execute


def spec(
    name: str, action: Callable[[], Any], *needs: str, current: Callable[[], bool] | None = None
) -> TaskSpec:
    return TaskSpec(name, "", needs, action, current)


def fail() -> None:
    raise MopError("no such thing")


@pytest.fixture(params=[1, 4], ids=["one thread", "four threads"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Ledger]:
    def execute_all(*specs: TaskSpec) -> Ledger:
        ledger = Ledger()
        execute(specs, tmp_path / ".mop" / "doit.db", ledger, request.param)
        return ledger

    return execute_all


def test_tasks_run_after_what_they_need_and_give_outcomes(run: Callable[..., Ledger]) -> None:
    order: list[str] = []
    ledger = run(
        spec("c:x", lambda: order.append("c"), "b:x"),
        spec("a:x", lambda: order.append("a") or "outcome"),
        spec("b:x", lambda: order.append("b"), "a:x"),
    )
    assert order == ["a", "b", "c"]
    assert ledger.results["a:x"].outcome == "outcome"
    assert {result.state for result in ledger.results.values()} == {"done"}


def test_what_is_current_does_not_run(run: Callable[..., Ledger]) -> None:
    ledger = run(
        spec("a:x", fail, current=lambda: True), spec("b:x", lambda: None, "a:x", current=lambda: False)
    )
    assert ledger.results["a:x"].state == "current"
    assert ledger.results["b:x"].state == "done"


def test_whether_a_task_is_current_is_asked_after_what_it_needs(run: Callable[..., Ledger]) -> None:
    made: list[str] = []
    ledger = run(
        spec("a:x", lambda: made.append("a"), current=lambda: False),
        spec("b:x", fail, "a:x", current=lambda: made == ["a"]),
    )
    assert ledger.results["b:x"].state == "current"


def test_a_failure_stops_only_what_needs_it(run: Callable[..., Ledger]) -> None:
    ledger = run(
        spec("a:x", fail),
        spec("b:x", lambda: None, "a:x"),
        spec("c:x", lambda: None),
        spec("d:x", lambda: None, "b:x"),
    )
    states = {name: result.state for name, result in ledger.results.items()}
    assert states == {"a:x": "failed", "b:x": "blocked", "c:x": "done", "d:x": "blocked"}
    assert str(ledger.results["a:x"].error) == "no such thing"
    assert ledger.results["b:x"].error is None


def test_a_defect_is_kept_whole(run: Callable[..., Ledger]) -> None:
    ledger = run(spec("a:x", lambda: 1 // 0))
    assert isinstance(ledger.results["a:x"].error, ZeroDivisionError)


def test_a_failing_question_is_a_defect_too(run: Callable[..., Ledger]) -> None:
    ledger = run(spec("a:x", lambda: None, current=lambda: bool(1 // 0)))
    assert ledger.results["a:x"].state == "failed"
    assert ledger.results["a:x"].error is not None


def test_independent_tasks_run_side_by_side(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=30)
    ledger = Ledger()
    execute([spec("a:x", both.wait), spec("b:x", both.wait)], tmp_path / "doit.db", ledger, 2)
    assert {result.state for result in ledger.results.values()} == {"done"}


def test_a_damaged_database_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "doit.db").write_bytes(b"this is no database, it is a sentence" * 100)
    ledger = Ledger()
    execute([spec("a:x", lambda: None)], tmp_path / "doit.db", ledger, 1)
    assert ledger.results["a:x"].state == "done"
