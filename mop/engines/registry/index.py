"""A Helm repository's index.yaml: the entries of one chart, without reading the tens of megabytes of all others."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from mop import goyaml, semver
from mop.errors import VendorError

_ENTRIES = re.compile(rb"^entries:[ \t]*(?:#.*)?\r?\n", re.MULTILINE)
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of a chart. `urls` may be relative to the repository; `digest`: sha256 of the archive, or ""."""

    version: str
    urls: tuple[str, ...]
    digest: str = ""


def entries(index: bytes, chart: str, where: str) -> list[Entry]:
    """The versions of `chart`; none if the index does not name it. Raises VendorError if it cannot be read.

    An invalid version is passed over, as by Helm; one that is there twice must say the same both times.
    """
    found: dict[str, Entry] = {}
    for item in _items(index, chart, where):
        entry = _entry(item)
        if entry is None:
            continue
        known = found.setdefault(entry.version, entry)
        if known.digest != entry.digest:
            raise VendorError(
                f"{where}: version {entry.version} of {chart} is there twice, with two digests",
                hint="the repository's owner must remove one; until then choose another version",
            )
    return list(found.values())


def charts(index: bytes, where: str) -> list[str]:
    """The names of all charts, to name the nearest of a misspelt one; reads it all, which takes its time."""
    return sorted(_document(index, where))


def _items(index: bytes, chart: str, where: str) -> list[Any]:
    part = _slice(index, chart)
    if part is not None:
        try:
            documents = goyaml.load_all_v2(part)
        except goyaml.YamlError:
            pass  # the lines were something else than they seemed: the whole file will tell
        else:
            items = documents[0].get(chart) if documents and isinstance(documents[0], dict) else None
            if isinstance(items, list):
                return items
    found = _document(index, where).get(chart, [])
    if not isinstance(found, list):
        raise VendorError(f"{where}: expected a list of versions of {chart}, found something else")
    return found


def _slice(index: bytes, chart: str) -> bytes | None:
    """The lines of one chart's entry, where the file is written as `helm repo index` writes it.

    Below `entries:` a line with two spaces and a name begins a chart, and ends the one before; items stand at `  -`
    or deeper. None: it is written otherwise, or the chart is not in it.
    """
    head = _ENTRIES.search(index)
    if head is None:
        return None
    name = re.escape(chart.encode())
    begin = re.compile(rb"^  (?:%b|\"%b\"|'%b'):[ \t]*\r?\n" % (name, name, name), re.MULTILINE)
    starts = list(begin.finditer(index, head.end()))
    if len(starts) != 1:  # twice: the whole file says that it is a mistake
        return None
    end = re.compile(rb"^(?:  )?[^ \t\r\n#-]", re.MULTILINE).search(index, starts[0].end())
    return index[starts[0].start() : end.start() if end else len(index)]


def _document(index: bytes, where: str) -> dict[str, Any]:
    hint = "the repository's owner must mend its index; `url` may also name something else than a Helm repository"
    try:
        # JSON is YAML, and ten times faster to read as what it is.
        document = json.loads(index) if index[:1] == b"{" else (goyaml.load_all(index) or [None])[0]
    except (goyaml.YamlError, ValueError) as error:
        raise VendorError(f"{where} is no index of charts: {error}", hint=hint) from None
    found = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(found, dict | None) or "apiVersion" not in document:
        raise VendorError(f"{where} is no index of charts: expected `apiVersion` and `entries`", hint=hint)
    return found or {}


def _entry(item: Any) -> Entry | None:
    if not isinstance(item, dict):
        return None
    version, urls, digest = item.get("version"), item.get("urls"), item.get("digest") or ""
    if not isinstance(version, str) or semver.parse(version) is None or not isinstance(urls, list):
        return None
    match = _DIGEST.fullmatch(str(digest).lower())
    return Entry(version, tuple(str(url) for url in urls if url), match[1] if match else "")
