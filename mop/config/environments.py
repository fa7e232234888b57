"""What an environment of mop.yaml names: components, other environments, folders, a Kubernetes version."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path as Folder
from typing import Any

from mop.config import tanka
from mop.config.document import Document, Path, nearest, words
from mop.config.references import (
    STRATEGIES,
    check_cycles,
    check_inside,
    check_names,
    mappings,
    report_unknown,
    section_of,
    texts,
)


def check(document: Document, root: Folder) -> None:
    """Report in `document` what does not fit together in its environments. `root`: the folder of mop.yaml."""
    _check_version(document, ("kubernetes",), document.value.get("kubernetes"))
    for name, environment in mappings(document, "environments"):
        path: Path = ("environments", name)
        _check_version(document, (*path, "kubernetes"), environment.get("kubernetes"))
        _check_after(document, path, environment.get("after"))
        _check_components(document, path, environment)
        _check_rollout(document, path, environment)
        _check_levels(document, path, environment.get("validate"))
        _check_folder(document, path, environment, root)
    after = {name: texts([env.get("after")]) for name, env in mappings(document, "environments")}
    check_cycles(document, "environments", after, "after")


@cache
def kubernetes_versions() -> tuple[str, ...]:
    """The versions, oldest first, whose schemas the package `kubernetes-validate` brings; () without it.

    Its folder is listed: importing it takes 40 ms.
    """
    spec = importlib.util.find_spec("kubernetes_validate")
    found = set()
    for package in (spec.submodule_search_locations or ()) if spec else ():
        for folder in Folder(package, "kubernetes-json-schema").glob("v*-local-strict"):
            if version := re.match(r"v1\.(\d+)\.", folder.name):
                found.add(int(version[1]))
    return tuple(f"1.{minor}" for minor in sorted(found))


def _check_version(document: Document, path: Path, version: Any) -> None:
    known = kubernetes_versions()
    if known and isinstance(version, str) and re.fullmatch(r"1\.\d+", version) and version not in known:
        expected = f"a version from {known[0]} to {known[-1]}"
        document.report(path, "a Kubernetes version without schemas", expected=expected, found=f'"{version}"')


def _check_after(document: Document, path: Path, after: Any) -> None:
    known = section_of(document, "environments") or {}
    if isinstance(after, str) and after not in known:
        others = [name for name in known if name != path[1]]
        report_unknown(document, (*path, "after"), after, others, "environment", "environments")


def _check_components(document: Document, path: Path, environment: Mapping[str, Any]) -> None:
    chosen = environment.get("components")
    if environment.get("whole") is True:
        _check_whole(document, path, chosen)
        return
    wholes = _wholes(document)
    check_names(document, (*path, "components"), chosen, "components", "component")
    needs = {name: texts(component.get("needs")) for name, component in mappings(document, "components")}
    here = texts(chosen) if isinstance(chosen, list) else [name for name in needs if name not in wholes]
    for name in here:
        place = (*path, "components")
        if isinstance(chosen, list):
            place = (*place, chosen.index(name))
        if name in wholes:
            message = f"{name} is the whole of the environment {name}"
            document.report(place, message, hint="a whole Tanka environment is its own only component")
            continue
        for need in needs.get(name, ()):
            if need not in here and need in needs:
                message = f"{name} needs {need}, which is not in this environment"
                document.report(place, message, hint=f"add {need} to its components, or leave {name} out")


def _check_whole(document: Document, path: Path, chosen: Any) -> None:
    name = str(path[1])
    if chosen is not None:
        hint = f"remove it: the whole of main.jsonnet is one component, {name}"
        document.report((*path, "components"), "`whole` takes no `components`", key=True, hint=hint)
    for component, value in mappings(document, "components"):
        if component == name and value.get("needs"):
            hint = f"remove it: {name} is all that the environment {name} has"
            place: Path = ("components", name, "needs")
            document.report(place, "a whole environment needs no component", key=True, hint=hint)


def _check_rollout(document: Document, path: Path, environment: Mapping[str, Any]) -> None:
    rollout = environment.get("rollout")
    if not isinstance(rollout, dict):
        return
    place = (*path, "rollout")
    if set(rollout) & set(STRATEGIES):
        _check_canary(document, place, rollout)
        return
    known = _components(document, str(path[1]), environment)
    for name, strategy in rollout.items():
        if known is not None and name not in known:
            expected = f"a component of this environment: {words(known)}"
            message = f"{name} is not in this environment"
            document.report((*place, name), message, key=True, expected=expected, hint=nearest(name, known))
        if isinstance(strategy, dict):
            _check_canary(document, (*place, name), strategy)


def _components(document: Document, name: str, environment: Mapping[str, Any]) -> list[str] | None:
    """The components of an environment, as far as they can be told; None if they cannot."""
    if environment.get("whole") is True:
        return [name]
    if "components" in environment:
        return texts(environment["components"]) if isinstance(environment["components"], list) else None
    declared = section_of(document, "components")
    return (
        None
        if declared is None
        else [component for component in declared if component not in _wholes(document)]
    )


def _wholes(document: Document) -> set[str]:
    """The environments that are one component of their own."""
    return {
        name for name, environment in mappings(document, "environments") if environment.get("whole") is True
    }


def _check_canary(document: Document, path: Path, strategy: Mapping[str, Any]) -> None:
    """A canary asks the new pods; what a Service answers, old and new pods answer together."""
    for index, http in _http_checks(strategy.get("canary")):
        if http.startswith("service/"):
            place = (*path, "canary", "checks", index, "http")
            document.report(
                place, "a canary cannot ask a Service", expected="pods:PORT/path", found=f'"{http}"'
            )


def _check_levels(document: Document, path: Path, validate: Any) -> None:
    levels = validate.get("checks") if isinstance(validate, dict) else None
    if not isinstance(levels, dict) or not levels:
        return
    from mop.checks import NAMES

    for name in levels:
        if name not in NAMES:
            place = (*path, "validate", "checks", name)
            hint = nearest(name, NAMES) or f"the checks are {words(sorted(NAMES))}"
            document.report(
                place, f"no check is called {name}", key=True, expected="the name of a check", hint=hint
            )


def _http_checks(settings: Any) -> Iterator[tuple[int, str]]:
    checks = settings.get("checks") if isinstance(settings, dict) else None
    for index, check in enumerate(checks if isinstance(checks, list) else ()):
        if isinstance(check, dict) and isinstance(check.get("http"), str):
            yield index, check["http"]


def _check_folder(document: Document, path: Path, environment: Mapping[str, Any], root: Folder) -> None:
    place = (*path, "path")
    if isinstance(environment.get("path"), str) and not check_inside(document, place, environment["path"]):
        return
    folder = tanka.folder_of(str(path[1]), environment)
    if folder is None or environment.get("whole") is not True:
        return
    if not tanka.has(root, folder, "main.jsonnet"):
        hint = "say where its main.jsonnet is with `path:`"
        document.report(place, "no Tanka environment there", expected=f"{folder}/main.jsonnet", hint=hint)
    elif not tanka.has(root, folder, "spec.json") and "namespace" not in environment:
        hint = "where there is no spec.json, say `namespace:` here"
        document.report(
            place, "a Tanka environment without a namespace", expected=f"{folder}/spec.json", hint=hint
        )
