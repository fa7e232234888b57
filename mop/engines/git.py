"""git, for what it knows about this repository: what changed, and how a file or the whole was at another commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mop.errors import ToolError, UsageError

_TIMEOUT = 120.0


def changed_files(root: Path, since: str) -> list[str]:
    """Paths relative to `root` that differ between the commit `since` and the working tree, untracked ones included.

    Both names of a renamed file. Raises UsageError if there is no such commit.
    """
    commit = resolve(root, since)
    tracked = _git(root, "diff", "--name-only", "--no-renames", "--relative", "-z", commit, "--", ".")
    untracked = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    return sorted(
        {name for name in (tracked + untracked).decode(errors="surrogateescape").split("\0") if name}
    )


def resolve(root: Path, revision: str) -> str:
    """The commit that `revision` names. Raises UsageError if there is none."""
    done = _run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if done.returncode != 0:
        raise UsageError(
            f"expected a commit, found {revision!r}",
            hint="a branch, a tag or a commit of this repository; a shallow clone may lack it (git fetch --unshallow)",
        )
    return done.stdout.decode().strip()


def head(root: Path) -> dict[str, str] | None:
    """`commit`, `author` and `message` (its first line) of HEAD, which says so where files differ from it.

    None where there is no repository, no commit or no git: what is applied then has no known origin.
    """
    try:
        done = _run(root, "log", "-1", "--format=%H%x00%an%x00%s")
    except ToolError:
        return None
    if done.returncode != 0:
        return None
    commit, author, message = done.stdout.decode(errors="replace").strip("\n").split("\0")
    if _git(root, "status", "--porcelain", "--untracked-files=normal", "--", "."):
        message = f"{message} (with uncommitted changes)"
    return {"commit": commit, "author": author, "message": message}


def file_at(root: Path, revision: str, path: str) -> bytes | None:
    """The bytes of `path` (relative to `root`) at `revision`; None if it was not there."""
    done = _run(root, "show", f"{revision}:./{path}")
    return done.stdout if done.returncode == 0 else None


def export(root: Path, revision: str, target: Path) -> None:
    """Write the folder `root` as it was at `revision` into the empty folder `target`."""
    import io
    import tarfile

    archive = _git(root, "archive", "--format=tar", revision)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(target, filter="data")


def _git(root: Path, *arguments: str) -> bytes:
    done = _run(root, *arguments)
    if done.returncode != 0:
        raise ToolError(f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _run(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's git
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
        )
    except FileNotFoundError:
        raise ToolError("git is needed for this and was not found on PATH", hint="install git") from None
    except subprocess.TimeoutExpired:
        raise ToolError(f"git {arguments[0]} gave no answer within {_TIMEOUT:.0f} s") from None
