"""mop.yaml as plain data, with the place of every key and value, and the mistakes of the text itself."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from mop.config.composing import Broken, Node, compose
from mop.config.scalars import Ambiguous, Scalar, resolve
from mop.problem import Problem

#: A place in the data: keys of mappings and indices of lists, from the root.
Path = tuple[str | int, ...]

#: Aliases let a small file stand for a huge one; this many nodes is a thousand environments.
MOST_NODES: Final = 100_000

_STRING_TAG: Final = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something stands, and the source of a plain scalar."""

    line: int
    column: int
    source: str = ""


@dataclass(slots=True)
class Document:
    """What `std.parseYaml` makes of the file, `marks` of its values and `keys`, and the `problems` so far."""

    file: str
    value: Any = None
    marks: dict[Path, Mark] = field(default_factory=dict)
    keys: dict[Path, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def report(
        self,
        path: Path,
        message: str,
        *,
        key: bool = False,
        expected: str = "",
        found: str = "",
        hint: str = "",
    ) -> None:
        """Note a Problem at the value or key of `path`; if that is not there, at what should hold it."""
        mark = self._mark(path, key)
        self.report_at(mark, path, message, expected=expected, found=found, hint=hint)

    def report_at(
        self,
        mark: Mark | Node,
        path: Path,
        message: str,
        *,
        expected: str = "",
        found: str = "",
        hint: str = "",
    ) -> None:
        """Note a Problem at a place that `path` alone would not lead to."""
        place = (self.file, mark.line, mark.column, shown(path))
        problem = Problem(message, "error", "", *place, expected, found, hint)
        if problem not in self.problems:  # an alias shows the same mistake again
            self.problems.append(problem)

    def source(self, path: Path) -> str:
        """The plain scalar at `path` as it is written; "" for anything else."""
        mark = self.marks.get(path)
        return mark.source if mark else ""

    def _mark(self, path: Path, key: bool) -> Mark:
        if path in self.marks:
            return self.keys.get(path, self.marks[path]) if key else self.marks[path]
        while path and path not in self.marks:
            path = path[:-1]
        return self.keys.get(path) or self.marks.get(path) or Mark(1, 1)


def read(data: bytes, file: str) -> Document:
    """`data` as a Document. What is no YAML, or no mapping, has problems, and None as value."""
    document = Document(file)
    try:
        root = compose(data, file, document.problems)
        if root is None or (root.kind == "scalar" and root.plain and resolve(root.text) is None):
            document.report(
                (), "the file is empty", hint="`mop init` in an empty folder writes one to start from"
            )
        elif root.kind != "mapping":
            found = "a list" if root.kind == "list" else f"text {root.text[:40]!r}"
            document.marks[()] = Mark(root.line, root.column)
            document.report((), "not a mapping", expected="`key: value` lines", found=found)
        else:
            document.value = _Reader(document).value(root, ())
    except Ambiguous:
        document.report((), "not a mapping", expected="`key: value` lines", found="one word")
    except Broken as broken:
        document.problems.extend(broken.problems)
    return document


def shown(path: Iterable[str | int]) -> str:
    """`path` as a JSON path: `$.environments.prod.order`, `$.components.tempo.needs[0]`."""
    parts = ["$"]
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            parts.append(f".{step}" if re.fullmatch(r"[\w-]+", step) else f"[{step!r}]")
    return "".join(parts)


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean X?` for the known name that looks most like `name`; "" if none does."""
    by_folded = {candidate.casefold().replace("_", "-"): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold().replace("_", "-"), by_folded, n=1)
    return f"did you mean {by_folded[near[0]]}?" if near else ""


def words(names: Iterable[str]) -> str:
    """`a, b or c`."""
    listed = list(names)
    return f"{', '.join(listed[:-1])} or {listed[-1]}" if len(listed) > 1 else "".join(listed)


def _resolve(node: Node) -> Scalar:
    if node.flow and "?" in node.text:
        raise Ambiguous("some readers end a text at a `?` between brackets or braces", f'write "{node.text}"')
    return resolve(node.text)


def _shown_tag(node: Node) -> str:
    return node.tag.replace("tag:yaml.org,2002:", "!!")


class _Reader:
    """Turns nodes into data, in the document given, and reports what readers of YAML disagree on."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.nodes = 0

    def value(self, node: Node, path: Path) -> Any:
        self._count(node)
        source = node.text if node.kind == "scalar" and node.plain else ""
        self.document.marks[path] = Mark(node.line, node.column, source)
        if node.tag and (node.kind != "scalar" or node.tag != _STRING_TAG):
            self.document.report(path, f"a tag: {_shown_tag(node)}", hint="write the value without it")
        if node.kind == "scalar":
            return self._scalar(node, path)
        if node.kind == "list":
            return [self.value(item, (*path, index)) for index, item in enumerate(node.items)]
        pairs = self._pairs(node, path)
        for name, (key, _) in pairs.items():
            self.document.keys[*path, name] = Mark(key.line, key.column)
        return {name: self.value(value, (*path, name)) for name, (_, value) in pairs.items()}

    def _scalar(self, node: Node, path: Path) -> Scalar:
        if not node.plain or node.tag == _STRING_TAG:
            return node.text
        try:
            return _resolve(node)
        except Ambiguous as ambiguous:
            self.document.report(path, ambiguous.what, hint=ambiguous.remedy)
            return node.text

    def _pairs(self, node: Node, path: Path) -> dict[str, tuple[Node, Node]]:
        """Key → (its node, the value's node). What a merge key brings gives way to what is written."""
        written: dict[str, tuple[Node, Node]] = {}
        merged: dict[str, tuple[Node, Node]] = {}
        for key, value in node.items:
            self._count(key)
            if key.kind == "scalar" and key.plain and key.text == "<<" and not key.tag:
                if merged:
                    self._at(
                        key, path, "the key `<<` stands here twice", hint="`<<: [*one, *other]` merges both"
                    )
                for name, pair in self._merged(value, path).items():
                    if name in written:
                        # Go's yaml.v2 lets a later merge win, YAML's own rule the written key.
                        self._at(
                            key,
                            path,
                            f"`<<` after the key `{name}`, which it holds too",
                            hint="put `<<` first",
                        )
                    merged.setdefault(name, pair)
                continue
            text = self._key(key, path)
            if text is not None and text in written:
                self._twice(text, key, written[text][0], path)
            elif text is not None:
                written[text] = (key, value)
        return {**merged, **written}

    def _merged(self, node: Node, path: Path) -> dict[str, tuple[Node, Node]]:
        sources = node.items if node.kind == "list" else [node]
        pairs: dict[str, tuple[Node, Node]] = {}
        for source in sources:
            if source.kind != "mapping":
                self._at(source, path, "`<<` takes a mapping, or a list of mappings")
                continue
            for name, pair in self._pairs(source, path).items():
                pairs.setdefault(name, pair)
        return pairs

    def _key(self, key: Node, path: Path) -> str | None:
        if key.kind != "scalar":
            self._at(key, path, f"a {key.kind} as a key", expected="text")
            return None
        if key.tag and key.tag != _STRING_TAG:
            self._at(key, (*path, key.text), f"a tag: {_shown_tag(key)}", hint="write the key without it")
        elif key.plain and not key.tag:
            self._check_plain_key(key, (*path, key.text))
        return key.text

    def _check_plain_key(self, key: Node, path: Path) -> None:
        try:
            if not isinstance(_resolve(key), str):
                self._at(key, path, f"the key `{key.text}` is not text", hint=f'write "{key.text}"')
        except Ambiguous as ambiguous:
            self._at(key, path, ambiguous.what, hint=f'write "{key.text}"')

    def _twice(self, name: str, key: Node, first: Node, path: Path) -> None:
        if path == ("charts",):
            message = f"two charts in one folder: charts/{name}"
        else:
            message = f"the key `{name}` stands here twice"
        self._at(key, (*path, name), message, hint=f"the first is on line {first.line}: remove or rename one")

    def _at(self, node: Node, path: Path, message: str, hint: str = "", expected: str = "") -> None:
        self.document.report_at(node, path, message, hint=hint, expected=expected)

    def _count(self, node: Node) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            message = f"aliases make this more than {MOST_NODES} values"
            raise Broken(Problem(message, file=self.document.file, line=node.line, column=node.column))
