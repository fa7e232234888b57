"""A revision is kept whole, split where it must be, and read back as it was."""

from __future__ import annotations

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.errors import ClusterError, UsageError
from mop.results import Origin, Outcome, Revision
from mop.rollout.applyset import Owner
from mop.rollout.history import check_promoted, previous
from mop.rollout.names import ENVIRONMENT
from mop.rollout.revisions import TYPE, decode, encode, read
from tests.unit.objects import config_map, secret

WEB = Owner("staging", "web", "monitoring")
ORIGIN = Origin("0123abc", "alice", "raise the limit", {"charts/loki": "sha256:1"})


def revision(number: int, outcome: Outcome = "ready", origin: Origin = ORIGIN) -> Revision:
    return Revision("staging", "web", number, "2026-01-31T12:00:00Z", outcome, 2, 1, origin)


def random_text(size: int) -> str:
    return base64.b64encode(os.urandom(size)).decode()


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none())))
def test_what_is_kept_is_read_back(values: list[dict[str, object]]) -> None:
    manifests = [config_map(f"c{number}") | {"data": value} for number, value in enumerate(values)]
    assert decode(encode(WEB, revision(3), manifests)) == manifests


def test_facts_are_read_from_metadata_alone() -> None:
    (kept,) = encode(WEB, revision(3), [config_map()])
    assert read({"metadata": kept["metadata"]}) == revision(3)
    assert kept["type"] == TYPE


def test_a_revision_does_not_look_like_an_object_of_its_component() -> None:
    """Every plan lists the Secrets of the environment; these must not come with them."""
    (kept,) = encode(WEB, revision(3), [config_map()])
    assert ENVIRONMENT not in kept["metadata"]["labels"]


def test_no_value_of_a_secret_stands_in_a_revision_in_plain_text() -> None:
    assert "MARKER" not in str(encode(WEB, revision(1), [secret(a="MARKER-1")]))


def test_what_one_secret_cannot_hold_is_split_and_joined() -> None:
    manifests = [config_map(f"c{number}", data=random_text(300_000)) for number in range(8)]
    parts = encode(WEB, revision(1), manifests)
    assert len(parts) > 2
    assert all(len(base64.b64decode(part["data"]["manifests"])) <= 1024 * 1024 for part in parts)
    assert len({part["metadata"]["name"] for part in parts}) == len(parts)
    assert read(parts[0]).parts == len(parts)
    assert decode(parts) == manifests


def test_the_same_manifests_are_kept_in_the_same_bytes() -> None:
    assert encode(WEB, revision(1), [config_map()]) == encode(WEB, revision(1), [config_map()])


def test_a_part_that_is_missing_or_damaged_is_said() -> None:
    (kept,) = encode(WEB, revision(1), [config_map()])
    with pytest.raises(ClusterError, match="not whole"):
        decode([kept, None])
    with pytest.raises(ClusterError, match="cannot be read"):
        decode([{**kept, "data": {"manifests": "AAAA"}}])
    with pytest.raises(ClusterError, match="cannot be read"):
        decode([{**kept, "data": None}])


class TestGoingBack:
    KEPT = (revision(5, "failed"), revision(4, "failed"), revision(3), revision(2))

    def test_it_goes_to_the_newest_ready_one_before_the_newest(self) -> None:
        assert previous(self.KEPT, WEB).number == 3
        assert previous((revision(7), revision(6)), WEB).number == 6

    def test_or_to_the_one_that_is_named_whatever_its_outcome(self) -> None:
        assert previous(self.KEPT, WEB, 4).number == 4

    def test_what_is_not_kept_is_said_with_what_is(self) -> None:
        with pytest.raises(UsageError, match=r"has no revision 1; kept are: 5, 4, 3, 2"):
            previous(self.KEPT, WEB, 1)
        with pytest.raises(UsageError, match="no earlier revision that was ready; kept are: 5"):
            previous(self.KEPT[:1], WEB)


class TestPromotion:
    def test_the_same_origin_that_is_ready_may_pass(self) -> None:
        check_promoted([revision(2), revision(1, "failed")], "staging", ["web"], {"web": ORIGIN})

    @pytest.mark.parametrize(
        ("found", "words"),
        [
            ([], "staging/web has no revision"),
            ([revision(2, "failed"), revision(1)], "staging/web is failed"),
            ([revision(2, origin=Origin(digests={"charts/loki": "sha256:2"}))], "charts/loki differ"),
        ],
    )
    def test_anything_else_may_not(self, found: list[Revision], words: str) -> None:
        with pytest.raises(UsageError, match=words):
            check_promoted(found, "staging", ["web"], {"web": ORIGIN})

    def test_commit_and_author_do_not_matter(self) -> None:
        other = Origin("ffff", "bob", "", ORIGIN.digests)
        check_promoted([revision(1, origin=other)], "staging", ["web"], {"web": ORIGIN})
