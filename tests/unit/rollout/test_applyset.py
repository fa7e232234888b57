"""Sets are written down as KEP-3659 says."""

from __future__ import annotations

import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from mop.manifest import ref
from mop.rollout.applyset import (
    GROUP_KINDS,
    ID,
    NAMESPACES,
    TOOLING,
    Extent,
    Owner,
    extent,
    owner,
    parent,
)
from tests.unit.objects import config_map, deployment, namespace, obj

LOKI = Owner("staging", "loki", "monitoring")
EXTENTS = st.builds(
    Extent,
    st.frozensets(
        st.tuples(st.sampled_from(["", "apps", "a.b.example.com"]), st.sampled_from(["Secret", "Widget"]))
    ),
    st.frozensets(st.sampled_from(["monitoring", "other", "more"])),
)


def test_an_identity_is_the_hash_of_its_parent() -> None:
    digest = hashlib.sha256(b"mop-staging-loki.monitoring.Secret.").digest()
    expected = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert LOKI.set_id == f"applyset-{expected}-v1"
    assert len(LOKI.set_id) <= 63  # it is a label's value


def test_a_parent_says_what_kubectl_reads() -> None:
    refs = [ref(m) for m in (deployment(), config_map(), namespace(), obj("v1", "ConfigMap", "x", "other"))]
    metadata = parent(LOKI, Extent.of(refs))["metadata"]
    assert metadata["labels"][ID] == LOKI.set_id
    assert metadata["annotations"][TOOLING].startswith("mop/v")
    assert metadata["annotations"][GROUP_KINDS] == "ConfigMap,Deployment.apps,Namespace"
    assert metadata["annotations"][NAMESPACES] == "other"


@given(EXTENTS)
def test_what_a_parent_says_is_read_back(given_extent: Extent) -> None:
    live = parent(LOKI, given_extent)
    assert extent(live) == given_extent | Extent(namespaces=frozenset({"monitoring"}))
    assert owner(live) == LOKI


def test_two_components_and_two_environments_have_sets_of_their_own() -> None:
    others = [Owner("staging", "tempo", "monitoring"), Owner("production", "loki", "monitoring")]
    assert len({LOKI.set_id, *(other.set_id for other in others)}) == 3
