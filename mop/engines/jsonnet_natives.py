"""Tanka's native functions (pkg/jsonnet/native/funcs.go), as `std.native` gives them.

The C API takes and gives primitives only, and ends them at NUL. One raw native therefore carries all of them:
name and arguments as JSON text, the result as JSON text. `LIBRARY` is what a file's `std` becomes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mop.errors import EvaluationError
from mop.files import sha256


class Native(NamedTuple):
    """`call` takes the arguments by position and gives JSON text; if `text`, a text without NUL that stays one."""

    parameters: tuple[str, ...]
    call: Callable[..., str]
    text: bool = False


def plain() -> dict[str, Native]:
    """The natives that depend on their arguments alone."""
    return {
        "sha256": Native(("str",), lambda text: _json(sha256(_string("str", text)))),
        "parseYaml": Native(("yaml",), _parse_yaml),
        "manifestJsonFromJson": Native(("json", "indent"), _manifest_json),
        "manifestYamlFromJson": Native(("json",), _manifest_yaml),
        "escapeStringRegex": Native(("str",), _escape_regex),
        "regexMatch": Native(("regex", "string"), _regex_match),
        "regexSubst": Native(("regex", "src", "repl"), _regex_subst),
    }


def library(natives: Mapping[str, Native]) -> str:
    """The Jsonnet file that gives a `std` whose `native` knows `natives`."""
    fields = "".join(
        f"  {name}({parameters}): {'text' if it.text else 'call'}({name!r}, [{parameters}]),\n"
        for name, it in natives.items()
        for parameters in [", ".join(it.parameters)]
    )
    return (
        "local builtin = std;\n"
        "local raw = std.native('mop');\n"
        "local text(name, arguments) = raw(name, std.manifestJsonMinified(arguments));\n"
        "local call(name, arguments) = std.parseJson(text(name, arguments));\n"
        # The same decoder as Tanka's parseJson, without a way through here.
        f"local natives = {{\n  parseJson(json): std.parseJson(json),\n{fields}}};\n"
        "function(std) std { native(x):: if builtin.objectHas(natives, x) then natives[x] else null }\n"
    )


def dispatch(natives: Mapping[str, Native]) -> Callable[[bytes, bytes], bytes]:
    """What the raw native calls."""

    def call(name: bytes, arguments: bytes) -> bytes:
        native = natives[name.decode()]
        try:
            return native.call(*json.loads(arguments)).encode()
        except _Refused as error:
            raise EvaluationError(f"{name.decode()}: {error}") from error

    return call


class _Refused(Exception):
    """An argument that the native cannot take."""


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _string(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _Refused(f"{name} must be a string, found {_kind(value)}")
    return value


def _kind(value: object) -> str:
    names: dict[type, str] = {
        bool: "boolean",
        int: "number",
        float: "number",
        str: "string",
        list: "array",
        dict: "object",
    }
    return names.get(type(value), "null")


def _parse_yaml(text: object) -> str:
    from mop import goyaml

    try:
        return _json(goyaml.load_all(_string("yaml", text)))
    except goyaml.YamlError as error:
        raise _Refused(f"parsing yaml: {error}") from error


def _manifest_yaml(text: object) -> str:
    from mop import goyaml

    return _json(goyaml.dump_v3(_decoded(_string("json", text))))


def _manifest_json(text: object, indent: object) -> str:
    source = _string("json", text).strip()
    if not isinstance(indent, int | float) or isinstance(indent, bool) or int(indent) < 0:
        raise _Refused(f"indent must be a number that is not negative, found {_kind(indent)}")
    _decoded(source)
    return _json(reindent(source, int(indent)) + "\n")


def _decoded(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _Refused(f"not JSON: {error}") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_JSON_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')


def reindent(text: str, indent: int) -> str:
    """The valid JSON `text` laid out anew; keys, numbers and escapes stay as written (Go: json.Indent)."""
    out: list[str] = []
    depth = 0
    before = ""
    for match in _JSON_PART.finditer(text):
        part = match[0]
        if part in "]}":
            depth -= 1
            if before not in ("[", "{"):
                out.append("\n" + " " * (indent * depth))
        elif before in ("[", "{", ","):
            out.append("\n" + " " * (indent * depth))
        if part in "[{":
            depth += 1
        out.append(": " if part == ":" else part)
        before = part
    return "".join(out)


def _escape_regex(text: object) -> str:
    from mop.engines import jsonnet_regex

    return _json(jsonnet_regex.quote(_string("str", text)))


def _regex_match(regex: object, text: object) -> str:
    from mop.engines import jsonnet_regex

    try:
        return _json(jsonnet_regex.matches(_string("regex", regex), _string("string", text)))
    except jsonnet_regex.BadPattern as error:
        raise _Refused(str(error)) from error


def _regex_subst(regex: object, source: object, replacement: object) -> str:
    from mop.engines import jsonnet_regex

    texts = _string("regex", regex), _string("src", source), _string("repl", replacement)
    try:
        return _json(jsonnet_regex.substitute(*texts))
    except jsonnet_regex.BadPattern as error:
        raise _Refused(str(error)) from error
