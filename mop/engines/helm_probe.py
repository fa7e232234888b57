"""Does a render call a function that gives something else each time? Asked of Helm, exactly, in one render.

A chart that *mentions* such a function need not call it: Grafana's draws a password only if none is set. So a
copy of the chart is rendered in which each of those calls is replaced by one that fails. If it renders, none
was reached, and what came out is what the chart itself gives: nothing that was replaced was executed. If it
fails, the chart itself has to be rendered and looked at (helm_random).

Values and files reach the template engine through `tpl`; where they mention such a function, or `tpl` again,
`tpl` in the copy first looks at the text that it is given.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mop.engines.gotemplate import Call, NotUnderstood, calls, operands, replaced

#: Functions of sprig v3.3 that draw random values (crypto.go, strings.go, numeric.go), salted hashes too.
RANDOM = frozenset(
    {
        "bcrypt",
        "encryptAES",
        "genCA",
        "genCAWithKey",
        "genPrivateKey",
        "genSelfSignedCert",
        "genSelfSignedCertWithKey",
        "genSignedCert",
        "genSignedCertWithKey",
        "htpasswd",
        "randAlpha",
        "randAlphaNum",
        "randAscii",
        "randBytes",
        "randInt",
        "randNumeric",
        "shuffle",
        "uuidv4",
    }
)
#: Those that read the clock, or the time zone of the machine (date.go).
CLOCK = frozenset(
    {
        "ago",
        "date",
        "dateInZone",
        "date_in_zone",
        "htmlDate",
        "htmlDateInZone",
        "mustToDate",
        "now",
        "toDate",
    }
)

_ALL = RANDOM | CLOCK
#: Runs a text as a template. One that calls it on itself takes Go down, and this process with it.
TPL = "tpl"

_DRAWS = r"\b(?:" + "|".join(sorted(_ALL)) + r")\b"
_NAMES = rf"{_DRAWS}|\b{TPL}\b"
_NAME = re.compile(_NAMES)
_NAME_IN_BYTES = re.compile(_NAMES.encode())
#: An action in whatever text: up to the `}}` that stands in no string.
_ACTION = re.compile(rb"""\{\{(?:[^}"`]++|"[^"\n]*+"|`[^`]*+`|["`]|\}(?!\}))*+""")
_TEMPLATE = re.compile(r"(?:charts/[^/]+/)*templates/")
_ARCHIVE = (".tgz", ".tar.gz")

_TPL_FILE = "templates/_mop_probe.tpl"
#: In RE2, from the start of an action to a word in it.
_INSIDE = r"\{\{(?:\"[^\"\n]*\"|[^}]|\}[^}])*"
#: A call of `tpl` in a text for `tpl`; nothing before it in its action may hide it in a string. \x60: backquote.
_NESTED = r"(\{\{[^{}\"\x60]*?)\btpl\s+(\([^(){}\"\x60]*\)|[$.\w]+)\s+([$.\w]+)"
#: A `tpl` that fails for a text that mentions one of NAMES, and where it cannot tell.
_GUARDED_TPL = r"""{{- define "mop.tpl" -}}
{{- $text := index . 0 -}}
{{- if not (kindIs "string" $text) }}{{ fail "no text" }}{{ end -}}
{{- if regexMatch `INSIDE\btpl\b` $text -}}
  {{- if regexMatch `\{\{-?\s*["\x60]` $text }}{{ fail "a template within a string" }}{{ end -}}
  {{- $text = regexReplaceAll `NESTED` $text `${1}(include "mop.tpl" (list ${2} ${3}))` -}}
  {{- if regexMatch `INSIDE\btpl\b` (replace `"mop.tpl"` "" $text) }}{{ fail "tpl within tpl" }}{{ end -}}
{{- end -}}
{{- if regexMatch `INSIDE\b(NAMES)\b` $text }}{{ fail "mentioned" }}{{ end -}}
{{- tpl $text (index . 1) -}}
{{- end -}}
"""


@dataclass(frozen=True)
class Mentions:
    """Functions that a chart mentions: by template file, and in its other files (values among them)."""

    templates: Mapping[str, frozenset[str]] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()  # TPL too, where a text calls it
    opaque: bool = False  # an archive, or a template that the lexer cannot follow: no probe can be made

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.elsewhere.union(*self.templates.values())


def mentions(chart: Path) -> Mentions:
    """What the chart folder at `chart` mentions; an archive may mention anything. Raises OSError."""
    if not chart.is_dir():
        return Mentions(elsewhere=_ALL, opaque=True)
    anywhere = _anywhere()
    templates: dict[str, frozenset[str]] = {}
    elsewhere: set[str] = set()
    opaque = False
    for name, path in _files(chart):
        data = _read(path)
        if name.endswith(_ARCHIVE):
            elsewhere |= _ALL
            opaque = True
        elif not _TEMPLATE.match(name):
            if b"tpl" in data or anywhere.search(data):
                elsewhere |= mentioned(data)
        elif anywhere.search(data):
            try:
                found = _ALL.intersection(call.name for call in calls(data.decode(), _NAME))
            except (NotUnderstood, UnicodeDecodeError):
                found, opaque = _ALL, True
            if found:
                templates[name] = found
    return Mentions(templates, frozenset(elsewhere), opaque)


def mentioned(data: bytes) -> frozenset[str]:
    """The functions that actions in `data` name, wherever in them; TPL among them."""
    actions = b"\n".join(_ACTION.findall(data)) if b"{{" in data else b""
    return frozenset(name.decode() for name in set(_NAME_IN_BYTES.findall(actions)))


def copy_with_traps(
    chart: Path, target: Path, found: Mentions, functions: frozenset[str], *, through_tpl: bool
) -> None:
    """A copy of the folder `chart` at `target` whose render fails if it reaches one of `functions`.

    `found`: what the chart mentions. `through_tpl`: it fails also if a text for `tpl` mentions one. Raises
    NotUnderstood, OSError, UnicodeDecodeError.
    """
    made: set[str] = set()
    for name, path in _files(chart):
        folder = name.rpartition("/")[0]
        if folder not in made:
            (target / folder).mkdir(parents=True, exist_ok=True)
            made.add(folder)
        draws = functions & found.templates.get(name, frozenset())
        if draws or (through_tpl and _TEMPLATE.match(name) and b"tpl" in _read(path)):
            text = trapped(_read(path).decode(), functions, through_tpl=through_tpl)
            with open(f"{target}/{name}", "w", encoding="utf-8", newline="") as out:  # noqa: PTH123 - hot
                out.write(text)
        else:
            _link(path, f"{target}/{name}")
    if through_tpl:
        (target / _TPL_FILE).write_text(_guarded_tpl(functions), encoding="utf-8")


def trapped(text: str, functions: frozenset[str], *, through_tpl: bool) -> str:
    """The template `text` with traps: `fail` for each call of `functions`, a guarded `tpl`. Raises
    NotUnderstood.
    """

    def edit(call: Call) -> Iterator[tuple[int, int, str]]:
        if call.name in functions:
            yield call.start, call.end, "fail"
        elif call.name == TPL and through_tpl:
            (_, end) = operands(text, call.end, 2)[-1]
            yield call.start, call.end, '(include "mop.tpl" (list '
            yield end, end, "))"

    return replaced(text, edit, _NAME)


@cache
def _anywhere() -> Any:
    """Finds any of the names in bytes, ten times faster than `re`."""
    import re2

    return re2.compile(_DRAWS)


def _guarded_tpl(functions: frozenset[str]) -> str:
    """The file that defines the guarded `tpl`."""
    named = _GUARDED_TPL.replace("NAMES", "|".join(sorted(functions)) or "no such function")
    return named.replace("INSIDE", _INSIDE).replace("NESTED", _NESTED)


def _files(chart: Path) -> Iterator[tuple[str, str]]:
    """Every file below `chart`, links followed, by its name relative to it."""
    top = f"{chart}/"
    for folder, _, names in os.walk(chart, followlinks=True):
        for name in names:
            path = f"{folder}/{name}"
            if os.path.isfile(path):  # noqa: PTH113
                yield path.removeprefix(top), path


def _link(source: str, target: str) -> None:
    """The same file under another name, several times faster than a copy; a copy where the system allows no link."""
    try:
        os.link(os.path.realpath(source) if os.path.islink(source) else source, target)  # noqa: PTH114
    except OSError:
        shutil.copyfile(source, target)


def _read(path: str) -> bytes:
    with open(path, "rb") as data:  # noqa: PTH123
        return data.read()
