"""A chart folder as the one archive that Helm would read the same from, made in memory.

Which files count, and in which order, is what Helm's loader says (pkg/chart/v2/loader/directory.go, sympath.Walk and
pkg/ignore/rules.go): to write hundreds of small files, and to remove them again, takes longer than to render some
charts.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mop.engines.gotemplate import NotUnderstood

IGNORE_FILE = ".helmignore"
#: What Helm ignores whatever that file says (Rules.AddDefaults).
_DEFAULT = "templates/.?*"
#: The folder in an archive is called as its maker likes.
_TOP = "chart"
#: Classes, escapes and negation are rare, and Helm has ways of its own with each.
_BEYOND = re.compile(r"[\[\\!]|\*\*|//")


def loaded(names: Iterable[str], ignoring: bytes) -> Iterator[str]:
    """Those of `names`, files of a chart relative to it, that Helm loads, in its order.

    `ignoring`: the content of its `.helmignore`. Raises NotUnderstood.
    """
    rules = [_rule(line) for line in [*_lines(ignoring), _DEFAULT]]
    skipped: dict[str, bool] = {"": False}

    def skips(folder: str) -> bool:
        if folder not in skipped:
            skipped[folder] = skips(folder.rpartition("/")[0]) or _matches(rules, folder, is_folder=True)
        return skipped[folder]

    for name in sorted(names, key=lambda name: name.split("/")):
        if not skips(name.rpartition("/")[0]) and not _matches(rules, name, is_folder=False):
            yield name


def archive(files: Mapping[str, bytes]) -> bytes:
    """A `.tgz` of the chart `files`, in their order; not compressed, as it is read once. Raises NotUnderstood."""
    out = io.BytesIO()
    with tarfile.TarFile(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in files.items():
            if "\\" in name:  # in an archive Helm takes it for a separator
                raise NotUnderstood(name)
            entry = tarfile.TarInfo(f"{_TOP}/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(out.getbuffer(), compresslevel=0, mtime=0)


def chart_files(chart: Path) -> Iterator[tuple[str, str]]:
    """Every file below `chart`, links followed, by its name relative to it."""
    top = f"{chart}/"
    for folder, _, names in os.walk(chart, followlinks=True):
        for name in names:
            path = f"{folder}/{name}"
            if os.path.isfile(path):  # noqa: PTH113 - hot
                yield path.removeprefix(top), path


_Rule = tuple[re.Pattern[str], bool, bool]


def _lines(ignoring: bytes) -> list[str]:
    lines = [
        line.strip() for line in ignoring.decode(errors="surrogateescape").removeprefix("\ufeff").split("\n")
    ]
    return [line for line in lines if line and not line.startswith("#")]


def _rule(line: str) -> _Rule:
    """What it matches; whether only folders; whether the whole name, where else the last part of it."""
    if _BEYOND.search(line):
        raise NotUnderstood(f"{IGNORE_FILE}: {line}")
    body = line.removesuffix("/")
    parts = (re.escape(part) for part in re.split(r"([*?])", body.removeprefix("/")))
    wild = {r"\*": "[^/]*", r"\?": "[^/]"}
    pattern = re.compile("".join(wild.get(part, part) for part in parts), re.DOTALL)
    return pattern, body != line, "/" in body


def _matches(rules: list[_Rule], name: str, *, is_folder: bool) -> bool:
    last = name.rpartition("/")[2]
    return any(
        pattern.fullmatch(name if whole else last) is not None
        for pattern, folders, whole in rules
        if is_folder or not folders
    )
