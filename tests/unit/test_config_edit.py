"""Edits of mop.yaml: what was asked for changes, and nothing else, down to the byte."""

from __future__ import annotations

import difflib
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop import config
from mop.config import document
from mop.config.edit import Change, edit, edited_text
from mop.errors import ConfigError

DOCUMENTED = """\
# yaml-language-server: $schema=.mop/schema.json
version: 1
platform: observability                # names labels, locks and reports
kubernetes: "1.34"

repositories:                          # where charts come from
  grafana:   {url: https://grafana.example.com/helm-charts}
  community: {url: https://community.example.com/helm-charts}   # the newer ones

charts:                                # name = its folder
  loki:    {chart: community/loki, version: 18.11.0}
  tempo:   {chart: community/tempo-distributed, version: '2.26.2'}
  # mimir comes later

components:
  loki:    {charts: [loki]}
  tempo:   {charts: [tempo]}

environments:
  local:
    target: embedded
"""


def changed_lines(before: str, after: str) -> list[str]:
    """The lines that differ, as `-old` and `+new`."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


def value(text: str) -> Any:
    return document.read(text.encode(), "mop.yaml").value


def test_an_entry_is_added_below_the_last_one() -> None:
    chart = {"chart": "grafana/mimir", "version": "5.7.0"}
    after = edited_text(DOCUMENTED, [Change(("charts", "mimir"), chart)])
    assert changed_lines(DOCUMENTED, after) == ["+  mimir: {chart: grafana/mimir, version: 5.7.0}"]
    assert after.index("mimir: {") < after.index("# mimir comes later")


def test_a_version_changes_in_its_place_and_its_quotes() -> None:
    after = edited_text(DOCUMENTED, [Change(("charts", "tempo", "version"), "2.27.0")])
    assert changed_lines(DOCUMENTED, after) == [
        "-  tempo:   {chart: community/tempo-distributed, version: '2.26.2'}",
        "+  tempo:   {chart: community/tempo-distributed, version: '2.27.0'}",
    ]


def test_a_new_section_goes_where_it_usually_stands() -> None:
    after = edited_text(DOCUMENTED, [Change(("libraries", "k8s"), "github.com/a/b/1.34@main")])
    assert changed_lines(DOCUMENTED, after) == ["+libraries:", "+  k8s: github.com/a/b/1.34@main", "+"]
    assert "  # mimir comes later\n\nlibraries:\n  k8s: github.com/a/b/1.34@main\n\ncomponents:" in after


def test_an_entry_is_written_as_its_neighbours_are() -> None:
    text = "version: 1\nrepositories:\n    one:\n       url: https://one.example.com # first\n\nother: 1\n"
    after = edited_text(text, [Change(("repositories", "two"), {"url": "https://two.example.com"})])
    assert changed_lines(text, after) == ["+    two:", "+       url: https://two.example.com"]


def test_an_empty_section_keeps_its_comment() -> None:
    text = "version: 1\ncharts: {} # none yet\ncomponents: {}\n"
    after = edited_text(text, [Change(("charts", "loki"), {"chart": "a/loki", "version": "1.0.0"})])
    assert after == (
        "version: 1\ncharts: # none yet\n  loki: {chart: a/loki, version: 1.0.0}\ncomponents: {}\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{version: 1, charts: {a: {chart: x/a, version: 1.0.0}}}\n",
        "{version: 1, charts: {}}",
        '{"version": 1,\n "charts": {"a": {"chart": "x/a", "version": "1.0.0"}, # one\n }}\n',
        "version: 1\ncharts: {\n  # nothing\n}\n",
        "version: 1\r\ncharts:\r\n  a: {chart: x/a, version: 1.0.0} # one\r\nx: 1\r\n",
        "\ufeffversion: 1\ncharts:\n  a: {chart: x/a, version: 1.0.0}",
        "version: 1\ncharts:\n  a:\n    chart: x/a\n    version: |-\n      1.0.0\nx: 1\n",
        "  version: 1\n  charts:\n    a: {chart: x/a, version: 1.0.0}\n",
        "version: 1\ncharts:\n  a: {chart: x/a,\n      version: 1.0.0}  # over lines\n# end\n",
        "version: 1\ncharts:\n  a: &a {chart: x/a, version: 1.0.0}\n  c: *a\n",
        "version: 1\n",
    ],
)
def test_other_ways_to_write_it(text: str) -> None:
    chart = {"chart": "git+https://x.example.com/a.git//b?ref=main", "version": "1.10"}
    after = edited_text(text, [Change(("charts", "b"), chart)])
    assert value(after)["charts"]["b"] == chart
    assert re.findall(r"# \w+", after) == re.findall(r"# \w+", text)
    assert {key: each for key, each in value(after)["charts"].items() if key != "b"} == value(text).get(
        "charts", {}
    )
    assert ("\r\n" in text) == ("\r\n" in after)
    assert "\n" not in after.replace("\r\n", "") or "\r\n" not in text


def test_what_an_alias_stands_for_is_not_changed_behind_its_back() -> None:
    text = "version: 1\ncharts:\n  a: &a {chart: x/a, version: 1.0.0}\n  b: *a\n"
    with pytest.raises(ConfigError, match=r"cannot edit at `charts.b.version`") as caught:
        edited_text(text, [Change(("charts", "b", "version"), "2.0.0")])
    assert "charts: {b: {version: 2.0.0}}" in caught.value.hint


def test_nothing_to_change_changes_nothing() -> None:
    assert edited_text(DOCUMENTED, [Change(("charts", "loki", "version"), "18.11.0")]) is DOCUMENTED


def test_the_file_is_replaced_only_by_a_valid_one(tmp_path: Path) -> None:
    path = tmp_path / "mop.yaml"
    path.write_text(DOCUMENTED)
    path.chmod(0o640)
    with pytest.raises(ConfigError) as caught:
        edit(path, [Change(("charts", "x"), {"chart": "nowhere/x", "version": "1.0.0"})])
    assert [p.message for p in caught.value.problems] == ["no repository is called nowhere"]
    assert path.read_text() == DOCUMENTED
    platform = edit(path, [Change(("charts", "x"), {"chart": "grafana/x", "version": "1.0.0"})])
    assert platform.charts["x"].chart == "grafana/x"
    assert config.load(path) == platform
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "mop.yaml").write_text(DOCUMENTED)
    (tmp_path / "mop.yaml").symlink_to("real/mop.yaml")
    edit(tmp_path / "mop.yaml", [Change(("repositories", "x"), {"url": "https://x.example.com"})])
    assert (tmp_path / "mop.yaml").is_symlink()
    assert "x.example.com" in (tmp_path / "real" / "mop.yaml").read_text()


# ---------------------------------------------------------------- whatever it looks like

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True).filter(
    lambda name: name not in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
)
VERSIONS = st.sampled_from(["1.2.3", "^18", ">=1.2 <2", "0.1.0", "5.x", "~1.2", "1.0", "*"])
ENTRIES = st.dictionaries(NAMES, VERSIONS, max_size=4)


class Writer:
    """Writes a mop.yaml in one of many ways, with numbered comments wherever one may stand."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._comments = 0

    def text(self, charts: dict[str, str] | None) -> str:
        lines = ["version: 1" + self._comment(), "platform: shop", 'kubernetes: "1.34"' + self._comment()]
        lines += self._between()
        lines += ["repositories:", "  shop: {url: https://shop.example.com}" + self._comment()]
        lines += self._between()
        if charts is not None:
            lines += self._charts(charts)
            lines += self._between()
        lines += ["environments:" + self._comment(), "  dev: {target: embedded}"]
        lines += self._between()
        newline = self._draw(st.sampled_from(["\n", "\r\n"]))
        return newline.join(lines) + self._draw(st.sampled_from([newline, ""]))

    def _charts(self, charts: dict[str, str]) -> list[str]:
        flow = [f'"{n}": {{"chart": shop/{n}, version: "{v}"}}' for n, v in charts.items()]
        if not charts or self._draw(st.booleans()):
            return ["charts: {" + self._space() + ", ".join(flow) + self._space() + "}" + self._comment()]
        step = " " * self._draw(st.integers(1, 5))
        lines = ["charts:" + self._comment()]
        for name, version in charts.items():
            if self._draw(st.booleans()):
                lines.append(f'{step}{name}: {self._space()}{{chart: shop/{name}, version: "{version}"}}')
                lines[-1] += self._comment()
            else:
                lines += [f"{step}{name}:" + self._comment(), f"{step}  chart: shop/{name}" + self._comment()]
                lines += [f"{step}  version: '{version}'" + self._comment()]
            lines += self._between(step)
        return lines

    def _between(self, indent: str = "") -> list[str]:
        kinds = self._draw(st.lists(st.sampled_from(["", "comment"]), max_size=2))
        return [f"{indent}{self._number()}" if kind else "" for kind in kinds]

    def _comment(self) -> str:
        return f"{self._space()} {self._number()}" if self._draw(st.booleans()) else ""

    def _number(self) -> str:
        self._comments += 1
        return f"# comment {self._comments}."

    def _space(self) -> str:
        return " " * self._draw(st.integers(0, 3))


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, Change]:
    charts = draw(st.none() | ENTRIES)
    text = Writer(draw).text(charts)
    name, version = draw(NAMES), draw(VERSIONS)
    if charts and draw(st.booleans()):
        return text, Change(("charts", draw(st.sampled_from(sorted(charts))), "version"), version)
    if charts and name in charts:
        return text, Change(("charts", name, "version"), version)
    if draw(st.booleans()):
        return text, Change(("repositories", f"{name}-x"), {"url": "oci://x.example.com/charts"})
    return text, Change(("charts", name), {"chart": f"shop/{name}", "version": version})


@given(cases())
def test_every_edit_keeps_all_comments_and_changes_only_what_was_asked(case: tuple[str, Change]) -> None:
    text, change = case
    before = value(text)
    after = edited_text(text, [change])

    wanted = before
    for key in change.path[:-1]:
        wanted = wanted.setdefault(key, {})
    wanted[change.path[-1]] = change.value
    assert value(after) == before
    assert re.findall(r"# comment \d+\.", after) == re.findall(r"# comment \d+\.", text)
    lost = [line[1:] for line in changed_lines(text, after) if line.startswith("-")]
    # At most one line is another one: that of the value, or that of a section written on one line.
    assert len(lost) <= 1
    assert all(change.path[-2 if len(change.path) == 3 else 0] in line or "version" in line for line in lost)
    assert edited_text(after, [change]) is after
