"""Writes mop/checks/data/loki.json and tempo.json: which keys the products' configuration has, by version.

    python tools/product_keys.py loki path/to/loki.git v3.0.0 v3.1.0 …
    python tools/product_keys.py tempo path/to/tempo.git v2.6.0 …

From the products' own references, each in the state of its release: Loki's `configuration.md`, which lists every
field, and Tempo's `manifest.md`, the configuration with all defaults. Only names of keys are kept. A node of the
result is an object with its keys, null for a value, or true for what may hold anything. A key that not every
version has says which do: `name@3.2-`, `name@-3.4`, `name@3.2-3.4`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parents[1] / "mop" / "checks" / "data"
PAGES = {
    "loki": ("docs/sources/shared/configuration.md", "docs/sources/configure/_index.md"),
    "tempo": ("docs/sources/tempo/configuration/manifest.md",),
}
_FENCE = re.compile(r"(?ms)^```yaml\n(.*?)^```")
_FIELD = re.compile(r"(\s*)(?:- )?\[?([\w-]+):\s*(?:<([^>]*)>?)?")
_INLINE = re.compile(r"(\s*)\[?<(\w+)>\]?\s*$")
_VALUES = re.compile(
    r"(?:list of )?(?:string|strings|duration|int|boolean|float|url|time|daytime|Regexp|secret)$"
)

Node = Any


def loki(page: str) -> Node:
    """The tree of Loki's reference: the first YAML block is the root, each other one belongs to a heading."""
    blocks: dict[str, str] = {}
    heading = ""
    for part in re.split(r"(?m)^(### .*)$", page):
        if part.startswith("### "):
            heading = part.removeprefix("### ").strip()
        else:
            fences = _FENCE.findall(part)
            if fences:
                blocks[heading] = fences[0]
    root = next(text for name, text in blocks.items() if name.startswith("Supported contents"))
    return _block(root, blocks, ())


def _block(text: str, blocks: dict[str, str], above: tuple[str, ...]) -> Node:
    """One YAML block: fields by indentation; a type that names another block is that block."""
    root: dict[str, Node] = {}
    stack: list[tuple[int, dict[str, Node]]] = [(-1, root)]
    for line in text.splitlines():
        if not line.strip() or line.strip().startswith("#"):
            continue
        inline = _INLINE.match(line)
        if inline:
            target = _above(stack, len(inline[1]))
            target.update(_named(inline[2], blocks, above) or {})
            continue
        field = _FIELD.match(line)
        if not field or not field[2]:
            continue
        indent = len(field[1]) + (2 if line.strip().startswith("- ") else 0)
        holder = _above(stack, indent)
        if field[3] is not None:
            holder[field[2]] = _type(field[3], blocks, above)
        elif line.rstrip().endswith(":"):
            holder[field[2]] = {}
            stack.append((indent, holder[field[2]]))
        else:
            holder[field[2]] = None
    return _closed(root)


def _above(stack: list[tuple[int, dict[str, Node]]], indent: int) -> dict[str, Node]:
    while stack[-1][0] >= indent:
        stack.pop()
    return stack[-1][1]


def _type(name: str, blocks: dict[str, str], above: tuple[str, ...]) -> Node:
    if _VALUES.match(name):
        return None
    single = name.removeprefix("list of ").removesuffix("...")
    node = _named(single, blocks, above) or _named(single.removesuffix("s"), blocks, above)
    return node if node is not None else True


def _named(name: str, blocks: dict[str, str], above: tuple[str, ...]) -> Node | None:
    if name not in blocks or name in above:
        return None
    return _block(blocks[name], blocks, (*above, name))


def _closed(node: dict[str, Node]) -> Node:
    """An empty object of the page stands for anything."""
    return {key: _closed(below) if isinstance(below, dict) else below for key, below in node.items()} or True


def tempo(page: str) -> Node:
    """The tree of Tempo's manifest: a default that is null, empty or a list may be more than it shows."""
    document = yaml.safe_load(_FENCE.findall(page)[0])

    def tree(value: Any) -> Node:
        if isinstance(value, dict) and value:
            return {str(key): tree(below) for key, below in value.items()}
        return True if value in (None, {}, []) or isinstance(value, list) else None

    return tree(document)


def merged(trees: dict[str, Node]) -> Node:
    """One tree of the trees by version, its keys marked with the versions that have them."""
    versions = list(trees)
    objects = {version: tree for version, tree in trees.items() if isinstance(tree, dict)}
    if not objects or any(tree is True for tree in trees.values()):
        return True if any(tree is True for tree in trees.values()) else None
    out: dict[str, Node] = {}
    for key in sorted({key for tree in objects.values() for key in tree}):
        having = [version for version in versions if version in objects and key in objects[version]]
        first = having[0] if having[0] != versions[0] else ""
        last = having[-1] if having[-1] != versions[-1] else ""
        mark = f"@{first}-{last}" if first or last else ""
        out[key + mark] = merged({version: objects[version][key] for version in having})
    return out


def main(product: str, repository: str, tags: list[str]) -> None:
    """Write the file of `product`."""
    trees = {}
    for tag in tags:
        for page in PAGES[product]:
            command = ["git", f"--git-dir={repository}", "show", f"{tag}:{page}"]
            shown = subprocess.run(command, capture_output=True, text=True)
            if shown.returncode == 0 and "```yaml" in shown.stdout:
                tree = {"loki": loki, "tempo": tempo}[product](shown.stdout)
                trees[".".join(tag.lstrip("v").split(".")[:2])] = tree
                break
    source = f"grafana/{product}, {PAGES[product][0]} of {', '.join(tags)}"
    # A default that is left out where it is empty makes the manifest incomplete.
    head = {"source": source, "versions": list(trees), "complete": product != "tempo"}
    lines = [
        f"{json.dumps(key)}:{json.dumps(node, separators=(',', ':'))}" for key, node in merged(trees).items()
    ]
    text = json.dumps(head)[:-1] + ',"keys":{\n' + ",\n".join(lines) + "\n}}\n"
    (DATA / f"{product}.json").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
