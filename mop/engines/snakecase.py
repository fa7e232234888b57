"""`snakecase` of sprig: ToSnakeCase of github.com/huandu/xstrings v1.5.0, decision for decision.

Its rules for digits and acronyms decide the names of a chart's objects (`api_service_v_1beta1.metrics`), so
nothing close to it will do. Judged against the Go code in tests/go/snakecase.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable
from typing import Literal

Word = Literal["invalid", "number", "upper", "alphabet", "connector", "punct", "other"]

_INVALID = "\ufffd"  # Go's RuneError: what it reads where there is no character
_SPACES = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
)
_CJK = ((0x4E00, 0x9FCC), (0x3400, 0x4D85), (0x20000, 0x2B81D))


@functools.lru_cache(maxsize=4096)
def snake_case(text: str) -> str:
    """`ConfigMap_loki-v2` → `config_map_loki_v2`; characters without case stay."""
    if not text:
        return ""
    out: list[str] = []
    kind, word, rest = _next_word(text)
    while rest:
        if kind != "connector":
            out.append(_lower(kind, word))
        before, last = kind, word
        kind, word, rest = _next_word(rest)
        if before == "number":
            kind, word, rest = _tail(out, kind, word, rest, ends=("invalid", "punct", "connector"))
        elif before == "connector":
            out.append(_lower(before, last))
        elif before != "punct":
            kind, word, rest = _after_letters(out, kind, word, rest)
    out.append(_lower(kind, word))
    return "".join(out)


def _after_letters(out: list[str], kind: Word, word: str, rest: str) -> tuple[Word, str, str]:
    """What follows a word of letters: a number belongs to it (`Bld4`), unless small letters follow
    (`http_2xx`).
    """
    if kind != "number":
        if kind not in ("connector", "punct"):
            out.append("_")
        return kind, word, rest
    if not rest:
        return kind, word, rest
    number = word
    kind, word, rest = _next_word(rest)
    if kind != "alphabet":
        out.append(number)
        if kind not in ("connector", "punct"):
            out.append("_")
        return kind, word, rest
    out.extend(("_", number))
    return _tail(out, kind, word, rest, ends=("invalid", "connector", "punct"))


def _tail(
    out: list[str], kind: Word, word: str, rest: str, *, ends: tuple[Word, ...]
) -> tuple[Word, str, str]:
    """Small letters and numbers that go on from a number (`20x`), and the connector before what comes next."""
    while kind in ("alphabet", "number"):
        out.append(_lower(kind, word))
        kind, word, rest = _next_word(rest)
    if kind not in ends:
        out.append("_")
    return kind, word, rest


def _next_word(text: str) -> tuple[Word, str, str]:
    """The word at the start of `text`: its kind, itself, and what is left."""
    if not text:
        return "invalid", "", ""
    first, size = _next_valid(text, _INVALID)
    if first == _INVALID:
        return "invalid", text[:size], text[size:]
    if _is_connector(first):
        return _run("connector", text, size, _is_connector)
    if _is_punct(first):
        return _run("punct", text, size, _is_punct)
    if _is_upper(first):
        return _upper_word(text, size, first)
    if _is_alphabet(first):
        return _run("alphabet", text, size, _is_small)
    if _is_number(first):
        return _run("number", text, size, _is_number)
    return _run("other", text, size, _is_other)


def _run(kind: Word, text: str, end: int, belongs: Callable[[str], bool]) -> tuple[Word, str, str]:
    """The word that goes on while characters belong to it."""
    current = text[end - 1]
    while end < len(text):
        current, size = _next_valid(text[end:], current)
        if not belongs(current):
            break
        end += size
    return kind, text[:end], text[end:]


def _upper_word(text: str, end: int, first: str) -> tuple[Word, str, str]:
    """`Status`, or `HTTP` of `HTTPStatus`."""
    if end == len(text):
        return "upper", text, ""
    current, size = _next_valid(text[end:], first)
    if _is_alphabet(current) and not _is_upper(current):
        return _run("upper", text, end + size, _is_small)
    if not _is_upper(current):
        return "upper", text[:end], text[end:]
    end, before = end + size, size
    while end < len(text):
        current, size = _next_valid(text[end:], current)
        if not _is_upper(current):
            break
        end, before = end + size, size
    if end < len(text) and _is_alphabet(current):
        end -= before
    return "upper", text[:end], text[end:]


def _next_valid(text: str, before: str) -> tuple[str, int]:
    """The first character that is none of Go's invalid ones, and how far it reaches; `before` if there is
    none.
    """
    for index, character in enumerate(text):
        if character != _INVALID:
            return character, index + 1
    return before, len(text)


def _lower(kind: Word, word: str) -> str:
    if kind not in ("upper", "connector"):
        return word
    return "".join("_" if _is_connector(c) else _lower_one(c) for c in word)


def _lower_one(character: str) -> str:
    if not _is_upper(character):
        return character
    return character.lower()[0]  # U+0130 becomes two in Python; Go maps one character to one


def _is_connector(character: str) -> bool:
    return character in "-_" or character in _SPACES


def _is_punct(character: str) -> bool:
    return unicodedata.category(character)[0] == "P"


def _is_upper(character: str) -> bool:
    return unicodedata.category(character) == "Lu"


def _is_number(character: str) -> bool:
    return unicodedata.category(character)[0] == "N"


def _is_alphabet(character: str) -> bool:
    if unicodedata.category(character)[0] != "L":
        return False
    point = ord(character)
    return not any(low <= point <= high for low, high in _CJK)


def _is_small(character: str) -> bool:
    return _is_alphabet(character) and not _is_upper(character)


def _is_other(character: str) -> bool:
    return not (
        _is_connector(character) or _is_alphabet(character) or _is_number(character) or _is_punct(character)
    )
