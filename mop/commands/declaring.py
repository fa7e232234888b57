"""How mop.yaml is added to: what is asked for is looked up first, so that nothing is written that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mop import config
from mop.errors import UsageError
from mop.report.terminal import Terminal, terminal
from mop.runner.run import Workspace, open_workspace

if TYPE_CHECKING:
    from mop.importing import Import
    from mop.jsonnetfile import Dependency


@dataclass(frozen=True, slots=True)
class Declaration:
    """The mop.yaml that is added to, its workspace, and where messages go."""

    path: Path
    workspace: Workspace
    terminal: Terminal

    @classmethod
    def open(cls) -> Declaration:
        """Read mop.yaml. Raises ConfigError."""
        out = terminal()
        path = config.find(Path.cwd())
        return cls(path, open_workspace(path.parent, progress=out.note), out)

    def add_chart(self, text: str, name: str) -> None:
        """`repo/name@version`, or another source; without a version the newest one is written."""
        from mop.model import Chart
        from mop.steps.vendor import source_of

        source, version = _split(text)
        chart = Chart(name or _chart_name(source), source, version)
        platform = self.workspace.platform
        if "://" not in source and not source.startswith("./"):
            self._require_repository(source)
        located = self.workspace.tools.repositories().locate(source_of(platform, chart), version)
        fields = {"chart": source}
        if not source.startswith("git+"):
            fields["version"] = version or located.version
        old = platform.charts.get(chart.name)
        if old and old.chart != source:
            raise UsageError(
                f"mop.yaml has a chart {chart.name} already: {old.chart}",
                hint="give this one another name: --name NAME",
            )
        if not old:
            self._write({("charts", chart.name): fields})
        elif "version" in fields:
            self._write({("charts", chart.name, "version"): fields["version"]})

    def add_library(self, text: str, name: str) -> None:
        """`host/owner/repository/folder@version`, or `./path`; without a version the repository's default branch."""
        from mop import importing, jsonnetfile

        libraries = self.workspace.tools.libraries()
        if text.startswith("./"):
            found, written = jsonnetfile.library(text), text
            if not (self.workspace.platform.root / text).is_dir():
                raise UsageError(f"there is no folder {text} below {self.workspace.platform.root}")
        else:
            source, version = _split_library(text)
            found = jsonnetfile.Dependency(jsonnetfile.git(source))
            version = version or libraries.default_branch(found.source.remote)
            found = jsonnetfile.library(f"{source}@{version}")
            commit = libraries.resolve(found.source.remote, version)
            libraries.read(
                found.source.remote, commit, found.source.subdir, jsonnetfile.NAME, version=version
            )
            written = f"{importing.library_name(found.source)}@{version}"
        name = name or self._library_name(found)
        old = self.workspace.platform.libraries.get(name)
        if old and jsonnetfile.library(old.source).source.path != found.source.path:
            raise UsageError(
                f"mop.yaml has a library {name} already: {old.source}",
                hint="give this one another name: --name NAME",
            )
        self._write({("libraries", name): written})

    def add_repository(self, name: str, url: str, credentials: str) -> None:
        """A Helm repository or a registry."""
        fields = {"url": url.rstrip("/")}
        if credentials:
            fields["credentials"] = credentials if credentials.startswith("env:") else f"env:{credentials}"
        old = self.workspace.platform.repositories.get(name)
        if old is None:
            self._write({("repositories", name): fields})
        else:
            self._write({("repositories", name, key): value for key, value in fields.items()})

    def take_in(self, found: Import) -> None:
        """Write what another tool's file declares; what mop.yaml has stays as it is."""
        sections: dict[str, Mapping[str, Any]] = {
            "repositories": found.repositories,
            "charts": found.charts,
            "libraries": found.libraries,
        }
        changes: dict[tuple[str, ...], Any] = {}
        declared = self.workspace.platform.declared
        for section, entries in sections.items():
            for name, value in entries.items():
                have = declared.get(section, {}).get(name)
                if have is None:
                    changes[section, name] = value
                elif have != value:
                    self.terminal.note(f"{section}: {name} stays as mop.yaml has it")
        self._write(changes)
        for note in found.notes:
            self.terminal.note(f"note: {note}")

    def take_environments(self) -> None:
        """The static Tanka environments below environments/ that mop.yaml does not have."""
        from mop.scaffold import FILL_IN, tanka_environments

        platform = self.workspace.platform
        paths = {environment.path for environment in platform.environments.values()}
        changes: dict[tuple[str, ...], Any] = {}
        for found in tanka_environments(platform.root):
            if found.path in paths:
                continue
            name = found.name
            while name in platform.environments:
                name = f"{name[:59]}-tk"
            fields: dict[str, Any] = {} if found.path == f"environments/{name}" else {"path": found.path}
            fields |= {"whole": True, "target": {"context": found.context or FILL_IN}}
            changes["environments", name] = fields
            if found.context is None:
                self.terminal.note(
                    f"left to do: say which cluster {name} is, in place of {FILL_IN} ({found.hint})"
                )
        self._write(changes)

    def read(self, name: str, default: str) -> tuple[bytes, str]:
        """A file that another tool wrote: its bytes, and how it is called in messages. Raises UsageError."""
        path = Path.cwd() / name if name else self.workspace.platform.root / default
        try:
            return path.read_bytes(), name or default
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}", hint=f"name a {default}") from None

    def _write(self, changes: Mapping[tuple[str, ...], Any]) -> None:
        from mop.config.edit import Change, edit

        before = self.path.read_bytes()
        edit(self.path, [Change(path, value) for path, value in changes.items()])
        if self.path.read_bytes() == before:
            self.terminal.note("mop.yaml says so already")
            return
        for path, value in changes.items():
            self.terminal.result(f"{'.'.join(path)}: {_shown(value)}")

    def _require_repository(self, source: str) -> None:
        alias, slash, named = source.partition("/")
        known = list(self.workspace.platform.repositories)
        if not slash or not named:
            raise UsageError(
                f"expected REPOSITORY/CHART@VERSION, found {source!r}",
                hint=f"repositories: {', '.join(known)}",
            )
        if alias not in known:
            near = difflib.get_close_matches(alias, known, n=1)
            raise UsageError(
                f"mop.yaml declares no repository {alias!r}",
                hint=f"did you mean {near[0]}?" if near else f"`inv repos.add {alias} URL` adds it",
            )

    def _library_name(self, found: Dependency) -> str:
        """The name under which mop.yaml has this very folder, else one that is free."""
        from mop import importing, jsonnetfile

        libraries = self.workspace.platform.libraries
        for name, library in libraries.items():
            if jsonnetfile.library(library.source).source.path == found.source.path:
                return name
        return importing.free(importing.name_of(found.source.path.rpartition("/")[2]), libraries)


def _split(text: str) -> tuple[str, str]:
    """Source and version of a chart; what names no version has "" there."""
    if text.startswith(("git+", "./")):
        return text, ""
    source, at, version = text.rpartition("@")
    return (source, version) if at else (text, "")


def _split_library(text: str) -> tuple[str, str]:
    """The last `@` stands before a version, unless it belongs to a user's name."""
    source, at, version = text.rpartition("@")
    if not at or ":" in version or "/" not in source.rpartition("://")[2]:
        return text, ""
    return source, version


def _chart_name(source: str) -> str:
    """The chart's own name: of `repo/name`, `oci://…/name`, `git+https://…//path/name?ref=…`, `./path/name`."""
    from mop import importing

    path = source.partition("?")[0].rstrip("/")
    return importing.name_of(path.rpartition("/")[2].removesuffix(".tgz").removesuffix(".git"))


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(each)}" for key, each in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)
