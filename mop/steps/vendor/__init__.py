"""Make charts/ what mop.lock says, or say why it cannot be; never half, never over somebody's edits.

A chart that the lock names is fetched by its digest; one that it does not name is resolved once and written into it.
What is in the lock changes only where that is asked for.

metadata.py   Chart.yaml: is it the chart that was asked for?
subcharts.py  what Chart.yaml depends on and its archive does not bring
edits.py      was the folder changed by hand?
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from mop import lockfile, semver, trees
from mop.engines.protocols import ChartRepositories, ChartSource, Located, Toolbox
from mop.errors import VendorError
from mop.files import PRIVATE_FILE, Digests, private_folder
from mop.lockfile import ChartLock
from mop.model import Chart, Platform
from mop.outputs import Outputs
from mop.problem import Problem
from mop.steps.vendor import edits, metadata, subcharts


@dataclass(frozen=True, slots=True)
class Options:
    """How to vendor. `locked`: any change to the lock is an error. `update`: charts that may change; None = all.

    `force`: over edited folders.
    """

    locked: bool = field(default_factory=lambda: bool(os.environ.get("CI")))
    update: Collection[str] | None = ()
    force: bool = False

    def updates(self, name: str) -> bool:
        """Whether the lock's entry of `name` may change."""
        return self.update is None or name in self.update


@dataclass(frozen=True, slots=True)
class Outcome:
    """`change`: what became of the lock or, for restored, of the folder. `fetched`: bytes that came by network."""

    name: str
    version: str
    change: Literal["added", "updated", "restored", "kept"]
    before: str = ""
    fetched: int = 0


def source_of(platform: Platform, chart: Chart) -> ChartSource:
    """Where the chart comes from, by what `chart` in mop.yaml says."""
    text = chart.chart
    if text.startswith("git+"):
        return ChartSource("git", text)
    if text.startswith("./"):
        return ChartSource("local", text)
    if text.startswith("oci://"):
        address, _, name = text.rstrip("/").rpartition("/")
        return ChartSource("oci", address, name)
    alias, _, name = text.partition("/")
    repository = platform.repositories[alias]
    kind: Literal["oci", "http"] = "oci" if repository.url.startswith("oci://") else "http"
    return ChartSource(kind, repository.url.rstrip("/"), name, repository.credentials)


def place(platform: Platform, name: str) -> Path:
    """The folder of the vendored chart."""
    return platform.root / "charts" / name


def current(platform: Platform, name: str, outputs: Outputs) -> bool:
    """Whether charts/`name` is what the lock says, and the lock what mop.yaml asks for."""
    entry = lockfile.load(platform.root / lockfile.NAME).charts.get(name)
    return (
        entry is not None
        and not _disagreement(platform, platform.charts[name], entry)
        and outputs.digests.tree(place(platform, name)) == entry.tree
    )


def vendor(platform: Platform, name: str, outputs: Outputs, tools: Toolbox, options: Options) -> Outcome:
    """Make charts/`name` right. Raises VendorError; then the folder, and the lock, are what they were."""
    target = place(platform, name)
    with _alone(outputs, target), _writing(target):
        outputs.digests.fresh(target)
        entry = lockfile.load(platform.root / lockfile.NAME).charts.get(name)
        job = _Job(platform, platform.charts[name], target, outputs, tools, options)
        if entry is None and options.locked:
            raise VendorError(
                f"{lockfile.NAME} has no entry for the chart {name}, and may not change (--locked, or CI is set)",
                hint=f"run `inv vendor`, and commit {lockfile.NAME}",
            )
        if entry is None or options.updates(name):
            return job.resolve(entry)
        trouble = _disagreement(platform, job.chart, entry)
        if trouble:
            raise VendorError(trouble, hint=f"`inv vendor --update {name}` takes what mop.yaml says now")
        return job.restore(entry)


def check(platform: Platform, names: Collection[str]) -> list[Problem]:
    """What is not as the lock says, from the bytes alone: no network, no trust in dates."""
    lock = lockfile.load(platform.root / lockfile.NAME)
    digests = Digests(platform.root)
    problems = []
    for name in names:
        entry, where = lock.charts.get(name), f"charts/{name}"
        if entry is None:
            problems.append(Problem(f"the chart {name} is not in {lockfile.NAME}", file=where))
            continue
        trouble = _disagreement(platform, platform.charts[name], entry)
        if trouble:
            problems.append(Problem(trouble, file=lockfile.NAME))
        found = digests.tree(place(platform, name))
        if found != entry.tree:
            problems += edits.problems(platform.root, name, place(platform, name))
    return problems


def forget(platform: Platform, options: Options) -> list[str]:
    """Drop charts from the lock that mop.yaml no longer declares; unedited folders go too. Gives their names."""
    path = platform.root / lockfile.NAME
    gone = {name: entry for name, entry in lockfile.load(path).charts.items() if name not in platform.charts}
    if gone and options.locked:
        raise VendorError(
            f"{lockfile.NAME} has {', '.join(gone)}, which mop.yaml does not declare, and may not change (--locked)",
            hint=f"run `inv vendor`, and commit {lockfile.NAME}",
        )
    if gone:
        lockfile.edit(
            path, lambda lock: replace(lock, charts={k: v for k, v in lock.charts.items() if k not in gone})
        )
    for name, entry in gone.items():
        target = place(platform, name)
        if Digests(platform.root).tree(target) == entry.tree:
            trees.discard(target)
        edits.forget(platform.root, name)
    return sorted(gone)


