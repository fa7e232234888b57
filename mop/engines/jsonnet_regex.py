"""Go's `regexp` over RE2: the same syntax and matches, and Go's own rules for replacing (regexp.go)."""

from __future__ import annotations

import functools
import re
from typing import Any

_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


class BadPattern(ValueError):
    """RE2's words on a pattern that does not compile."""


@functools.lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """The RE2 object; raises BadPattern."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20  # Go has no such limit; RE2's default refuses patterns that Go takes
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        text = error.args[0] if error.args else "does not compile"
        reason = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        raise BadPattern(f"error parsing regexp: {reason}: `{pattern}`") from None


def quote(text: str) -> str:
    """A pattern that matches `text` literally (regexp.QuoteMeta)."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` matches anywhere in `text`."""
    return compiled(pattern).search(text.encode()) is not None


def substitute(pattern: str, text: str, template: str) -> str:
    """`text` with all matches replaced (Regexp.ReplaceAllString); `$1` and `${name}` expand."""
    regex, source = compiled(pattern), text.encode()
    parts = _template(template)
    names = dict(regex.groupindex)
    out: list[bytes] = []
    at = copied = 0
    while at <= len(source) and (match := regex.search(source, at)) is not None:
        start, end = match.span()
        out.append(source[copied:start])
        # An empty match right after another one is none; at the very start it is.
        if end > copied or start == 0:
            out.extend(_expand(parts, match, names, regex.groups))
        copied = end
        step = _rune(source, at)
        at = at + step if at + step > end else end if at + 1 <= end else at + 1
    out.append(source[copied:])
    return b"".join(out).decode()


def _rune(data: bytes, at: int) -> int:
    """How many bytes the character at `at` takes; 0 at the end."""
    end = at + 1
    while end < len(data) and data[end] & 0xC0 == 0x80:
        end += 1
    return end - at if at < len(data) else 0


def _template(template: str) -> list[bytes | str]:
    """Literal bytes, and names of groups as text (Regexp.expand, extract)."""
    parts: list[bytes | str] = []
    while template:
        before, dollar, template = template.partition("$")
        parts.append(before.encode())
        if not dollar:
            break
        if template.startswith("$"):
            parts.append(b"$")
            template = template[1:]
            continue
        name, rest = _name(template)
        parts.append(name or b"$")
        template = rest if name else template
    return parts


def _name(text: str) -> tuple[str, str]:
    """The name at the start of `text`, braces taken off, and what follows; "" if there is none."""
    brace = text.startswith("{")
    body = text[1:] if brace else text
    size = next((i for i, c in enumerate(body) if not (c.isalpha() or c.isdecimal() or c == "_")), len(body))
    name, rest = body[:size], body[size:]
    if brace:
        if not rest.startswith("}"):
            return "", ""
        rest = rest[1:]
    return name, rest


def _expand(parts: list[bytes | str], match: Any, names: dict[str, int], groups: int) -> list[bytes]:
    out = []
    for part in parts:
        if isinstance(part, bytes):
            out.append(part)
            continue
        index = int(part) if _NUMBER.fullmatch(part) else names.get(part, groups + 1)
        out.append((match.group(index) or b"") if index <= groups else b"")
    return out
