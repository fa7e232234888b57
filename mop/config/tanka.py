"""The spec.json of a static Tanka environment, read as Tanka reads it (pkg/spec/spec.go)."""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from mop.model import TankaEnvironment
from mop.problem import Problem

_TEXTS: Final = ("apiServer", "namespace", "diffStrategy", "applyStrategy", "exportJsonnetImplementation")
_LISTS: Final = ("contextNames", "tankaEnvLabelFromFields")

#: Where in spec.json, what is wrong, and what was expected there.
_Mistake = tuple[tuple[str, ...], str, str]
_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_KIND: Final = "the wrong kind of value"


class BadSpec(Exception):
    """A spec.json that Tanka could not read either; `problems` say why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


def read_all(root: Path, declared: Mapping[str, Any]) -> tuple[dict[str, TankaEnvironment], list[Problem]]:
    """The Tanka environment of each environment that has a spec.json, and what is wrong with the others.

    `declared`: a mop.yaml that may still be full of mistakes; what has no usable folder is passed over.
    """
    specs: dict[str, TankaEnvironment] = {}
    problems: list[Problem] = []
    for name, environment in _object(declared, "environments").items():
        folder = folder_of(name, environment) if isinstance(environment, dict) else None
        if folder is None:
            continue
        rules = environment.get("whole") is True and "namespace" not in environment
        try:
            spec = read(root, folder, rules_namespace=rules)
        except BadSpec as bad:
            problems += [problem for problem in bad.problems if problem not in problems]
            continue
        if spec is not None:
            specs[name] = spec
    return specs, problems


def folder_of(name: str, environment: Mapping[str, Any]) -> str | None:
    """The folder of the environment's main.jsonnet, relative to mop.yaml's; None if it leads nowhere."""
    text = environment.get("path", f"environments/{name}")
    if not isinstance(text, str) or not text or "\0" in text:
        return None
    normal = posixpath.normpath(text)
    return None if posixpath.isabs(normal) or normal.split("/")[0] == ".." else normal


def complete(root: Path, declared: Mapping[str, Any], specs: Mapping[str, TankaEnvironment]) -> bool:
    """Whether each whole environment of a valid mop.yaml still has a main.jsonnet and a namespace."""
    wholes = {n: e for n, e in _object(declared, "environments").items() if e.get("whole")}
    return all(
        (name in specs or "namespace" in environment)
        and has(root, folder_of(name, environment) or "", "main.jsonnet")
        for name, environment in wholes.items()
    )


def has(root: Path, folder: str, file: str) -> bool:
    """Whether `file` is in `folder`; a name that no file system takes is simply not there."""
    return os.path.isfile(root / folder / file)  # noqa: PTH113 - Path.is_file would raise


def read(root: Path, folder: str, *, rules_namespace: bool = False) -> TankaEnvironment | None:
    """The environment of `folder` (relative to `root`, the folder of mop.yaml); None if it has no spec.json.

    `rules_namespace`: its namespace is where objects go, so it must be one. Raises BadSpec. Unknown keys are ignored,
    as Tanka does.
    """
    file = posixpath.normpath(posixpath.join(folder, "spec.json"))
    try:
        data = (root / file).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadSpec(Problem(f"cannot be read: {error.strerror}", file=file)) from error
    document = _parsed(data, file)
    mistakes = list(_mistakes(document))
    if not mistakes:
        environment = _environment(document, *_names(root, folder))
        mistakes = list(_misfits(environment, rules_namespace))
    if mistakes:
        raise BadSpec(*_placed(data, file, mistakes))
    return environment


def _parsed(data: bytes, file: str) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except UnicodeDecodeError as error:
        raise BadSpec(Problem("not UTF-8", file=file, expected="JSON text in UTF-8")) from error
    except RecursionError as error:
        raise BadSpec(Problem("nested too deeply", file=file)) from error
    except json.JSONDecodeError as error:
        problem = Problem(f"not JSON: {error.msg}", file=file, line=error.lineno, column=error.colno)
        raise BadSpec(problem) from error
    if not isinstance(document, dict):
        raise BadSpec(Problem("not an object", file=file, line=1, column=1, expected='{"spec": {…}}'))
    return document


def _placed(data: bytes, file: str, mistakes: Iterable[_Mistake]) -> list[Problem]:
    from mop.config import document  # JSON is YAML: the same reader tells lines

    read = document.read(data, file)
    read.problems.clear()
    for path, message, expected in mistakes:
        read.report(path, message, expected=expected)
    return read.problems


def _mistakes(document: Mapping[str, Any]) -> Iterator[_Mistake]:
    """Path, and what was expected, of each field that Go would not decode; null is as good as left out."""
    yield from _unless(document, ("server", "team", "namespace"), (), str)
    yield from _unless(document, ("metadata", "spec"), (), dict)
    yield from _unless_texts(document, ("metadata", "labels"))
    spec = _object(document, "spec")
    yield from _unless(spec, _TEXTS, ("spec",), str)
    yield from _unless(spec, ("injectLabels",), ("spec",), bool)
    yield from _unless(spec, ("resourceDefaults", "expectVersions"), ("spec",), dict)
    for key in _LISTS:
        value = spec.get(key)
        if value is not None and not (
            isinstance(value, list) and all(isinstance(item, str) for item in value)
        ):
            yield ("spec", key), _KIND, "a list of texts"
    for key in ("labels", "annotations"):
        yield from _unless_texts(document, ("spec", "resourceDefaults", key))
    yield from _unless(_object(spec, "expectVersions"), ("tanka",), ("spec", "expectVersions"), str)


def _misfits(environment: TankaEnvironment, rules_namespace: bool) -> Iterator[_Mistake]:
    """What Tanka, or the API server after it, would refuse later."""
    if rules_namespace and environment.namespace and not re.fullmatch(_LABEL, environment.namespace):
        yield ("spec", "namespace"), "no name for a namespace", "lower-case letters, digits and hyphens"
    try:
        _ = environment.label if environment.inject_labels else ""
    except ValueError as error:
        yield ("spec", "tankaEnvLabelFromFields"), str(error), "paths such as .metadata.name"


def _unless(
    parent: Mapping[str, Any], keys: Iterable[str], path: tuple[str, ...], kind: type
) -> Iterator[_Mistake]:
    words = {str: "text", dict: "an object", bool: "true or false"}
    for key in keys:
        if parent.get(key) is not None and not isinstance(parent[key], kind):
            yield (*path, key), _KIND, words[kind]


def _unless_texts(document: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[_Mistake]:
    parent = document
    for key in path[:-1]:
        parent = _object(parent, key)
    value = parent.get(path[-1])
    if value is not None and not (
        isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
    ):
        yield path, _KIND, "an object of texts"


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _names(root: Path, folder: str) -> tuple[str, str]:
    """Name and entrypoint, relative to Tanka's project root.

    That root is the nearest folder above with a tkrc.yaml, else with a jsonnetfile.json (pkg/jsonnet/jpath),
    else that of mop.yaml.
    """
    normal = posixpath.normpath(folder)
    above = [normal]
    while above[-1] not in ("", "."):
        above.append(posixpath.dirname(above[-1]))
    for marker in ("tkrc.yaml", "jsonnetfile.json"):
        for candidate in above:
            if (root / candidate / marker).is_file():
                name = posixpath.relpath(normal, candidate or ".")
                return name, posixpath.normpath(posixpath.join(name, "main.jsonnet"))
    return normal, posixpath.normpath(posixpath.join(normal, "main.jsonnet"))


def _environment(document: Mapping[str, Any], name: str, entrypoint: str) -> TankaEnvironment:
    metadata, spec = _object(document, "metadata"), _object(document, "spec")
    labels = dict(metadata.get("labels") or {})
    server = spec.get("apiServer") or document.get("server") or ""
    if document.get("team") is not None:
        labels.setdefault("team", document["team"])
    if server and not re.match(".+://", server):
        server = f"https://{server}"
    namespace = spec.get("namespace")
    if namespace == "":
        namespace = document.get("namespace") or ""
    defaults = _object(spec, "resourceDefaults")
    return TankaEnvironment(
        name=name,
        entrypoint=entrypoint,
        labels=labels,
        api_server=server,
        context_names=tuple(spec.get("contextNames") or ()),
        namespace="default" if namespace is None else namespace,
        diff_strategy=spec.get("diffStrategy") or "",
        apply_strategy=spec.get("applyStrategy") or "",
        inject_labels=bool(spec.get("injectLabels")),
        label_fields=tuple(spec.get("tankaEnvLabelFromFields") or ()),
        default_annotations=dict(defaults.get("annotations") or {}),
        default_labels=dict(defaults.get("labels") or {}),
        expect_tanka=_object(spec, "expectVersions").get("tanka") or "",
        export_implementation=spec.get("exportJsonnetImplementation") or "",
    )
