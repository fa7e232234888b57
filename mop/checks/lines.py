"""Where in a rendered file a Problem's path stands, so that editors and CI systems can jump there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from mop.problem import Problem

_PART = re.compile(r'\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]')
_INSIDE = re.compile(r" line (\d+)\Z")


def located(problems: Iterable[Problem], read: Callable[[str], str]) -> Iterator[Problem]:
    """`problems` with their line and column, where their file can be had from `read` and has their path."""
    documents: dict[str, Any] = {}
    for problem in problems:
        if not problem.file or problem.line:
            yield problem
            continue
        if problem.file not in documents:
            documents[problem.file] = _compose(read(problem.file))
        line, column = place(documents[problem.file], problem.path)
        yield replace(problem, line=line, column=column)


def place(node: Any, path: str) -> tuple[int, int]:
    """Line and column, from 1, of `path` (`spec.ports[0].name`, `data["a.yaml"] line 3`) below a composed node.

    A field that is missing is told where it should stand: at the nearest parent that is there.
    """
    inside = _INSIDE.search(path)
    mark = node.start_mark if node is not None else None
    for part in _parts(path[: inside.start()] if inside else path):
        found = _child(node, part)
        if found is None:
            break
        key, node = found
        mark = key.start_mark
    if mark is None:
        return 0, 0
    # The lines of a block text begin below the line of its key.
    return mark.line + 1 + (int(inside[1]) if inside else 0), mark.column + 1


def _parts(path: str) -> Iterator[str | int]:
    for match in _PART.finditer(path):
        if match[2] is not None:
            yield int(match[2])
        else:
            yield match[1] if match[1] is not None else json.loads(match[3])


def _child(node: Any, part: str | int) -> tuple[Any, Any] | None:
    """The node that carries the place of `part` of `node`, and the value there."""
    value = getattr(node, "value", None)
    if isinstance(part, int):
        return (value[part], value[part]) if isinstance(value, list) and part < len(value) else None
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, tuple) and entry[0].value == part:
            return entry
    return None


def _compose(text: str) -> Any:
    import yaml

    return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
