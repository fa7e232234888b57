"""Work over threads: results in order, nothing begun after a stop, everything in flight awaited."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mop.rollout.concurrent import Stop, each


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(), max_size=40), st.integers(1, 8))
def test_results_come_in_the_order_of_the_items(items: list[int], workers: int) -> None:
    assert each(lambda item: item * 2, items, workers=workers) == [item * 2 for item in items]


def test_items_run_side_by_side() -> None:
    together = threading.Barrier(4, timeout=10)
    each(lambda _item: together.wait(), range(4), workers=4)


def test_a_failure_waits_for_what_is_in_flight() -> None:
    running, ended = threading.Event(), threading.Event()

    def act(item: int) -> None:
        if item == 0:
            assert running.wait(10)
            raise ValueError("no")
        running.set()
        ended.set()

    with pytest.raises(ValueError, match="no"):
        each(act, [0, 1], workers=2)
    assert ended.is_set()


def test_after_a_stop_nothing_begins() -> None:
    stop, begun = Stop(), []

    def act(item: int) -> None:
        begun.append(item)
        stop.set()

    with pytest.raises(KeyboardInterrupt):
        each(act, range(100), stop=stop, workers=1)
    assert begun == [0]


def test_a_single_item_needs_no_thread_and_minds_a_stop_too() -> None:
    assert each(lambda _item: threading.current_thread(), [1]) == [threading.current_thread()]
    stop = Stop()
    stop.set()
    with pytest.raises(KeyboardInterrupt):
        each(print, [1], stop=stop)
