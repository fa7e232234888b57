"""Declarations of Tanka and jsonnet-bundler as changes of mop.yaml: chartfile.yaml, jsonnetfile.json. No file changes.

A name that mop.yaml cannot have is made one; what cannot be taken over is said in a note.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from mop import goyaml, jsonnetfile
from mop.errors import VendorError

Values = Mapping[str, Any]


@dataclass(slots=True)
class Import:
    """Entries for `repositories`, `charts` and `libraries` by name, and `notes` for people."""

    repositories: dict[str, Values] = field(default_factory=dict)
    charts: dict[str, Values] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def chartfile(text: bytes, what: str, known: Mapping[str, str]) -> Import:
    """A chartfile.yaml (Tanka: pkg/helm/spec.go). `known`: URLs of the repositories of mop.yaml, by name.

    Raises VendorError for what Tanka would refuse.
    """
    document = _mapping(text, what)
    unknown = document.keys() - {"version", "directory", "repositories", "requires"}
    if unknown:
        raise VendorError(f"{what}: unknown key {', '.join(sorted(unknown))}")
    found = Import()
    aliases = {}
    for index, each in enumerate(_listed(document, "repositories", what)):
        name, url = (_text(each, key, f"{what}: repositories[{index}]") for key in ("name", "url"))
        same = next((alias for alias, address in known.items() if address.rstrip("/") == url.rstrip("/")), "")
        aliases[name] = same or free(name_of(name), [*known, *found.repositories])
        if not same:
            found.repositories[aliases[name]] = {"url": url.rstrip("/")}
        if any(each.get(key) for key in ("username", "password", "certFile", "keyFile", "caFile")):
            found.notes.append(
                f"{name}: its credentials are not taken over, for they belong in no file of a repository: "
                f"write `credentials: env:NAME` and set NAME_USERNAME and NAME_PASSWORD"
            )
    directory = str(document.get("directory") or "charts").strip("./")
    for index, each in enumerate(_listed(document, "requires", what)):
        chart, version = (_text(each, key, f"{what}: requires[{index}]") for key in ("chart", "version"))
        alias, slash, named = chart.partition("/")
        if not slash or not named:
            raise VendorError(f"{what}: requires[{index}]: expected REPOSITORY/CHART, found {chart!r}")
        if alias not in aliases and alias not in known:
            raise VendorError(f"{what}: requires[{index}]: no repository is called {alias}")
        folder = str(each.get("directory") or named)
        name = free(name_of(folder), found.charts)
        found.charts[name] = {"chart": f"{aliases.get(alias, alias)}/{named}", "version": version}
        if f"charts/{name}" != f"{directory}/{folder}":
            found.notes.append(
                f"the chart {directory}/{folder} will lie in charts/{name}: change what names it"
            )
    return found


def jsonnet(text: bytes, what: str) -> Import:
    """A jsonnetfile.json. Raises VendorError for what jsonnet-bundler would refuse."""
    file, found = jsonnetfile.parse(text, what), Import()
    for each in file.dependencies:
        name = free(name_of(posixpath.basename(each.source.path)), found.libraries)
        if each.source.directory:
            directory = posixpath.normpath(each.source.directory)
            if directory.startswith(("../", "/")) or directory in ("..", "."):
                found.notes.append(f"{directory} lies outside of this repository, and is not taken over")
                continue
            found.libraries[name] = f"./{directory}"
            continue
        found.libraries[name] = f"{library_name(each.source)}@{each.version}"
        if each.single:
            found.notes.append(
                f"{each.source.path}: `single` is not taken over: what it asks for comes along"
            )
        if each.legacy_name and each.legacy_name != posixpath.basename(each.source.path):
            found.notes.append(f"{each.source.path}: the name {each.legacy_name} is not taken over")
    if not file.legacy_imports:
        found.notes.append("`legacyImports` is off there; MOP makes the short names of vendor/ as well")
    return found


def library_name(source: jsonnetfile.Source) -> str:
    """The library as mop.yaml names it, without its version."""
    remote = source.remote.removeprefix("https://").removesuffix(".git")
    if source.remote.startswith("https://") and remote.count("/") == 2:
        return f"{remote}/{source.subdir}".rstrip("/")
    return f"{source.remote}/{source.subdir}".rstrip("/")


def _mapping(text: bytes, what: str) -> dict[str, Any]:
    try:
        documents = goyaml.load_all(text)
    except goyaml.YamlError as error:
        raise VendorError(f"{what} is no YAML: line {error.line}: {error.problem}") from None
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise VendorError(f"{what}: expected one mapping")
    return dict(documents[0])


def _listed(document: Mapping[str, Any], key: str, what: str) -> list[Mapping[str, Any]]:
    found = document.get(key) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise VendorError(f"{what}: `{key}` is no list of mappings")
    return found


def _text(fields: Mapping[str, Any], key: str, what: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise VendorError(f"{what}: expected a text for `{key}`, found {value!r}")
    return value


def name_of(text: str) -> str:
    """`text` as a name in mop.yaml: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "unnamed"


def free(name: str, taken: Collection[str]) -> str:
    """`name`, or with a number behind it the first that is not taken."""
    candidates = [name, *(f"{name[:59]}-{number}" for number in range(2, len(taken) + 3))]
    return next(candidate for candidate in candidates if candidate not in taken)
