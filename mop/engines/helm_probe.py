"""Does a render call a function that gives something else each time? Asked of Helm, exactly, in one render.

A chart that *mentions* such a function need not call it: Grafana's draws a password only if none is set. So a
copy of the chart is rendered in which each of those calls is replaced by one that fails. If it renders, none
was reached, and what came out is what the chart itself gives: nothing that was replaced was executed. If it
fails, the chart itself has to be rendered and looked at (helm_random).

Values and files reach the template engine through `tpl`; where they mention such a function, `tpl` in the
copy first looks at the text that it is given.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

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

_NAME = re.compile((r"\b(?:" + "|".join(sorted(RANDOM | CLOCK)) + r")\b").encode())
#: An action in whatever text: up to the `}}` that stands in no string.
_ACTION = re.compile(rb"""\{\{(?:"[^"\n]*"|`[^`]*`|[^}]|\}(?!\}))*""")
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
    elsewhere: frozenset[str] = frozenset()
    opaque: bool = False  # an archive, or a template that the lexer cannot follow: no probe can be made

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.elsewhere.union(*self.templates.values())


def mentions(chart: Path) -> Mentions:
    """What the chart folder at `chart` mentions. Raises OSError."""
    if not chart.is_dir():
        return Mentions(elsewhere=RANDOM | CLOCK, opaque=True)
    templates: dict[str, frozenset[str]] = {}
    elsewhere: set[str] = set()
    opaque = False
    for name, path in _files(chart):
        if name.endswith(_ARCHIVE):
            elsewhere |= RANDOM | CLOCK
            opaque = True
            continue
        data = path.read_bytes()
        found = mentioned(data)
        if found and _TEMPLATE.match(name):
            try:
                found = found.intersection(call.name for call in calls(data.decode()))
            except (NotUnderstood, UnicodeDecodeError):
                opaque = True
            if found:
                templates[name] = found
        else:
            elsewhere |= found
    return Mentions(templates, frozenset(elsewhere), opaque)


def mentioned(data: bytes) -> frozenset[str]:
    """The functions that actions in `data` name, wherever in them."""
    start = data.find(b"{{")
    if start < 0 or not _NAME.search(data, start):
        return frozenset()
    actions = (action[0] for action in _ACTION.finditer(data, start))
    return frozenset(name.decode() for action in actions for name in _NAME.findall(action))


def copy_with_traps(chart: Path, target: Path, functions: frozenset[str], *, through_tpl: bool) -> None:
    """A copy of the folder `chart` at `target` whose render fails if it reaches one of `functions`.

    `through_tpl`: also if a text for `tpl` mentions one. Raises NotUnderstood, OSError, UnicodeDecodeError.
    """
    for name, path in _files(chart):
        to = target / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if not _TEMPLATE.match(name):
            shutil.copyfile(path, to)
            continue
        data = path.read_bytes()
        if mentioned(data) & functions or (through_tpl and b"tpl" in data):
            data = trapped(data.decode(), functions, through_tpl=through_tpl).encode()
        to.write_bytes(data)
    if through_tpl:
        (target / _TPL_FILE).write_text(_guarded_tpl(functions), encoding="utf-8")


def trapped(text: str, functions: frozenset[str], *, through_tpl: bool) -> str:
    """The template `text` with traps: `fail` for each call of `functions`, a guarded `tpl`. Raises
    NotUnderstood.
    """

    def edit(call: Call) -> Iterator[tuple[int, int, str]]:
        if call.name in functions:
            yield call.start, call.end, "fail"
        elif call.name == "tpl" and through_tpl:
            (_, end) = operands(text, call.end, 2)[-1]
            yield call.start, call.end, '(include "mop.tpl" (list '
            yield end, end, "))"

    return replaced(text, edit)


def _guarded_tpl(functions: frozenset[str]) -> str:
    """The file that defines the guarded `tpl`."""
    named = _GUARDED_TPL.replace("NAMES", "|".join(sorted(functions)))
    return named.replace("INSIDE", _INSIDE).replace("NESTED", _NESTED)


def _files(chart: Path) -> Iterator[tuple[str, Path]]:
    """Every file below `chart`, links followed, by its name relative to it."""
    for folder, _, names in os.walk(chart, followlinks=True):
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file():
                yield path.relative_to(chart).as_posix(), path
