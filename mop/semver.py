"""Versions and ranges of versions as Helm reads them: Masterminds/semver v3, its looseness included.

`^6.0`, `~1.2`, `>=1.2 <2 || 3.x`, `1.2 - 1.4`. A range matches a pre-release only if it names one itself.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_LONGEST_VERSION: Final = 256
_LONGEST_RANGE: Final = 512
_MOST_ALTERNATIVES: Final = 32
_LARGEST: Final = 2**64 - 1

_TAIL = r"(?:-([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?(?:\+([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?"
_VERSION = re.compile(rf"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?{_TAIL}")
#: A version in a range may have wildcards (constraints.go's cvRegex; the `|` in its classes is a slip of theirs).
_WILD = (
    r"v?(?:[0-9|xX*]+)(?:\.[0-9|xX*]+)?(?:\.[0-9|xX*]+)?"
    r"(?:-(?:[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?(?:\+(?:[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?"
)
_SPACE = r"[\t\n\f\r ]"
_OPERATORS = r"(?:|!=|>=|=>|<=|=<|~>|=|>|<|~|\^)"
_TERM = re.compile(
    rf"(!=|>=|=>|<=|=<|~>|=|>|<|~|\^|){_SPACE}*v?([0-9|xX*]+)(?:\.([0-9|xX*]+))?(?:\.([0-9|xX*]+))?{_TAIL}"
)
_GROUP = re.compile(
    rf"{_SPACE}*{_OPERATORS}{_SPACE}*{_WILD}{_SPACE}*"
    rf"(?:(?:{_SPACE}+|,{_SPACE}*){_OPERATORS}{_SPACE}*{_WILD}{_SPACE}*)*"
)
_HYPHEN = re.compile(rf"{_SPACE}*({_WILD}){_SPACE}+-{_SPACE}+({_WILD}){_SPACE}*")


@functools.total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version by its parts. Build metadata does not count in comparisons; `text` is as it was written."""

    major: int
    minor: int
    patch: int
    pre: str = ""
    text: str = ""

    @property
    def _key(self) -> tuple[object, ...]:
        return (self.major, self.minor, self.patch, self.pre == "", _pre_key(self.pre))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        """As it was written."""
        return self.text


def parse(text: str) -> Version | None:
    """The version; None if it is none. `v1` and `1.2` are versions, as for Helm."""
    match = _VERSION.fullmatch(text) if len(text) <= _LONGEST_VERSION else None
    if match is None or not text.isascii():
        return None
    major, minor, patch = (int(part or 0) for part in match.group(1, 2, 3))
    pre = match[4] or ""
    if max(major, minor, patch) > _LARGEST or any(_zero_led(part) for part in pre.split(".")):
        return None
    return Version(major, minor, patch, pre, text)


def exact(text: str) -> bool:
    """Whether `text` names one version and no range: three numbers, as SemVer wants them."""
    match = _VERSION.fullmatch(text)
    return match is not None and match[3] is not None and parse(text) is not None


class Range:
    """What versions are wanted. Raises ValueError if `text` is no range."""

    def __init__(self, text: str) -> None:
        self.text = text
        groups = _rewritten(text).split("||")
        if len(text.encode()) > _LONGEST_RANGE or len(groups) > _MOST_ALTERNATIVES:
            raise ValueError(f"no range of versions: too long: {text[:40]}…")
        if not all(_GROUP.fullmatch(group) for group in groups):
            raise ValueError(f"no range of versions: {text!r}")
        self._groups = [[_Term.of(match) for match in _TERM.finditer(group)] for group in groups]

    def matches(self, version: Version) -> bool:
        """Whether `version` is wanted."""
        return any(self._all(group, version) for group in self._groups)

    def best(self, versions: Iterable[str]) -> str | None:
        """The newest of `versions` that is wanted; what is no version is passed over."""
        wanted = [found for text in versions if (found := parse(text)) and self.matches(found)]
        return max(wanted).text if wanted else None

    @staticmethod
    def _all(group: list[_Term], version: Version) -> bool:
        if version.pre and not any(term.version.pre for term in group):
            return False
        return all(term.matches(version) for term in group)


