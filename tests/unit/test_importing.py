"""What Tanka and jsonnet-bundler declare, as mop.yaml would say it."""

from __future__ import annotations

import json

import pytest

from mop import importing
from mop.errors import VendorError


def test_names_become_such_as_mop_yaml_can_have_and_stay_apart() -> None:
    text = b"""\
version: 1
directory: helm/charts
repositories:
- {name: Grafana_Labs, url: https://grafana.example.com/charts/}
- {name: known, url: https://known.example.com}
requires:
- {chart: Grafana_Labs/loki, version: 6.0.0}
- {chart: Grafana_Labs/loki, version: 5.0.0, directory: Loki_Old}
- {chart: Grafana_Labs/loki, version: ^4, directory: loki.old}
- {chart: known/web, version: 1.0.0}
"""
    found = importing.chartfile(text, "chartfile.yaml", {"ours": "https://known.example.com/"})
    assert found.repositories == {"grafana-labs": {"url": "https://grafana.example.com/charts"}}
    assert {name: dict(chart) for name, chart in found.charts.items()} == {
        "loki": {"chart": "grafana-labs/loki", "version": "6.0.0"},
        "loki-old": {"chart": "grafana-labs/loki", "version": "5.0.0"},
        "loki-old-2": {"chart": "grafana-labs/loki", "version": "^4"},
        "web": {"chart": "ours/web", "version": "1.0.0"},
    }
    assert found.notes[0] == "the chart helm/charts/loki will lie in charts/loki: change what names it"
    assert len(found.notes) == 4


def test_libraries_keep_their_versions_and_what_is_lost_is_said() -> None:
    def git(remote: str, subdir: str = "", **more: object) -> dict[str, object]:
        return {"source": {"git": {"remote": remote, "subdir": subdir}}, "version": "main", **more}

    listed = [
        git("https://github.com/grafana/jsonnet-libs.git", "ksonnet-util"),
        git("git@github.com:acme/ksonnet-util.git", single=True),
        git("https://gitlab.com/a/b/c.git", "d", name="other"),
        {"source": {"local": {"directory": "lib/ours/"}}, "version": ""},
        {"source": {"local": {"directory": "../theirs"}}, "version": ""},
    ]
    text = json.dumps({"version": 1, "dependencies": listed, "legacyImports": False}).encode()
    found = importing.jsonnet(text, "jsonnetfile.json")
    assert found.libraries == {
        "ksonnet-util": "github.com/grafana/jsonnet-libs/ksonnet-util@main",
        "ksonnet-util-2": "ssh://git@github.com/acme/ksonnet-util.git@main",
        "d": "https://gitlab.com/a/b/c.git/d@main",
        "ours": "./lib/ours",
    }
    assert [note.split("`")[1] if "`" in note else note.split()[0] for note in found.notes] == [
        "single",
        "gitlab.com/a/b/c/d:",
        "../theirs",
        "legacyImports",
    ]


def test_what_is_no_jsonnetfile_is_refused() -> None:
    with pytest.raises(VendorError, match="is no JSON"):
        importing.jsonnet(b"---", "jsonnetfile.json")
