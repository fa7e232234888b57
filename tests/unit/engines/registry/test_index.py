"""index.yaml: one chart's entries, read from the middle of a large file, as from the whole of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop import goyaml
from mop.engines.registry.index import Entry, _slice, charts, entries
from mop.errors import VendorError

D1, D2 = "a" * 64, "b" * 64

WRITTEN_BY_HELM = f"""\
apiVersion: v1
entries:
  loki:
  - annotations:
      artifacthub.io/changes: |
        - kind: added
          description: "tempo:"
      tempo: none
    description: |
      A chart that talks of others.

        tempo:
        - it is fine
    digest: {D1}
    name: loki
    urls:
    - https://example.com/loki-6.1.0.tgz
    version: 6.1.0
  # a comment
  tempo:
  - digest: sha256:{D2}
    name: tempo
    urls:
    - tempo-1.0.0.tgz
    version: 1.0.0
generated: "2024-01-01T00:00:00Z"
"""


def test_the_lines_of_one_chart_are_cut_out() -> None:
    index = WRITTEN_BY_HELM.encode()
    assert entries(index, "loki", "x") == [Entry("6.1.0", ("https://example.com/loki-6.1.0.tgz",), D1)]
    assert entries(index, "tempo", "x") == [Entry("1.0.0", ("tempo-1.0.0.tgz",), D2)]
    assert entries(index, "mimir", "x") == []
    assert charts(index, "x") == ["loki", "tempo"]
    part = _slice(index, "loki")
    assert part is not None and b"sha256" not in part


_ENTRY = st.fixed_dictionaries(
    {
        "version": st.sampled_from(["1.0.0", "1.1.0", "2.0.0", "nonsense", "1"]),
        "urls": st.lists(st.sampled_from(["a.tgz", "https://example.com/b.tgz"]), min_size=1, max_size=2),
        "digest": st.sampled_from([D1, ""]),
        "description": st.text(max_size=30) | st.just("web:\n- x\n\n  web:\n"),
        "annotations": st.dictionaries(st.sampled_from(["web", "db"]), st.text(max_size=10), max_size=2),
    }
)
_INDEX = st.dictionaries(
    st.sampled_from(["web", "db", "cache", "web-app", "x"]),
    st.lists(_ENTRY, min_size=1, max_size=3, unique_by=lambda entry: entry["version"]),
    min_size=1,
)


@given(_INDEX, st.sampled_from(["web", "db", "x"]), st.booleans())
def test_the_short_way_finds_what_the_long_way_finds(
    found: dict[str, list[dict[str, Any]]], chart: str, extra: bool
) -> None:
    document = {
        "apiVersion": "v1",
        "entries": found,
        **({"zzz": {"web": [{"version": "9.9.9"}]}} if extra else {}),
    }
    written = goyaml.dump(document).encode()
    assert entries(written, chart, "x") == entries(json.dumps(document).encode(), chart, "x")


def test_other_ways_to_write_it_are_read_whole() -> None:
    flow = f"apiVersion: v1\nentries: {{loki: [{{version: 1.0.0, urls: [a.tgz], digest: {D1}}}]}}\n"
    deep = f"apiVersion: v1\nentries:\n    loki:\n      - version: 1.0.0\n        urls: [a.tgz]\n        digest: {D1}\n"
    for text in (flow, deep):
        assert entries(text.encode(), "loki", "x") == [Entry("1.0.0", ("a.tgz",), D1)]


def test_invalid_versions_are_passed_over_as_helm_does() -> None:
    listed = [
        {"version": "latest", "urls": ["a"]},
        {"urls": ["a"]},
        "text",
        {"version": "1.0.0", "urls": ["a"]},
    ]
    document = {"apiVersion": "v1", "entries": {"web": listed}}
    assert [entry.version for entry in entries(json.dumps(document).encode(), "web", "x")] == ["1.0.0"]


def test_a_version_twice_is_an_error_only_if_it_says_two_things() -> None:
    def index(first: str, second: str) -> bytes:
        listed = [{"version": "1.0.0", "urls": ["a"], "digest": digest} for digest in (first, second)]
        return json.dumps({"apiVersion": "v1", "entries": {"web": listed}}).encode()

    assert len(entries(index(D1, D1), "web", "x")) == 1
    with pytest.raises(VendorError, match=r"1\.0\.0 of web is there twice, with two digests"):
        entries(index(D1, D2), "web", "x")


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nentries: [",
        "{not json",
        "<html></html>",
        "entries: {}\n",
        "- a\n",
        "",
        "apiVersion: v1\nentries: text\n",
        "apiVersion: v1\nentries:\n  web:\n  - version: 1.0.0\n  web:\n  - version: 2.0.0\n",
    ],
)
def test_what_is_no_index_is_told(text: str) -> None:
    with pytest.raises(VendorError, match="is no index of charts"):
        entries(text.encode(), "web", "https://example.com/index.yaml")
