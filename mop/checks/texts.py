"""YAML inside ConfigMaps and Secrets: its structure and texts, without types; parsed once, whoever asks."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Parsed:
    """`value`: objects, lists and texts (`true` is the text "true"; null is ""). Not to be changed: it is kept.

    `fault`: why it is no YAML, or which key an object has twice; `line`: where, from 1, 0 = unknown.
    """

    value: Any
    fault: str = ""
    line: int = 0


@functools.lru_cache(maxsize=512)
def parse(text: str) -> Parsed:
    """The first document of `text`."""
    import yaml

    loader = _loader()(text)
    try:
        node = loader.get_single_node()
        return Parsed(_value(node) if node is not None else None)
    except _TwiceError as twice:
        return Parsed(None, f"the key {twice.key} is there twice", twice.line)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or "cannot be read"
        return Parsed(None, f"not YAML: {reason}", mark.line + 1 if mark is not None else 0)
    finally:
        loader.dispose()


class _TwiceError(Exception):
    def __init__(self, key: str, line: int) -> None:
        super().__init__(key)
        self.key, self.line = key, line


@functools.cache
def _loader() -> Any:
    """libyaml's loader, without the look at every scalar for its type, which is most of its time."""
    import yaml

    class Structure(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Composes nodes whose tags say nothing."""

        def resolve(self, _kind: Any, _value: Any, _implicit: Any) -> str:
            return ""

        def descend_resolver(self, _node: Any, _index: Any) -> None:
            """No path decides on a tag."""

        def ascend_resolver(self) -> None:
            """No path decides on a tag."""

    return Structure


def _value(node: Any) -> Any:
    content = node.value
    if isinstance(content, str):
        return "" if not node.style and content in ("~", "null") else content
    if not content or not isinstance(content[0], tuple):
        return {} if node.id == "mapping" else [_value(entry) for entry in content]
    out: dict[str, Any] = {}
    for key, below in content:
        name = key.value if isinstance(key.value, str) else ""
        if name == "<<":
            merged = _value(below)
            for base in merged if isinstance(merged, list) else [merged]:
                out = {**base, **out} if isinstance(base, dict) else out
        elif name in out and name not in _merged_in(content):
            raise _TwiceError(name, key.start_mark.line + 1)
        else:
            out[name] = _value(below)
    return out


def _merged_in(content: list[tuple[Any, Any]]) -> set[str]:
    """The keys that a mapping takes over with `<<` and may say again."""
    taken: set[str] = set()
    for key, below in content:
        if key.value == "<<":
            merged = _value(below)
            for base in merged if isinstance(merged, list) else [merged]:
                taken |= set(base) if isinstance(base, dict) else set()
    own = [key.value for key, _ in content if isinstance(key.value, str)]
    return {name for name in taken if own.count(name) < 2}
