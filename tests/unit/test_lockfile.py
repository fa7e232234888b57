"""mop.lock is written the same for the same facts, and read whole or refused with its line."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.errors import VendorError
from mop.lockfile import (
    ChartLock,
    LibraryLock,
    Lock,
    SubchartLock,
    dump,
    edit,
    load,
    parse,
    with_chart,
    with_library,
)

DIGEST = "0123456789abcdef" * 4

_HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
_TEXT = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable())
_NAME = st.text("abc019-._", min_size=1, max_size=8).filter(lambda name: name.strip("."))
_PATH = st.lists(_NAME, min_size=1, max_size=3).map("/".join)
_SUBCHART = st.builds(SubchartLock, _PATH, _TEXT, _TEXT, _TEXT, st.just("") | _TEXT, st.just("") | _HEX)
_CHART = st.builds(
    ChartLock,
    _NAME,
    _TEXT,
    _TEXT,
    _TEXT,
    _HEX,
    st.just("") | _TEXT,
    st.just("") | _HEX,
    st.lists(_SUBCHART, max_size=3, unique_by=lambda s: s.path).map(
        lambda found: tuple(sorted(found, key=lambda s: s.path))
    ),
)
_LIBRARY = st.builds(
    LibraryLock,
    _PATH,
    _TEXT,
    st.just("") | _TEXT,
    st.just("") | st.text("0123456789abcdef", min_size=40, max_size=40),
    _HEX,
    st.just("") | _TEXT,
)
_LOCK = st.builds(
    Lock,
    st.lists(_CHART, max_size=4).map(lambda found: {c.name: c for c in found}),
    st.lists(_LIBRARY, max_size=4).map(lambda found: {c.path: c for c in found}),
)


@given(_LOCK)
def test_what_is_written_is_read_back(lock: Lock) -> None:
    assert parse(dump(lock)) == lock


@given(_LOCK)
def test_the_order_of_facts_changes_nothing(lock: Lock) -> None:
    turned = Lock(dict(reversed(lock.charts.items())), dict(reversed(lock.libraries.items())))
    assert dump(turned) == dump(lock)


def test_a_lock_is_one_fact_a_line() -> None:
    lock = Lock(
        {
            "loki": ChartLock(
                "loki",
                "community/loki",
                "https://charts.example.com",
                "18.11.0",
                f"a{DIGEST[1:]}",
                url="https://charts.example.com/loki-18.11.0.tgz",
                archive=f"b{DIGEST[1:]}",
                subcharts=(SubchartLock("charts/minio", "minio", "https://minio.example.com", "5.4.0"),),
            )
        }
    )
    assert dump(lock).splitlines()[1:] == [
        "charts:",
        "  loki:",
        f"    archive: b{DIGEST[1:]}",
        "    chart: community/loki",
        "    source: https://charts.example.com",
        "    subcharts:",
        "      charts/minio:",
        "        name: minio",
        "        source: https://minio.example.com",
        '        version: "5.4.0"',
        f"    tree: a{DIGEST[1:]}",
        "    url: https://charts.example.com/loki-18.11.0.tgz",
        '    version: "18.11.0"',
        "version: 1",
    ]


GOOD = f"""\
version: 1
charts:
  loki:
    chart: community/loki
    source: https://charts.example.com
    tree: {DIGEST}
    version: 1.0.0
"""

BAD = {
    "another version": ("version: 2\n", 1, "another MOP wrote this file"),
    "no version": ("charts: {}\n", 1, "found nothing"),
    "nothing": ("", 1, "expected a mapping"),
    "a list": ("- a\n", 1, "expected a mapping"),
    "an unknown section": (f"{GOOD}images: {{}}\n", 8, "unknown key images"),
    "an unknown field": (GOOD.replace("source", "sauce"), 5, "sauce is no field"),
    "a missing field": (GOOD.replace("    version: 1.0.0\n", ""), 3, "version is missing"),
    "a digest that is none": (GOOD.replace(DIGEST, "abc"), 6, "tree is no digest"),
    "an upper-case digest": (GOOD.replace(DIGEST, DIGEST.upper()), 6, "tree is no digest"),
    "a chart twice": (GOOD + GOOD.split("charts:\n")[1], 8, "already defined"),
    "a name that climbs": (GOOD.replace("  loki:", "  ../loki:"), 3, "no name of a folder"),
    "an absolute name": (GOOD.replace("  loki:", "  /loki:"), 3, "no name of a folder"),
    "a merge conflict": (GOOD.replace("  loki:", "<<<<<<< HEAD\n  loki:"), 4, "could not find"),
    "a nested value": (GOOD.replace("1.0.0", "{a: b}"), 7, "version is no field"),
    "subcharts that are a text": (f"{GOOD}    subcharts: none\n", 8, "subcharts"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    text, line, expected = BAD[name]
    (tmp_path / "mop.lock").write_text(text)
    with pytest.raises(VendorError, match="not what `inv vendor` wrote") as caught:
        load(tmp_path / "mop.lock")
    assert any(problem.line == line and expected in problem.message for problem in caught.value.problems), [
        str(problem) for problem in caught.value.problems
    ]


def test_no_file_is_an_empty_lock_and_an_empty_lock_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "mop.lock"
    assert load(path) == Lock()
    edit(path, lambda lock: lock)
    assert not path.exists()


def test_edits_from_many_threads_all_arrive(tmp_path: Path) -> None:
    path = tmp_path / "mop.lock"

    def add(number: int) -> None:
        chart = ChartLock(f"c{number}", "a/b", "https://a", "1", DIGEST)
        library = LibraryLock(f"l{number}", "https://a", "main", "a" * 40, DIGEST)
        edit(path, lambda lock: with_library(with_chart(lock, chart), library))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(load(path).charts) == len(load(path).libraries) == 12
