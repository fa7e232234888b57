"""PromQL expressions, as Prometheus' own grammar reads them; Grafana's variables are understood."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from itertools import product

#: Functions of older or other engines that promql-parser does not know.
_ELSEWHERE = ("holt_winters",)

_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_VARIABLE = re.compile(r"\$\{[^}]*\}|\$[A-Za-z_]\w*")
_OLD_STYLE = re.compile(r"\[\[(\w+(?::\w+)?)\]\]")
_MARK = re.compile("\x00(\\d+)\x00")
#: What a variable may stand for, outside of strings and ranges; mixtures are tried for so many of them.
_STAND_INS, _FEW = ("variable", "1"), 6
_RANGE = re.compile(r"\[([^\]\[]*)\]")
_OFFSET = re.compile(rf"(\boffset\s+-?)(?:{_VARIABLE.pattern})")
#: Only LogQL pipes lines.
_LOGQL = re.compile(
    r"\|[=~>]|[}\]\"`]\s*![=~]\s*[\"`]|\|\s*(?:json|logfmt|regexp|pattern|unpack|line_format|unwrap|label_format)\b"
)


@functools.lru_cache(maxsize=65536)
def fault(expression: str, *, grafana: bool = False) -> str:
    """What is wrong with a PromQL expression, in the parser's words; "" if nothing is, or it is LogQL.

    `grafana`: it may hold dashboard variables. In a range a variable is a duration, in a string it is text;
    elsewhere it can be a name or a number, and the expression is faulty only if it is so either way.
    """
    if _LOGQL.search(expression):
        return ""
    if not grafana or not ("$" in expression or "[[" in expression):
        return _parse(expression)
    bare, strings = _without_strings(expression)
    places = len(_VARIABLE.findall(bare))
    first = ""
    # All names, all numbers, then every mixture, as long as there are few.
    choices = (
        product(_STAND_INS, repeat=places) if places <= _FEW else ((value,) * places for value in _STAND_INS)
    )
    for values in choices:
        reason = _parse(_filled(bare, values, strings))
        if not reason:
            return ""
        first = first or reason
    return first


def _parse(expression: str) -> str:
    import promql_parser

    try:
        promql_parser.parse(expression)
    except ValueError as error:
        reason = str(error)
        return "" if any(f"unknown function with name '{name}'" in reason for name in _ELSEWHERE) else reason
    return ""


def _without_strings(expression: str) -> tuple[str, list[str]]:
    """`expression` with marks for its strings, where variables are text, and durations for those in ranges."""
    strings: list[str] = []

    def keep(match: re.Match[str]) -> str:
        strings.append(match[0])
        return f"\x00{len(strings) - 1}\x00"

    bare = _OLD_STYLE.sub(r"${\1}", _STRING.sub(keep, expression))
    bare = _RANGE.sub(lambda match: f"[{_VARIABLE.sub('5m', match[1])}]", bare)
    return _OFFSET.sub(r"\g<1>5m", bare), strings


def _filled(bare: str, values: Iterable[str], strings: list[str]) -> str:
    """`bare` with `values` for its variables, one after another, and its strings back."""
    rest = iter(values)
    text = _VARIABLE.sub(lambda _match: next(rest), bare)
    return _MARK.sub(lambda match: strings[int(match[1])], text)
