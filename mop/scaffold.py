"""What `mop init` writes: a new platform, or MOP beside an existing Tanka repository. It changes no file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mop.errors import ConfigError
from mop.files import write_atomic

#: The Kubernetes version of a new platform, until its user says otherwise.
KUBERNETES: Final = "1.34"

#: Stands where only the user knows the cluster: no kubeconfig has such a context, so none is ever reached.
FILL_IN: Final = "FILL-IN-THE-CONTEXT"

TASKS: Final = (
    '"""inv\'s commands: see `inv --list`."""\n\nfrom mop.commands import namespace  # noqa: F401\n'
)
DODO: Final = (
    '"""doit\'s tasks: see `doit list`."""\n\n'
    "from mop.runner.dodo import DOIT_CONFIG, task_mop  # noqa: F401\n"
)
IGNORED: Final = "/.mop/"

_MAIN: Final = """\
// One visible field for each component that mop.yaml gives this environment; its value is any nesting of
// objects and arrays of Kubernetes objects. Hidden fields (`::`) are free for configuration.
{
}
"""

_HEAD: Final = """\
# yaml-language-server: $schema=.mop/schema.json
# What there is (components) and where it runs (environments); Jsonnet says how each is configured.
version: 1
platform: {name}
kubernetes: "{kubernetes}" # of the clusters: schemas to check with, and what Helm charts see
"""

_NEW: Final = """
components: {} # such as `loki: {charts: [loki]}`: a field of each environment's main.jsonnet

environments:
  local:
    target: embedded # the control plane that MOP runs itself; or {context: NAME} of your kubeconfig
"""


@dataclass(frozen=True, slots=True)
class Initialised:
    """Files, relative to the folder: `written`, or `kept` as they were. `notes`: what is left to do."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    notes: tuple[str, ...]


def init(folder: Path) -> Initialised:
    """Make `folder` a platform: mop.yaml, tasks.py, dodo.py, .gitignore, and a new environment's Jsonnet.

    Static Tanka environments below environments/ are taken into a new mop.yaml as they are. What exists is
    kept and named. Raises ConfigError where `folder` cannot be written.
    """
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _init(folder)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or folder} cannot be written: {error.strerror}",
            hint="nothing that was there changed",
        ) from error


def _init(folder: Path) -> Initialised:
    found = list(tanka_environments(folder))
    files = {
        "mop.yaml": _mop_yaml(folder, found),
        "tasks.py": TASKS,
        "dodo.py": DODO,
        ".gitignore": f"{IGNORED}\n",
    }
    if not found and not os.path.lexists(folder / "mop.yaml"):  # a broken link is there, too
        files["environments/local/main.jsonnet"] = _MAIN
    kept = [name for name in files if os.path.lexists(folder / name)]
    written = [name for name in files if name not in kept]
    for name in written:
        write_atomic(folder / name, files[name])
    return Initialised(tuple(written), tuple(kept), tuple(_notes(folder, found, kept)))


def _notes(folder: Path, found: list[Tanka], kept: list[str]) -> Iterator[str]:
    if "mop.yaml" not in kept:
        for environment in found:
            if environment.context is None:
                yield f"mop.yaml: say which cluster {environment.name} is, in place of {FILL_IN}"
        for path in _environments(folder):
            if not (path / "spec.json").is_file() and path != folder / "environments" / "local":
                below = path.relative_to(folder).as_posix()
                yield f"{below} has no spec.json, so it is not in mop.yaml: add it if it is an environment"
    if ".gitignore" in kept and not _ignores(folder / ".gitignore"):
        yield f".gitignore: add {IGNORED}, where MOP keeps what it makes"
    for name, needed in (("tasks.py", "mop.commands"), ("dodo.py", "mop.runner")):
        if name in kept and needed not in _text(folder / name):
            program = "inv" if name == "tasks.py" else "doit"
            yield f"{name}: `{program}` shows MOP's part if it imports from {needed}; `mop` works without it"
    for above in folder.parents:
        if (above / "mop.yaml").is_file():
            yield f"{above / 'mop.yaml'} is the platform of the folders above; this one now has its own"
            return


def _ignores(gitignore: Path) -> bool:
    return any(line.strip().strip("/") == ".mop" for line in _text(gitignore).splitlines())


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""


# ---------------------------------------------------------------- Tanka


@dataclass(frozen=True, slots=True)
class Tanka:
    """A static Tanka environment. `context`: the only one that its spec.json names, or None."""

    name: str
    path: str
    context: str | None
    hint: str


def tanka_environments(folder: Path) -> Iterator[Tanka]:
    """Static Tanka environments below environments/, each with a name that mop.yaml can have."""
    names: set[str] = set()
    for found in _environments(folder):
        if (found / "spec.json").is_file():
            path = found.relative_to(folder).as_posix()
            name = _unused(_name(path.removeprefix("environments/").removeprefix("environments")), names)
            names.add(name)
            yield Tanka(name, path, *_context(found / "spec.json"))


def _environments(folder: Path) -> Iterator[Path]:
    """Folders below environments/ with a main.jsonnet; hidden and vendored ones are not the user's."""
    for main in sorted((folder / "environments").rglob("main.jsonnet")):
        parts = main.relative_to(folder).parts
        if main.is_file() and not any(part == "vendor" or part.startswith(".") for part in parts):
            yield main.parent


def _unused(name: str, taken: set[str]) -> str:
    candidates = [name, *(f"{name[:59]}-{number}" for number in range(2, len(taken) + 3))]
    return next(candidate for candidate in candidates if candidate not in taken)


def _context(spec: Path) -> tuple[str | None, str]:
    """The context that a spec.json names, and what it says of the cluster otherwise."""
    try:
        fields = json.loads(spec.read_bytes())["spec"]
        contexts, server = fields.get("contextNames") or [], fields.get("apiServer") or ""
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, "its spec.json does not say"
    if isinstance(contexts, list) and len(contexts) == 1 and contexts[0] and isinstance(contexts[0], str):
        return contexts[0], ""
    said = (
        f"one of {', '.join(map(str, contexts))}" if isinstance(contexts, list) and contexts else str(server)
    )
    said = "".join(c if c.isprintable() else " " for c in said).strip()
    return None, f"its spec.json says {said}" if said else "its spec.json does not say"


def _name(text: str) -> str:
    """`text` as a DNS label: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "default"


def _mop_yaml(folder: Path, found: list[Tanka]) -> str:
    text = _HEAD.format(name=_quoted(_name(folder.name)), kubernetes=KUBERNETES)
    if not found:
        return text + _NEW
    lines = [
        "",
        "environments: # Tanka's, as they are: namespace, labels and defaults stay in their spec.json",
    ]
    for environment in found:
        lines.append(f"  {_quoted(environment.name)}:")
        if environment.path != f"environments/{environment.name}":
            lines.append(f"    path: {_quoted(environment.path)}")
        lines.append("    whole: true")
        comment = (
            f" # {environment.hint}: `kubectl config get-contexts`" if environment.context is None else ""
        )
        lines.append(f"    target: {{context: {_quoted(environment.context or FILL_IN)}}}{comment}")
    return text + "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    """`value` as a YAML scalar that every reader takes for text."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9./_-]*", value) and value.lower() not in _WORDS
    if plain:
        return value
    # JSON would write some characters as two surrogates, which YAML does not take.
    return "".join(
        c if c.isprintable() else f"\\U{ord(c):08x}" for c in json.dumps(value, ensure_ascii=False)
    )


_WORDS: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