def nearest(wanted: str, versions: Iterable[str], count: int = 3) -> list[str]:
    """The versions that stand closest to `wanted`, which is not among them, for a message; newest first."""
    found = sorted({version for text in versions if (version := parse(text))}, reverse=True)
    match = re.search(r"\d+(?:\.\d+)*", wanted)
    numbers = [int(part) for part in match[0].split(".")[:3]] if match else []

    def distance(version: Version) -> tuple[int, ...]:
        parts = (version.major, version.minor, version.patch)
        return tuple(abs(part - number) for part, number in zip(parts, numbers, strict=False))

    near = sorted(found, key=lambda version: (bool(version.pre), *distance(version)))[:count]
    return [version.text for version in sorted(near, reverse=True)]


@dataclass(frozen=True, slots=True)
class _Term:
    """One comparison. `given`: how many of major, minor and patch were written; the rest are wildcards."""

    operator: str
    version: Version
    given: int

    @classmethod
    def of(cls, match: re.Match[str]) -> _Term:
        parts = match.group(2, 3, 4)
        given = next((place for place, part in enumerate(parts) if part in (None, "x", "X", "*")), 3)
        numbers = [*parts[:given], *["0"] * (3 - given)]
        version = parse(".".join(str(part) for part in numbers) + (f"-{match[5]}" if match[5] else ""))
        if version is None:
            raise ValueError(f"no range of versions: {match[0]!r}")
        return cls(match[1], version, given)

    def matches(self, version: Version) -> bool:
        """constraints.go: constraintNotEqual … constraintCaret."""
        match self.operator:
            case "" | "=":
                return version == self.version if self.given == 3 else self._tilde(version)
            case "!=":
                return not self._same(version)
            case ">":
                return version > self.version if self.given == 3 else self._above(version)
            case "<":
                return version < self.version
            case ">=" | "=>":
                return version >= self.version
            case "<=" | "=<":
                return version <= self.version if self.given == 3 else not self._above(version, wild=False)
            case "~" | "~>":
                return self._tilde(version)
            case _:
                return self._caret(version)

    def _same(self, version: Version) -> bool:
        """`!=` with wildcards: whether what is written is equal."""
        if self.given == 3:
            return version == self.version
        # Masterminds takes `!=*` for `!=0.0.0`, compared whole.
        if self.given == 0:
            return version == self.version
        if self.given == 1:
            return version.major == self.version.major
        same = (version.major, version.minor) == (self.version.major, self.version.minor)
        return same and (version.pre == self.version.pre or not (version.pre or self.version.pre))

    def _above(self, version: Version, *, wild: bool = True) -> bool:
        """`>11` begins at 12, `>11.1` at 11.2."""
        own = self.version
        if version.major != own.major:
            return version.major > own.major
        if self.given == 1:
            return False
        if self.given == 2 or not wild:
            return version.minor > own.minor
        return version > own

    def _tilde(self, version: Version) -> bool:
        own = self.version
        if version < own:
            return False
        if (own.major, own.minor, own.patch) == (0, 0, 0) and self.given in (0, 3):
            return True
        return version.major == own.major and (version.minor == own.minor or self.given == 1)

    def _caret(self, version: Version) -> bool:
        own = self.version
        if version < own:
            return False
        if own.major > 0 or self.given == 1:
            return version.major == own.major
        if version.major > 0:
            return False
        if own.minor > 0 or self.given == 2:
            return version.minor == own.minor
        return version.minor == 0 and version.patch == own.patch


def _rewritten(text: str) -> str:
    """`1.2 - 1.4` as two comparisons."""
    rewritten = text
    for match in _HYPHEN.finditer(text):
        rewritten = rewritten.replace(match[0], f">= {match[1]}, <= {match[2]} ", 1)
    return rewritten


def _zero_led(part: str) -> bool:
    return part.isdigit() and len(part) > 1 and part[0] == "0"


def _pre_key(pre: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers count as numbers and stand before words."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".") if pre)
