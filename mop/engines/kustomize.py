"""`kustomize build` for Jsonnet's kustomizeBuild: the `kustomize` program, or the one inside `kubectl`.

Nothing is fetched while rendering: a resource that is not there as a file or folder is refused before kustomize
would clone it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mop import goyaml
from mop.errors import EvaluationError, ToolError
from mop.manifest import Manifest

#: Names that kustomize looks for, in its order (sigs.k8s.io/kustomize: api/konfig/general.go).
FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
#: Fields whose entries may be folders with a kustomization of their own; files must lie inside the root.
_ROOTS = (
    "resources",
    "bases",
    "components",
    "generators",
    "transformers",
    "validators",
    "configurations",
    "crds",
)
_TIMEOUT = 300.0


def program() -> list[str]:
    """The command that builds: MOP_KUSTOMIZE, `kustomize` or `kubectl kustomize`. Raises ToolError."""
    named = os.environ.get("MOP_KUSTOMIZE")
    if named:
        if shutil.which(named) is None:
            raise ToolError(
                f"MOP_KUSTOMIZE is {named}, and there is no such program", hint="correct or unset it"
            )
        return [named, "build"]
    if found := shutil.which("kustomize"):
        return [found, "build"]
    if found := shutil.which("kubectl"):
        return [found, "kustomize"]
    raise ToolError(
        "kustomizeBuild needs `kustomize` or `kubectl`, and neither is on the PATH",
        hint="install one of them, or name it with MOP_KUSTOMIZE=/path/to/kustomize",
    )


def roots(folder: str) -> list[str]:
    """Every folder that a build of `folder` reads: its own and those that it names outside. Raises EvaluationError."""
    found: list[str] = []
    pending = [folder]
    while pending:
        current = pending.pop()
        if current in found:
            continue
        found.append(current)
        pending += _named(current)
    return sorted(found)


def build(folder: str) -> list[Manifest]:
    """The objects of the kustomization in `folder`, in kustomize's order. Raises ToolError, EvaluationError."""
    command = [*program(), folder]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=False, env=_environment())
    except subprocess.TimeoutExpired:
        raise ToolError(f"kustomize takes more than {_TIMEOUT:.0f} s for {folder}") from None
    except OSError as error:
        raise ToolError(f"{command[0]} cannot be started: {error.strerror}") from error
    if done.returncode:
        raise EvaluationError(f"kustomizeBuild: {done.stderr.decode(errors='replace').strip()}")
    try:
        documents = goyaml.load_all(done.stdout)
    except goyaml.YamlError as error:
        raise EvaluationError(f"kustomizeBuild: kustomize printed what is no YAML: {error}") from error
    return [document for document in documents if isinstance(document, dict)]


def _environment() -> dict[str, str]:
    """No proxy, no git configuration, no kubeconfig: the result depends on the folder alone."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {**kept, "KUBECONFIG": os.devnull, "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "none"}


def _named(folder: str) -> Iterator[str]:
    document = _kustomization(folder)
    for field in _ROOTS:
        entries = document.get(field)
        for entry in entries if isinstance(entries, list) else ():
            if not isinstance(entry, str) or "\n" in entry:  # generators may stand inline
                continue
            path = os.path.normpath(os.path.join(folder, entry))  # noqa: PTH118
            if os.path.isdir(path):  # noqa: PTH112
                yield path
            elif not os.path.exists(path):  # noqa: PTH110
                raise EvaluationError(
                    f"kustomizeBuild: {folder}: {field} names {entry!r}, and there is no such file or folder",
                    hint="MOP fetches nothing while it renders: vendor remote resources beside the kustomization",
                )


def _kustomization(folder: str) -> Mapping[str, Any]:
    for name in FILES:
        try:
            text = (Path(folder) / name).read_bytes()
        except OSError:
            continue
        try:
            documents = goyaml.load_all(text)
        except goyaml.YamlError as error:
            raise EvaluationError(f"kustomizeBuild: {folder}/{name}: {error}") from error
        return documents[0] if documents and isinstance(documents[0], dict) else {}
    raise EvaluationError(
        f"kustomizeBuild: there is no kustomization in {folder}",
        hint=f"expected {', '.join(FILES[:2])} or {FILES[2]}; the path is relative to the file that calls",
    )
