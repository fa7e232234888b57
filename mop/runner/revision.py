"""The platform as it was at another commit: what changed since, and how it rendered."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from mop import config, goyaml, lockfile
from mop.engines import git
from mop.errors import MopError
from mop.files import sha256
from mop.runner.run import Run, Workspace, open_workspace
from mop.selection import select
from mop.steps.vendor import Options

#: What is usually not committed: taken from the working tree where the commit locks the same, else vendored anew.
_VENDORED = ("charts", "vendor")

Digests = dict[tuple[str, str], str]


def change_since(root: Path, revision: str) -> tuple[list[str], dict[str, Any] | None]:
    """The files that changed since the commit `revision`, and mop.yaml as it was, if it was there and can be read.

    A folder that mop.lock says is another one now stands among them, with a `/` at its end.
    """
    changed = git.changed_files(root, revision)
    if lockfile.NAME in changed:
        changed += _vendored_since(root, git.file_at(root, revision, lockfile.NAME))
    old = git.file_at(root, revision, config.NAME)
    try:
        documents = goyaml.load_all(old.decode()) if old is not None else []
    except (goyaml.YamlError, UnicodeDecodeError):
        documents = []
    return changed, documents[0] if documents and isinstance(documents[0], dict) else None


def _vendored_since(root: Path, old: bytes | None) -> list[str]:
    """The folders of charts and libraries whose content is not what the lock said then, and the links to them."""
    before = lockfile.parse(old) if old is not None else lockfile.Lock()
    now = lockfile.load(root / lockfile.NAME)
    charts = [
        name
        for name, entry in now.charts.items()
        if name not in before.charts or before.charts[name].tree != entry.tree
    ]
    libraries = [
        path
        for path, entry in now.libraries.items()
        if path not in before.libraries or before.libraries[path].tree != entry.tree
    ]
    vendor = root / "vendor"
    changed = {(vendor / path).resolve() for path in libraries}
    links = [path for path in vendor.iterdir() if path.is_symlink()] if vendor.is_dir() else []
    names = [*libraries, *(link.name for link in links if link.resolve() in changed)]
    return [*(f"charts/{name}/" for name in charts), *(f"vendor/{name}/" for name in names)]


def rendered_now(workspace: Workspace, run: Run) -> Digests:
    """(environment, component) → digest of its manifests; what fails to render is left out."""
    found: Digests = {}
    for spec in (result.name for result in run.ledger.results.values() if result.error is None):
        stage, _, rest = spec.partition(":")
        if stage == "render" and ":" in rest:
            environment, _, component = rest.partition(":")
            data = workspace.outputs.manifests(environment, component).read_bytes()
            found[environment, component] = sha256(data)
    return found


def rendered_at(root: Path, revision: str, jobs: int) -> Digests:
    """The same for the commit `revision`. Nothing if that commit has no valid mop.yaml."""
    with tempfile.TemporaryDirectory(prefix="mop-") as folder:
        target = Path(folder).resolve()
        git.export(root, git.resolve(root, revision), target)
        stages = ["evaluate", "render"]
        if _locks_the_same(root, target):
            for name in _VENDORED:
                if (root / name).is_dir() and not (target / name).exists():
                    (target / name).symlink_to(root / name, target_is_directory=True)
        else:
            stages = ["vendor", *stages]
        try:
            workspace = open_workspace(target)
            selected = select(workspace.platform, "*")
        except MopError:
            return {}
        run = Run(workspace)
        run.builder = replace(run.builder, vendoring=Options(locked=True))
        run.execute(run.specs(selected, stages), jobs)
        return rendered_now(workspace, run)


def _locks_the_same(root: Path, target: Path) -> bool:
    """Whether what is vendored here is what the commit had; a commit without a lock says nothing else."""
    old = target / lockfile.NAME
    return not old.is_file() or lockfile.load(old) == lockfile.load(root / lockfile.NAME)
