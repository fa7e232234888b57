"""A watch has no gaps: whatever breaks, every change arrives, in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mop.engines.cluster import watch as module
from mop.engines.protocols import Event
from mop.errors import Denied, Unreachable
from tests.unit.engines.cluster.server import Answer, Seen, Server, status
from tests.unit.objects import NAMESPACE


def pod(name: str, version: int) -> dict[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE, "resourceVersion": str(version), "uid": name}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def listing(version: int, *pods: dict[str, Any]) -> Answer:
    return Answer(
        body={
            "apiVersion": "v1",
            "kind": "PodList",
            "metadata": {"resourceVersion": str(version)},
            "items": list(pods),
        }
    )


def event(kind: str, manifest: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": manifest}


class Story:
    """Answers in order, then closes the watch."""

    def __init__(self, server: Server, *answers: Answer) -> None:
        self.server = server
        self.watch = server.cluster().watch("v1", "Pod", NAMESPACE, "app=web", timeout=60)
        remaining = list(answers)

        def script(_seen: Seen) -> Answer:
            if remaining:
                return remaining.pop(0)
            self.watch.close()
            return Answer(lines=[])

        server.script = script

    def events(self) -> list[tuple[str, str, str]]:
        return [
            (e.type, e.manifest["metadata"]["name"], e.manifest["metadata"]["resourceVersion"])
            for e in self.watch
        ]

    def versions(self) -> list[str | None]:
        """The resourceVersion that each watch request began at; None for a list."""
        return [seen.query.get("resourceVersion") for seen in self.server.seen]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.random, "uniform", lambda _low, _high: 0.0)


def test_what_is_there_comes_first_then_every_change(server: Server) -> None:
    story = Story(
        server,
        listing(5, pod("a", 3), pod("b", 4)),
        Answer(lines=[event("MODIFIED", pod("a", 6)), event("DELETED", pod("b", 7))]),
    )
    assert story.events() == [
        ("ADDED", "a", "3"),
        ("ADDED", "b", "4"),
        ("MODIFIED", "a", "6"),
        ("DELETED", "b", "7"),
    ]
    assert story.versions() == [None, "5", "7"]
    assert server.seen[1].query["labelSelector"] == "app=web"


def test_after_a_break_it_goes_on_from_the_last_version(server: Server) -> None:
    story = Story(
        server,
        listing(5),
        Answer(lines=[event("ADDED", pod("a", 6))]),
        Answer(drop=True),
        Answer(503, status("starting")),
        Answer(lines=[event("BOOKMARK", pod("", 9))]),
        Answer(lines=[event("MODIFIED", pod("a", 10))]),
    )
    assert story.events() == [("ADDED", "a", "6"), ("MODIFIED", "a", "10")]
    assert story.versions() == [None, "5", "6", "6", "6", "9", "10"]


@pytest.mark.parametrize(
    "expired",
    [
        pytest.param(Answer(410, status("too old", "Expired")), id="as an answer"),
        pytest.param(Answer(lines=[event("ERROR", {"kind": "Status", "code": 410})]), id="as an event"),
    ],
)
def test_an_expired_version_means_a_new_list_and_what_went_meanwhile_is_told(
    server: Server, expired: Answer
) -> None:
    story = Story(
        server,
        listing(5, pod("stays", 3), pod("goes", 4)),
        expired,
        listing(20, pod("stays", 15), pod("new", 18)),
        Answer(lines=[]),
    )
    assert story.events()[2:] == [("DELETED", "goes", "4"), ("ADDED", "stays", "15"), ("ADDED", "new", "18")]
    assert story.versions()[2:4] == [None, "20"]


def test_pages_of_the_first_list_are_followed(server: Server) -> None:
    first = listing(5, pod("a", 1))
    first.body["metadata"]["continue"] = "more"
    story = Story(server, first, listing(5, pod("b", 2)))
    assert [name for _, name, _ in story.events()] == ["a", "b"]


def test_what_may_not_be_watched_is_an_error_at_once(server: Server) -> None:
    words = 'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "monitoring"'
    server.answers = [Answer(403, status(words))]
    with pytest.raises(Denied, match="alice may not list pods"):
        list(server.cluster().watch("v1", "Pod", NAMESPACE))


def test_a_server_that_stays_away_is_unreachable_in_the_end(server: Server) -> None:
    cluster = server.cluster()
    watch = cluster.watch("v1", "Pod", NAMESPACE, since="5", timeout=0.2)
    server.script = lambda _seen: Answer(drop=True)
    with pytest.raises(Unreachable):
        list(watch)


def test_it_ends_by_itself_when_its_time_is_over(server: Server) -> None:
    watch = server.cluster().watch("v1", "Pod", NAMESPACE, since="5", timeout=0.2)
    server.script = lambda _seen: Answer(lines=[])
    assert list(watch) == []


def test_close_wakes_a_reader_that_waits_for_news(server: Server) -> None:
    silent, waiting = threading.Event(), threading.Event()

    def nothing() -> Iterator[Any]:
        waiting.set()
        silent.wait(30)
        yield from ()

    server.script = lambda seen: Answer(lines=nothing()) if "watch" in seen.query else listing(5)
    watch = server.cluster().watch("v1", "Pod", NAMESPACE, timeout=60)
    found: list[Event] = []
    reader = threading.Thread(target=lambda: found.extend(watch))
    reader.start()
    assert waiting.wait(10)
    watch.close()
    reader.join(10)
    silent.set()
    assert not reader.is_alive()
    assert found == []
