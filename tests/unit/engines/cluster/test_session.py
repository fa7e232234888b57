"""A hiccup is survived, an answer is not asked for twice, and no pause is without an end."""

from __future__ import annotations

import pytest

from mop.engines.cluster import session
from mop.errors import ClusterError, Rejected, Unreachable
from mop.manifest import ref
from tests.unit.engines.cluster.server import Answer, Server, status
from tests.unit.objects import config_map

GOOD = Answer(body=config_map())
AGAIN = ref(config_map())


@pytest.mark.parametrize(
    "hiccup",
    [
        pytest.param(Answer(429, headers={"Retry-After": "1"}), id="too many requests"),
        pytest.param(Answer(500, status("etcdserver: request timed out")), id="500"),
        pytest.param(Answer(503, status("apiserver is shutting down")), id="503"),
        pytest.param(Answer(504, status("timeout")), id="504"),
        pytest.param(Answer(drop=True), id="reset"),
    ],
)
def test_a_hiccup_is_survived(server: Server, pauses: list[float], hiccup: Answer) -> None:
    cluster = server.cluster()
    server.answers = [GOOD, hiccup, hiccup, GOOD]
    cluster.get(AGAIN)
    cluster.apply(config_map())
    assert len(pauses) == 2


def test_a_server_that_asks_for_time_gets_it(server: Server, pauses: list[float]) -> None:
    cluster = server.cluster()
    server.answers = [GOOD, Answer(429, headers={"Retry-After": "7"}), GOOD]
    cluster.get(AGAIN)
    cluster.get(AGAIN)
    assert 5.6 <= pauses[0] <= 8.4


def test_pauses_grow_and_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told by a clock of the test's own, that moves only while pausing."""
    now, made = [0.0], []

    def sleep(seconds: float) -> None:
        made.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(session.time, "sleep", sleep)
    monkeypatch.setattr(session.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(session.random, "uniform", lambda _low, _high: 1.0)
    cluster = server.cluster()
    server.script = lambda _seen: Answer(503, status("still starting"))
    with pytest.raises(ClusterError, match="still starting"):
        cluster.get(AGAIN)
    assert made == [0.1 * 2**n for n in range(6)] + [5.0] * 4
    assert now[0] <= 30


def test_a_500_that_is_an_answer_is_not_asked_for_again(server: Server, pauses: list[float]) -> None:
    server.answers = [Answer(500, status('failed calling webhook "x": denied'))]
    with pytest.raises(Rejected):
        server.cluster().apply(config_map())
    assert pauses == []


def test_a_500_that_nobody_knows_is_asked_for_a_few_times_only(server: Server, pauses: list[float]) -> None:
    server.script = lambda _seen: Answer(500, status("something odd"))
    cluster = server.cluster()
    with pytest.raises(Rejected, match="something odd"):
        cluster.get(AGAIN)
    assert len(server.seen) == 6
    assert sum(pauses) < 4


def test_what_may_have_been_done_is_not_done_twice(server: Server, pauses: list[float]) -> None:
    server.answers = [Answer(drop=True)]
    with pytest.raises(Unreachable):
        server.cluster().create(config_map())
    assert len(server.seen) == 1


def test_a_create_that_was_turned_away_is_sent_again(server: Server, pauses: list[float]) -> None:
    server.answers = [Answer(429), Answer(201, config_map())]
    server.cluster().create(config_map())
    assert len(server.seen) == 2


def test_no_proxy_of_the_environment_is_asked_for_loopback(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.answers = [GOOD]
    assert server.cluster().get(AGAIN) == config_map()