@dataclass(frozen=True, slots=True)
class _Job:
    """One chart on its way into its folder."""

    platform: Platform
    chart: Chart
    target: Path
    outputs: Outputs
    tools: Toolbox
    options: Options

    @property
    def source(self) -> ChartSource:
        return source_of(self.platform, self.chart)

    @property
    def repositories(self) -> ChartRepositories:
        return self.tools.repositories()

    def restore(self, entry: ChartLock) -> Outcome:
        """The folder that the lock names."""
        name = self.chart.name
        if self.outputs.digests.tree(self.target) == entry.tree:
            return Outcome(name, entry.version, "kept")  # another process was faster
        if not self.options.force:
            edits.refuse_known(self.platform.root, name, self.target)
        with _staged(self.target) as new:
            fetched = self._fill(entry, new)
            if not self.options.force:
                edits.refuse_unknown(self.platform.root, name, self.target, trees.files(new))
            self._install(new, entry.tree)
        return Outcome(name, entry.version, "restored", fetched=fetched)

    def resolve(self, before: ChartLock | None) -> Outcome:
        """A new entry of the lock, and its folder."""
        name, source = self.chart.name, self.source
        located = self.repositories.locate(source, self.chart.version)
        with _staged(self.target) as new:
            obtained = self.repositories.unpack(source, located, new)
            metadata.verify(new, source, located.version, name)
            found = subcharts.complete(new, source, located, self.platform, self.repositories)
            tree = _tree(new)
            entry = ChartLock(
                name,
                self.chart.chart,
                source.url,
                located.version,
                tree,
                url=subcharts.lockable(located.url),
                archive=obtained.archive,
                subcharts=tuple(each for each, _ in found),
            )
            known = {tree, before.tree if before else tree}
            if not self.options.force and self.outputs.digests.tree(self.target) not in known:
                edits.refuse_known(self.platform.root, name, self.target)
                edits.refuse_unknown(self.platform.root, name, self.target, trees.files(new))
            # The lock first: after a kill between the two, the next run brings the folder along.
            lockfile.edit(self.platform.root / lockfile.NAME, lambda lock: lockfile.with_chart(lock, entry))
            if self.outputs.digests.tree(self.target) != tree:
                self._install(new, tree)
        fetched = obtained.fetched + sum(size for _, size in found)
        if before is None:
            return Outcome(name, entry.version, "added", fetched=fetched)
        change: Literal["kept", "updated"] = "kept" if entry == before else "updated"
        return Outcome(name, entry.version, change, before.version, fetched)

    def _fill(self, entry: ChartLock, new: Path) -> int:
        """Fetch, by the lock's digests, into the folder `new`; gives the bytes that came by network."""
        source = self.source
        located = Located(entry.version, entry.url, entry.archive)
        if not entry.url and source.kind != "local":
            located = replace(self.repositories.locate(source, entry.version), archive=entry.archive)
        fetched = self.repositories.unpack(source, located, new).fetched
        for each in entry.subcharts:
            fetched += subcharts.restore(new, each, self.platform, self.repositories)
        found = _tree(new)
        if found != entry.tree:
            raise VendorError(
                f"the chart {entry.name} is not what {lockfile.NAME} says: expected {entry.tree}, found {found}",
                hint=f"its source changed: `inv vendor --update {entry.name}` if that is meant",
            )
        return fetched

    def _install(self, new: Path, tree: str) -> None:
        found = trees.files(new)
        trees.replace(new, self.target)
        edits.remember(self.platform.root, self.chart.name, tree, found)
        self.outputs.digests.fresh(self.target)


def _disagreement(platform: Platform, chart: Chart, entry: ChartLock) -> str:
    """How the lock's entry is not what mop.yaml asks for; "" if it is."""
    source = source_of(platform, chart)
    name = entry.chart.rpartition("/")[2] if source.name else ""
    if entry.source != source.url or name != source.name:
        asked = f"{source.name} of {source.url}" if source.name else source.url
        locked = f"{name} of {entry.source}" if name else entry.source
        return f"the chart {chart.name}: mop.yaml asks for {asked}, {lockfile.NAME} has {locked}"
    if chart.version in ("", entry.version):
        return ""
    version = semver.parse(entry.version)
    with contextlib.suppress(ValueError):
        if (
            version is not None
            and not semver.exact(chart.version)
            and semver.Range(chart.version).matches(version)
        ):
            return ""
    return f"the chart {chart.name}: mop.yaml asks for version {chart.version}, {lockfile.NAME} has {entry.version}"


@contextlib.contextmanager
def _alone(outputs: Outputs, target: Path) -> Iterator[None]:
    """Keep other threads and processes from this chart; mend what a kill left."""
    import filelock

    outputs.private()
    locks = private_folder(outputs.folder / "locks")
    with filelock.FileLock(locks / f"chart-{target.name}", mode=PRIVATE_FILE, thread_local=False):
        trees.recover(target)
        trees.tidy(target, leftovers=True)
        yield


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    """A full disk or a folder of somebody else's becomes a message."""
    try:
        yield
    except OSError as error:
        raise VendorError(
            f"charts/{target.name} cannot be written: {error.strerror or error} ({error.filename or target})",
            hint="what was there before is still there",
        ) from error


@contextlib.contextmanager
def _staged(target: Path) -> Iterator[Path]:
    new = trees.staged(target)
    try:
        yield new
    finally:
        trees.discard(new)
        trees.tidy(target)


def _tree(folder: Path) -> str:
    return Digests(folder).tree(folder) or ""
