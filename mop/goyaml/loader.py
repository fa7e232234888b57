"""YAML in, from libyaml's events, which takes half the time of PyYAML's graph of nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yaml import events
from yaml.error import MarkedYAMLError, YAMLError
from yaml.reader import ReaderError

from mop.goyaml.error import YamlError
from mop.goyaml.numbers import as_json, go_float32
from mop.goyaml.resolve import CannotDecode, plain_v2, plain_v3, tagged
from mop.goyaml.timestamp import Timestamp

_MERGE = "tag:yaml.org,2002:merge"
_STR = "tag:yaml.org,2002:str"


class _Merge:
    """A `<<` key."""


class Loader:
    """One text; `v3`: with the rules of gopkg.in/yaml.v3, else those of sigs.k8s.io/yaml."""

    def __init__(self, text: str | bytes, *, v3: bool) -> None:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]

        try:
            self._next: Callable[[], Any] = CParser(
                text.encode() if isinstance(text, str) else text
            ).get_event
        except (YAMLError, UnicodeError) as error:
            raise _problem(error) from None
        self._v3 = v3
        self._plain = plain_v3 if v3 else plain_v2
        #: Unquoted texts that are known to be texts: most are keys, and repeat.
        self._texts: set[str] = set()
        self._anchors: dict[str, Any] = {}
        self._open: set[int] = set()
        self._decoded = 0
        self._aliased = 0

    def documents(self) -> list[Any]:
        out = []
        try:
            while True:
                event = self._next()
                kind = type(event)
                if kind is events.DocumentStartEvent:
                    self._decoded = self._aliased = 0
                    if not self._v3:  # yaml.v3 keeps anchors from one document to the next
                        self._anchors.clear()
                    out.append(self._value(self._next()))
                elif kind is events.StreamEndEvent:
                    return out
        except (YAMLError, UnicodeError) as error:
            raise _problem(error) from None
        except RecursionError:
            raise YamlError("nested too deeply") from None

    def _value(self, event: Any) -> Any:
        self._decoded += 1
        kind = type(event)
        if kind is events.ScalarEvent:
            value = self._scalar(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = value
            return value if type(value) is str else self._json(value, event)
        if kind is events.MappingStartEvent:
            return self._mapping(event)
        if kind is events.SequenceStartEvent:
            return self._sequence(event)
        return self._alias(event)

    def _scalar(self, event: Any) -> Any:
        """The scalar as YAML reads it, before JSON: a Timestamp, an infinity, a `<<`."""
        value: str = event.value
        tag = event.tag
        if tag is None or (tag == "!" and self._v3):
            if event.style or value in self._texts:
                return value
            return _Merge if value == "<<" else self._untagged(value)
        if tag == _STR:
            return value
        if tag == _MERGE and value == "<<":
            return _Merge
        try:
            return tagged(tag, value, self._plain)
        except CannotDecode as error:
            raise _at(event, str(error)) from None

    def _untagged(self, value: str) -> Any:
        found = self._plain(value)
        if type(found) is str:
            self._texts.add(value)
        return found

    def _json(self, value: Any, event: Any) -> Any:
        """`value` as Go's JSON has it, which knows no infinities and writes 1.0 as 1."""
        if type(value) is float:
            if value - value != 0:
                raise _at(event, f"JSON has no such number: {event.value}")
            return as_json(value)
        if value is _Merge:
            return "<<"
        if type(value) is Timestamp:
            if value.outside:
                raise _at(event, f"JSON has no such time zone: {value.written}")
            return str(value)
        return value

    def _sequence(self, start: Any) -> list[Any]:
        out: list[Any] = []
        self._begin(start, out)
        take, value = self._next, self._value
        while type(event := take()) is not events.SequenceEndEvent:
            out.append(value(event))
        self._open.discard(id(out))
        return out

    def _begin(self, start: Any, container: Any) -> None:
        if start.anchor is not None:
            self._anchors[start.anchor] = container
            self._open.add(id(container))

    def _mapping(self, start: Any) -> dict[str, Any]:
        out: dict[str, Any] = {}
        self._begin(start, out)
        take, value = self._next, self._value
        merges: list[tuple[Any, Any]] = []
        written: dict[Any, Any] = {}
        while type(event := take()) is not events.MappingEndEvent:
            key = self._key(event)
            if self._v3:
                # Go compares what is written: `1` and `"1"` are one key, an alias is none of them.
                mark = event.value if type(event) is events.ScalarEvent else (event.anchor,)
                first = written.setdefault(mark, event)
                if first is not event:
                    line = first.start_mark.line + 1
                    raise _at(event, f"mapping key {mark!r} already defined at line {line}")
            item = take()
            if key is not _Merge:
                out[key] = value(item)
            elif self._v3:
                merges.append((value(item), item))
            else:
                self._merge(out, value(item), item, override=True)
        for merged, item in merges:
            self._merge(out, merged, item, override=False)
        self._open.discard(id(out))
        return out

    def _key(self, event: Any) -> Any:
        self._decoded += 1
        kind = type(event)
        if kind is events.ScalarEvent:
            value = self._scalar(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = value
            if event.tag is not None and self._v3 and event.tag not in ("!", _STR, _MERGE):
                raise _at(event, f"the key {event.value!r} is not a string")
        elif kind is events.AliasEvent:
            value = self._known(event)
            value = "<<" if value is _Merge else value
        else:
            raise _at(event, "a mapping or sequence cannot be a key")
        if type(value) is str or value is _Merge:
            return value
        return self._key_text(value, event)

    def _key_text(self, value: Any, event: Any) -> str:
        """Keys that are no strings: sigs.k8s.io/yaml's convertToJSONableObject turns most into one."""
        if not self._v3:
            if isinstance(value, bool):
                return "true" if value else "false"
            if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
                return str(value)
            if isinstance(value, float):
                return go_float32(value)
        shown = event.value if type(event) is events.ScalarEvent else f"*{event.anchor}"
        raise _at(event, f"the key {shown!r} is not a string")

    def _merge(self, out: dict[str, Any], merged: Any, event: Any, *, override: bool) -> None:
        """yaml.v2 merges where `<<` stands, and overwrites; yaml.v3 merges last, and does not."""
        several = merged if isinstance(merged, list) else [merged]
        if not all(isinstance(one, dict) for one in several):
            raise _at(event, "map merge requires map or sequence of maps as the value")
        for one in reversed(several) if override else several:
            for key, value in one.items():
                if override or key not in out:
                    out[key] = value

    def _known(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise _at(event, f"unknown anchor '{event.anchor}' referenced")
        value = self._anchors[event.anchor]
        if id(value) in self._open:
            raise _at(event, f"anchor '{event.anchor}' value contains itself")
        return value

    def _alias(self, event: Any) -> Any:
        value = self._known(event)
        shown = value.written if type(value) is Timestamp else value
        if type(value) is float and value - value != 0:
            raise _at(event, f"JSON has no such number: {shown}")
        return self._json(self._copy(value, event), event)

    def _copy(self, value: Any, event: Any) -> Any:
        """A copy, as Go makes one: what is done to one place must not happen in the other."""
        self._decoded += 1
        self._aliased += 1
        if (
            self._aliased > 100
            and self._decoded > 1000
            and self._aliased / self._decoded > _allowed(self._decoded)
        ):
            raise _at(event, "document contains excessive aliasing")
        if type(value) is dict:
            return {key: self._copy(item, event) for key, item in value.items()}
        if type(value) is list:
            return [self._copy(item, event) for item in value]
        return value


def _allowed(decoded: int) -> float:
    """The share of a document that may come from aliases (decode.go, allowedAliasRatio)."""
    low, high = 400_000, 4_000_000
    if decoded <= low:
        return 0.99
    return 0.10 if decoded >= high else 0.99 - 0.89 * (decoded - low) / (high - low)


def _at(event: Any, problem: str) -> YamlError:
    return YamlError(problem, event.start_mark.line + 1, event.start_mark.column + 1)


def _problem(error: YAMLError | UnicodeError) -> YamlError:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        words = ", ".join(part for part in (error.problem, error.context) if part)
        return YamlError(words, mark.line + 1, mark.column + 1) if mark else YamlError(words)
    if isinstance(error, ReaderError):
        return YamlError(str(error.reason))
    return YamlError(str(error))
