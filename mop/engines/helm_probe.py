"""Does a render call a function that gives something else each time? Asked of Helm, exactly, in one render.

A chart that *mentions* such a function need not call it: Grafana's draws a password only if none is set. So a
copy of the chart is rendered in which each of those calls is replaced by one that fails. If it renders, none
was reached, and what came out is what the chart itself gives: nothing that was replaced was executed. If it
fails, the chart itself has to be rendered and looked at (helm_random).

Values and files reach the template engine through `tpl`; where they mention such a function, or `tpl` again,
`tpl` in the copy first looks at the text that it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mop.engines.gotemplate import Call, NotUnderstood, calls, operands, replaced
from mop.engines.helm_archive import IGNORE_FILE, archive, chart_files, loaded

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
    """Functions that a chart mentions: by template file, and in its other files (values among them).

    `files`: what it is made of, by relative name; each is read once.
    """

    templates: Mapping[str, frozenset[str]] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()  # TPL too, where a text calls it
    opaque: bool = False  # an archive, or a template that the lexer cannot follow: no probe can be made
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

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
    files = {name: _read(path) for name, path in chart_files(chart)}
    for name, data in files.items():
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
    return Mentions(templates, frozenset(elsewhere), opaque, files)


def mentioned(data: bytes) -> frozenset[str]:
    """The functions that actions in `data` name, wherever in them; TPL among them."""
    actions = b"\n".join(_ACTION.findall(data)) if b"{{" in data else b""
    return frozenset(name.decode() for name in set(_NAME_IN_BYTES.findall(actions)))


def with_traps(found: Mentions, functions: frozenset[str], *, through_tpl: bool) -> bytes:
    """The chart folder of `found` as an archive whose render fails if it reaches one of `functions`.

    `through_tpl`: it fails also if a text for `tpl` mentions one. Raises
    NotUnderstood, UnicodeDecodeError.
    """

    def edited(name: str, data: bytes) -> bytes:
        draws = functions & found.templates.get(name, frozenset())
        if draws or (through_tpl and b"tpl" in data and _TEMPLATE.match(name)):
            return trapped(data.decode(), functions, through_tpl=through_tpl).encode()
        return data

    names = loaded(found.files, found.files.get(IGNORE_FILE, b""))
    files = {name: edited(name, found.files[name]) for name in names}
    if through_tpl:
        files[_TPL_FILE] = _guarded_tpl(functions).encode()
    return archive(files)


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


def _read(path: str) -> bytes:
    with open(path, "rb") as data:  # noqa: PTH123
        return data.read()
