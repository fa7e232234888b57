"""Where in a rendered file a Problem's path stands, so that editors and CI systems can jump there.

Rendered files are written by `mop.goyaml`: one key a line, in block style. Their indentation tells where a path
leads, in a fraction of the time that a YAML parser takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from mop.problem import Problem

_PART = re.compile(r'\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]')
_INSIDE = re.compile(r" line (\d+)\Z")

#: Lines of a file with their numbers from 1; the first line of a list's entry stands here without its dash.
Block = list[tuple[int, str]]


def located(problems: Iterable[Problem], read: Callable[[str], str]) -> Iterator[Problem]:
    """`problems` with their line and column, where their file can be had from `read` and has their path."""
    texts: dict[str, str] = {}
    for problem in problems:
        if not problem.file or problem.line:
            yield problem
            continue
        if problem.file not in texts:
            texts[problem.file] = read(problem.file)
        line, column = place(texts[problem.file], problem.path)
        yield replace(problem, line=line, column=column)


def place(text: str, path: str) -> tuple[int, int]:
    """Line and column, from 1, of `path` (`spec.ports[0].name`, `data["a.yaml"] line 3`) in a rendered file.

    A field that is missing is told where it should stand: at the nearest parent that is there.
    """
    inside = _INSIDE.search(path)
    block: Block = list(enumerate(text.split("\n"), start=1))
    line, column = 1, 1
    for part in _parts(path[: inside.start()] if inside else path):
        found = _entry(block, part) if isinstance(part, int) else _field(block, part)
        if found is None:
            break
        line, column, block = found
    # The lines of a block text begin below the line of its key.
    return line + (int(inside[1]) if inside else 0), column


def _parts(path: str) -> Iterator[str | int]:
    """The parts of a path, up to the place inside a text (`data["a"]: groups[0]`) where it has one."""
    end = 0
    for match in _PART.finditer(path):
        if match.start() != end:
            return
        end = match.end()
        if match[2] is not None:
            yield int(match[2])
        else:
            yield match[1] if match[1] is not None else json.loads(match[3])


def _field(block: Block, key: str) -> tuple[int, int, Block] | None:
    """Line, column and value of `key` in a mapping's block."""
    indent = _first_indent(block)
    heads = (f"{key}:", f"{json.dumps(key, ensure_ascii=False)}:", f"'{key}':")
    for at, (number, line) in enumerate(block):
        if _indent(line) == indent and line[indent:].startswith(heads):
            below: Block = []
            for inner in block[at + 1 :]:
                depth = _indent(inner[1])
                # A list's entries may stand at the indentation of its key.
                if depth < indent or (depth == indent and not inner[1][indent:].startswith("- ")):
                    break
                below.append(inner)
            return number, indent + 1, below
    return None


def _entry(block: Block, wanted: int) -> tuple[int, int, Block] | None:
    """Line, column and value of an entry of a list's block."""
    indent = _first_indent(block)
    starts = [
        at
        for at, (_, line) in enumerate(block)
        if _indent(line) == indent and line[indent : indent + 1] == "-"
    ]
    if wanted >= len(starts):
        return None
    end = starts[wanted + 1] if wanted + 1 < len(starts) else len(block)
    (number, first), *rest = block[starts[wanted] : end]
    return number, indent + 3, [(number, f"{first[:indent]} {first[indent + 1 :]}"), *rest]


def _indent(line: str) -> int:
    """How deep a line stands; an empty one belongs to whatever is around it."""
    stripped = line.lstrip(" ")
    return len(line) - len(stripped) if stripped else 1 << 20


def _first_indent(block: Block) -> int:
    return next((_indent(line) for _, line in block if line.strip()), 0)
