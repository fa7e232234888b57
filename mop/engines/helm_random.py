"""Renders a chart and says what in it comes out different each time.

Where helm_probe finds that nothing of the kind is reached, one render is all it takes. Else the chart is
rendered twice and compared; what reads the clock is random even where two renders within a second agree.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mop.engines.gotemplate import NotUnderstood
from mop.engines.helm_probe import CLOCK, TPL, Mentions, mentioned, mentions, with_traps
from mop.engines.protocols import Helm, HelmObject, HelmRequest
from mop.errors import ChartError
from mop.files import PRIVATE_FOLDER

#: Helm's words where templates include each other more than a thousand deep (pkg/engine/engine.go).
_ENDLESS = "nested reference name: mop.tpl"


class Prober:
    """Renders with `template`; remembers by digest what it learnt of charts, in a folder that goes with it.

    `folder`: where that is made.
    """

    def __init__(self, folder: Path) -> None:
        self._place = folder
        self._lock = threading.RLock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._mentions: dict[str, Mentions] = {}
        self._copies: dict[tuple[str, frozenset[str], bool], Path | None] = {}

    def template(
        self, helm: Helm, request: HelmRequest, digest: str
    ) -> tuple[tuple[HelmObject, ...], tuple[str, ...]]:
        """The objects of the chart, whose tree has `digest`, and what is random: "chart: template: function".

        Raises ChartError.
        """
        found = self._mentioned(request.chart, digest)
        given = mentioned(json.dumps(request.values, ensure_ascii=False).encode())
        names = found.names | given
        if not names:
            return helm.template(request), ()
        trapped = partial(self._trapped, helm, request, digest, found, bool(found.elsewhere | given))
        functions = names - {TPL}
        objects = trapped(functions)
        if objects is not None:
            return objects, ()
        first = helm.template(request)
        if not functions:
            return first, ()
        reached = frozenset(it for it in functions if len(functions) == 1 or trapped(frozenset({it})) is None)
        return first, tuple(_random(first, helm.template(request), found, reached))

    def forget(self, digest: str) -> None:
        """What was learnt under `digest` was read while the chart changed."""
        with self._lock:
            self._mentions.pop(digest, None)
            for key in [key for key in self._copies if key[0] == digest]:
                del self._copies[key]

    def _trapped(
        self,
        helm: Helm,
        request: HelmRequest,
        digest: str,
        found: Mentions,
        through_tpl: bool,
        functions: frozenset[str],
    ) -> tuple[HelmObject, ...] | None:
        """The chart's objects if none of `functions` is reached; None if one is, or if nobody can tell.

        A chart that fails by itself counts as reaching them: its own render will say why. Only a text that calls
        `tpl` on itself must not be rendered: Helm bounds `include`, which guards `tpl` here, and `tpl` not.
        """
        probe = None if found.opaque else self._copy(request.chart, digest, found, functions, through_tpl)
        if probe is None:
            return None
        try:
            return helm.template(replace(request, chart=probe))
        except ChartError as error:
            if _ENDLESS in error.message:
                raise _endless(request.chart) from error
            return None

    def _mentioned(self, chart: Path, digest: str) -> Mentions:
        with self._lock:
            if digest not in self._mentions:
                self._mentions[digest] = mentions(chart)
            return self._mentions[digest]

    def _copy(
        self, chart: Path, digest: str, found: Mentions, functions: frozenset[str], through_tpl: bool
    ) -> Path | None:
        """The copy with traps, made once; None if the chart's templates cannot be followed."""
        key = (digest, functions, through_tpl)
        with self._lock:
            if key not in self._copies:
                if self._folder is None:
                    self._place.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
                    self._folder = tempfile.TemporaryDirectory(prefix="probe-", dir=self._place)
                target = Path(self._folder.name, f"{chart.name}-{len(self._copies)}.tgz")
                try:
                    target.write_bytes(with_traps(found, functions, through_tpl=through_tpl))
                    self._copies[key] = target
                except (NotUnderstood, UnicodeDecodeError):
                    self._copies[key] = None
            return self._copies[key]


def _endless(chart: Path) -> ChartError:
    return ChartError(
        f"chart {chart.name}: a text that `tpl` runs calls `tpl` on itself, without end",
        hint="a value such as a: '{{ tpl .Values.a . }}' does",
    )


def _random(
    first: Sequence[HelmObject], second: Sequence[HelmObject], found: Mentions, reached: frozenset[str]
) -> Iterator[str]:
    """What is random in a chart that reached those functions, given two of its renders."""
    chart = (first or second)[0].template.partition("/")[0] if first or second else "chart"
    clock = sorted(reached & CLOCK)
    if clock:
        files = sorted(name for name, names in found.templates.items() if names & reached & CLOCK)
        yield f"{chart}: {', '.join(files) or 'values'}: {', '.join(clock)}"
    if [x.template for x in first] != [x.template for x in second]:
        yield f"{chart}: the number of objects: {', '.join(sorted(reached))}"
        return
    for one, other in zip(first, second, strict=True):
        paths = list(_paths(one.manifest, other.manifest, ""))
        if paths:
            own = found.templates.get(one.template.partition("/")[2], frozenset()) & reached
            metadata = one.manifest.get("metadata")
            name = metadata.get("name") if isinstance(metadata, dict) else ""
            where = f"{one.manifest.get('kind')}/{name} {', '.join(path.lstrip('.') for path in paths[:3])}"
            yield f"{chart}: {one.template}: {', '.join(sorted(own or reached))} ({where})"


def _paths(one: Any, other: Any, path: str) -> Iterator[str]:
    """Where two JSON values differ, as `.data.password`."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _paths(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _paths(left, right, f"{path}[{index}]")
    elif one != other:
        yield path
