"""What names what in mop.yaml: every name that nobody declares, every cycle, every path that leads out.

It runs over whatever parts parse: a section that is of the wrong kind says nothing, and is not asked.
"""

from __future__ import annotations

import graphlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mop.config.document import Document, Path, nearest, words
from mop.durations import seconds

#: Names of strategies, which stand where components' names stand in `rollout`.
STRATEGIES: Final = ("rolling", "canary", "blue-green")


def check(document: Document) -> None:
    """Report in `document` what does not fit together among charts, libraries and components."""
    _check_charts(document)
    _check_libraries(document)
    for name, component in mappings(document, "components"):
        _check_component(document, name, component)
    needs = {name: texts(component.get("needs")) for name, component in mappings(document, "components")}
    check_cycles(document, "components", needs, "needs")


# ---------------------------------------------------------------- sections


def section_of(document: Document, name: str) -> Mapping[str, Any] | None:
    """The section as it is; empty if it is left out; None if it is of the wrong kind."""
    section = document.value.get(name, {})
    return section if isinstance(section, dict) else None


def mappings(document: Document, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and value of each entry of the section that is a mapping itself."""
    for key, value in (section_of(document, name) or {}).items():
        if isinstance(value, dict):
            yield key, value


def texts(values: Any) -> list[str]:
    """The texts in `values`, if it is a list at all."""
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def check_names(document: Document, path: Path, names: Any, section: str, what: str) -> None:
    """Report each of `names` (a list at `path`) that `section` does not declare."""
    known = section_of(document, section)
    for index, name in enumerate(names if isinstance(names, list) else ()):
        if known is not None and isinstance(name, str) and name not in known:
            report_unknown(document, (*path, index), name, known, what, section)


def report_unknown(
    document: Document, path: Path, name: str, known: Iterable[str], what: str, section: str
) -> None:
    """Report that `name`, a `what`, is none of `known`, which `section` declares."""
    listed = list(known)
    expected = f"{'an' if what[0] in 'aeiou' else 'a'} {what} that `{section}` declares" + (
        f": {words(listed)}" if 0 < len(listed) <= 12 else ""
    )
    hint = nearest(name, listed) or f"declare it under `{section}`"
    document.report(path, f"no {what} is called {name}", expected=expected, hint=hint)


def check_cycles(document: Document, section: str, graph: Mapping[str, list[str]], key: str) -> None:
    """Report each cycle of `graph`, made from the `key` of each entry of `section`."""
    for cycle in cycles(graph):
        path: Path = (section, cycle[0], key)
        if isinstance(document.value[section][cycle[0]][key], list):
            path = (*path, document.value[section][cycle[0]][key].index(cycle[1]))
        document.report(path, f"a cycle in `{key}`: {' → '.join(cycle)}", hint="one of them must come first")


def cycles(graph: Mapping[str, list[str]]) -> list[list[str]]:
    """Cycles of `graph` (name → the names it waits for) until none is left, each as `[a, b, a]`.

    A cycle begins with the name that `graph` has first. Names that `graph` does not have wait for nothing.
    """
    edges = {name: dict.fromkeys(targets) for name, targets in graph.items()}
    place = {name: index for index, name in enumerate(graph)}
    found = []
    while True:
        try:
            graphlib.TopologicalSorter(edges).prepare()
        except graphlib.CycleError as error:
            loop = error.args[1][:0:-1]  # it tells whom each is waited for by, and repeats the first
            start = loop.index(min(loop, key=place.__getitem__))
            loop = [*loop[start:], *loop[: start + 1]]
            found.append(loop)
            del edges[loop[0]][loop[1]]
        else:
            return found


# ---------------------------------------------------------------- charts, libraries, components


def _check_charts(document: Document) -> None:
    repositories = section_of(document, "repositories")
    for name, chart in mappings(document, "charts"):
        source, path = chart.get("chart"), ("charts", name, "chart")
        if not isinstance(source, str):
            continue
        if source.startswith("./"):
            check_inside(document, path, source)
            continue
        repository, separator, _ = source.partition("/")
        local = "://" in source
        if separator and not local and repositories is not None and repository not in repositories:
            report_unknown(document, path, repository, repositories, "repository", "repositories")
        if "version" not in chart and not source.startswith("git+"):
            expected = "version: a version such as 18.11.0, or a range such as ^18.11"
            document.report(("charts", name, "version"), "the key `version` is missing", expected=expected)


def _check_libraries(document: Document) -> None:
    folders: dict[str, str] = {}
    for name, source in (section_of(document, "libraries") or {}).items():
        if not isinstance(source, str):
            continue
        if source.startswith("./"):
            check_inside(document, ("libraries", name), source)
            continue
        folder = source.rpartition("@")[0].rpartition("://")[2].rpartition("@")[2].replace(".git/", "/")
        first = folders.setdefault(folder, name)
        if first != name:
            message = f"two libraries in one folder: vendor/{folder}"
            document.report(("libraries", name), message, hint=f"{first} is there already: remove one")


def _check_component(document: Document, name: str, component: Mapping[str, Any]) -> None:
    path: Path = ("components", name)
    if name in STRATEGIES:
        expected = "a name that is no rollout strategy"
        document.report(path, f"`{name}` cannot be a name here", key=True, expected=expected)
    check_names(document, (*path, "charts"), component.get("charts"), "charts", "chart")
    check_names(document, (*path, "libraries"), component.get("libraries"), "libraries", "library")
    check_names(document, (*path, "needs"), component.get("needs"), "components", "component")
    ready = component.get("ready")
    if isinstance(ready, dict) and _no_time(ready.get("timeout")):
        document.report((*path, "ready", "timeout"), "no time to become ready", expected="more than 0s")


def _no_time(duration: Any) -> bool:
    try:
        return isinstance(duration, str) and seconds(duration) == 0
    except ValueError:
        return False  # the schema has told


def check_inside(document: Document, path: Path, text: str) -> bool:
    """Whether `text`, at `path`, stays below the folder of mop.yaml; reported if not."""
    normal = posixpath.normpath(text)
    if posixpath.isabs(text) or normal == ".." or normal.startswith("../"):
        expected = "a path below the folder of mop.yaml, such as environments/staging"
        document.report(path, "a path that leads out of the repository", expected=expected, found=f'"{text}"')
        return False
    return True
