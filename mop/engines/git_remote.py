"""git, for what lies in other people's repositories: which commit a name means, and a folder of it as a tar.

The user's own git: its credentials, proxies and `insteadOf` hold. It never asks at the terminal.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from mop.errors import ToolError, VendorError

_TIMEOUT: Final = 600.0
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST_BYTES: Final = 512 << 20
_URL = re.compile(r"(?:(?:https?|ssh|git\+ssh|file)://|[^\s/:@-][^\s/:@]*@[^\s/:]+:)\S+")


def resolve(url: str, reference: str = "HEAD") -> str:
    """The commit that a branch, a tag (peeled) or a commit's own digest is in the repository at `url`.

    One request. Raises VendorError naming near references if there is none.
    """
    if _COMMIT.fullmatch(reference):
        return reference
    listed = _listed(url)
    for name in (
        f"refs/tags/{reference}^{{}}",
        f"refs/tags/{reference}",
        f"refs/heads/{reference}",
        reference,
    ):
        if name in listed:
            return listed[name]
    import difflib

    known = [
        name.split("/", 2)[2] for name in listed if name.startswith("refs/") and not name.endswith("^{}")
    ]
    near = ", ".join(difflib.get_close_matches(reference, known, n=3, cutoff=0.4) or known[:3])
    raise VendorError(
        f"{public(url)} has no branch, tag or commit {reference!r}",
        hint=f"it has {near}" if near else "the repository is empty",
    )


def folder_tar(url: str, commit: str, path: str = "", *, reference: str = "") -> bytes:
    """The folder `path` of `commit` as a tar whose names begin with `x/`.

    `reference`: the branch or tag that holds the commit, for servers that give no commit by its digest. Raises
    VendorError if the commit is gone or holds no such folder.
    """
    with tempfile.TemporaryDirectory(prefix="mop-git-") as temporary:
        fetch(Path(temporary), url, commit, reference)
        return tar(Path(temporary), url, commit, path)


def fetch(folder: Path, url: str, commit: str, reference: str = "", *, attributes: bool = True) -> None:
    """Make the empty `folder` a bare repository that has `commit`. For `reference` see `folder_tar`.

    `attributes`: `tar` heeds export-ignore and export-subst, as archives of git hosts do and checkouts do not.
    """
    _git(folder, "init", "--quiet", "--bare")
    if not attributes:
        (folder / "info").mkdir(exist_ok=True)
        (folder / "info" / "attributes").write_text("* -export-ignore -export-subst\n")
    _fetch(folder, url, commit, reference)


def tar(folder: Path, url: str, commit: str, path: str = "") -> bytes:
    """The folder `path` of a `commit` that `fetch` brought. `url` is for messages."""
    tree = f"{commit}:{path}" if path else commit
    # After a colon all is path, so that `^{tree}` cannot be asked for.
    if path and _run(folder, "cat-file", "-t", tree).stdout.strip() != b"tree":
        raise VendorError(
            f"{public(url)} has no folder {path!r} at {commit[:12]}", hint="look at the path in mop.yaml"
        )
    # A tree named by `commit:path` makes a tar without attributes of the paths above it.
    data = _git(folder, "-c", "core.autocrlf=false", "archive", "--format=tar", "--prefix=x/", tree)
    if len(data) > _MOST_BYTES:
        raise VendorError(f"{public(url)}: {path or 'the repository'} is larger than {_MOST_BYTES >> 20} MiB")
    return data


def default_branch(url: str) -> str:
    """The branch that a clone of the repository at `url` would check out. Raises VendorError."""
    done = _run(Path.cwd(), "ls-remote", "--quiet", "--symref", "--", _checked(url), "HEAD")
    if done.returncode:
        raise _unreachable(url, done.stderr)
    named = re.search(rb"^ref: refs/heads/(\S+)\tHEAD$", done.stdout, re.MULTILINE)
    if not named:
        raise VendorError(f"{public(url)} does not say which branch is its default")
    return named[1].decode()


def public(url: str) -> str:
    """The URL without a user's name and password."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)


def _listed(url: str) -> dict[str, str]:
    done = _run(Path.cwd(), "ls-remote", "--quiet", "--", _checked(url))
    if done.returncode:
        raise _unreachable(url, done.stderr)
    lines = (
        line.split("\t", 1) for line in done.stdout.decode(errors="replace").splitlines() if "\t" in line
    )
    return {name: commit for commit, name in lines}


def _fetch(folder: Path, url: str, commit: str, reference: str) -> None:
    """Have `commit` in the bare repository `folder`, by as little as the server lets us take."""
    address = _checked(url)
    done = _run(folder, "fetch", "--quiet", "--no-tags", "--depth=1", "--", address, commit)
    if done.returncode and reference and not _COMMIT.fullmatch(reference):
        done = _run(folder, "fetch", "--quiet", "--no-tags", "--", address, reference)
    if done.returncode or _run(folder, "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        done = _run(folder, "fetch", "--quiet", "--tags", "--", address, "+refs/heads/*:refs/heads/*")
    if done.returncode:
        raise _unreachable(url, done.stderr)
    if _run(folder, "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        raise VendorError(
            f"{public(url)} no longer has the commit {commit[:12]}",
            hint="its history was rewritten; `inv vendor --update` takes what is there now",
        )


def _unreachable(url: str, stderr: bytes) -> VendorError:
    words = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    said = next(
        (line for line in words if line.startswith(("fatal:", "error:", "remote:"))),
        words[-1] if words else "",
    )
    return VendorError(
        f"{public(url)} could not be read: {public(said)}",
        hint="git must reach it without asking for a password: a credential helper, netrc or an ssh agent",
    )


def _checked(url: str) -> str:
    if not _URL.fullmatch(url):
        raise VendorError(f"{public(url)} is no address of a git repository")
    return url.replace("git+ssh://", "ssh://", 1)


def _git(folder: Path, *arguments: str) -> bytes:
    done = _run(folder, *arguments)
    if done.returncode:
        raise ToolError(f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    # What a surrounding git (a hook, a rebase) says of its repository is not meant for ours.
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_REPOSITORY}
    environment = {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    environment.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's git
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environment,
            timeout=_TIMEOUT,
        )
    except FileNotFoundError:
        raise ToolError("git is needed for this and was not found on PATH", hint="install git") from None
    except subprocess.TimeoutExpired:
        raise VendorError(f"git {arguments[0]} gave no answer within {_TIMEOUT:.0f} s") from None


_OF_A_REPOSITORY = frozenset(
    (
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_COMMON_DIR",
        "GIT_PREFIX",
        "GIT_NAMESPACE",
    )
)
