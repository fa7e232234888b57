"""Folders that change as a whole: one rename puts a finished one in another's place.

At every moment, also after a kill, the place holds the old folder or the new one. Linux and macOS can exchange two
names in one step; where the file system cannot, the old one is set aside first, and `recover` brings it back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mop.files import Digests

#: Folders in the making, and old ones on their way out, lie here: on the same file system as what they become.
STAGING = ".mop-staging"

_AT_FDCWD = -100 if sys.platform == "linux" else -2
_SWAP = 2  # RENAME_EXCHANGE of Linux' renameat2, RENAME_SWAP of macOS' renameatx_np: the same number
_FUNCTION = {"linux": "renameat2", "darwin": "renameatx_np"}.get(sys.platform, "")
#: The file system, the kernel or a sandbox does not know the call.
_UNABLE = frozenset((errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EPERM))


def staged(target: Path) -> Path:
    """A new empty folder in which to make what will be `target`; parents are made."""
    base = target.parent / STAGING
    while True:
        # Another target's `tidy` may remove the folder while it is empty: before mkdtemp, or while mkdir looks at it.
        try:
            base.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(dir=base, prefix=f"{target.name}."))
        except FileNotFoundError:
            continue
        except FileExistsError:
            if os.path.lexists(base) and not base.is_dir():
                raise


def replace(new: Path, target: Path) -> None:
    """Make `target` the folder `new`, from `staged`; what was there before is removed. OSError leaves the old one."""
    new.chmod(0o755)
    if not target.exists() and not target.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        new.rename(target)
    elif target.is_dir() and not target.is_symlink() and _exchange(new, target):
        discard(new)
    else:
        aside = _aside(target)
        discard(aside)
        target.rename(aside)
        new.rename(target)
        discard(aside)
    tidy(target)


def recover(target: Path) -> None:
    """Bring `target` back if a `replace` without an exchange was killed between its two renames."""
    aside = _aside(target)
    if not os.path.lexists(aside):
        return
    if os.path.lexists(target):
        discard(aside)
    else:
        aside.rename(target)


def discard(path: Path) -> None:
    """Remove a folder, a file or a link; that it is gone already is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def tidy(target: Path, *, leftovers: bool = False) -> None:
    """Remove the staging folder beside `target` if nothing is in it; with `leftovers`, also what a kill left there.

    `leftovers` is for who holds the lock of `target`: what bears its name is then nobody's.
    """
    base = target.parent / STAGING
    if leftovers and base.is_dir():
        for path in base.glob(f"{target.name}.????????"):
            discard(path)
    with contextlib.suppress(OSError):
        base.rmdir()


def files(folder: Path) -> dict[str, str]:
    """Every file below `folder`, with its digest, links followed; nothing if there is no such folder."""
    digests = Digests(folder)
    return {
        path.relative_to(folder).as_posix(): digests.file(path) or ""
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }


def differences(found: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    """A line for each file that is not as expected, sorted: `changed: …`, `added: …`, `missing: …`."""
    lines = [(name, "added") for name in found.keys() - expected.keys()]
    lines += [(name, "missing") for name in expected.keys() - found.keys()]
    lines += [(name, "changed") for name in found.keys() & expected.keys() if found[name] != expected[name]]
    return [f"{word}: {name}" for name, word in sorted(lines)]


def _aside(target: Path) -> Path:
    return target.parent / STAGING / f"{target.name}.old"


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where that cannot be done."""
    import ctypes

    function = getattr(ctypes.CDLL(None, use_errno=True), _FUNCTION, None) if _FUNCTION else None
    if function is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    if function(_AT_FDCWD, names[0], _AT_FDCWD, names[1], ctypes.c_uint(_SWAP)) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNABLE:
        return False
    raise OSError(code, os.strerror(code), str(other))
