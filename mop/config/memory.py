"""What mop.yaml was found to be, so that an unchanged one is not checked again.

`.mop/mop-yaml.json` holds the parsed document of the last valid mop.yaml, under a digest of the file's bytes
and of the very code and schema that checked it. A memory that is missing or damaged costs time, no more.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mop import __version__
from mop.files import PRIVATE_FILE, private_folder, sha256, write_atomic

_HERE = Path(__file__).parent


def recall(root: Path, data: bytes) -> dict[str, Any] | None:
    """The document of these bytes, if they were found valid before."""
    try:
        key, sum_, body = _place(root).read_text().split("\n", 2)
        if key == _key(data) and sum_ == sha256(body):
            document: dict[str, Any] = json.loads(body)
            return document
    except (OSError, ValueError):
        return None
    return None


def remember(root: Path, data: bytes, document: Mapping[str, Any]) -> None:
    """Note that these bytes are valid and mean `document`; lay the schema beside, for editors.

    A folder that cannot be written is no mistake of mop.yaml: it is then checked every time.
    """
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    with contextlib.suppress(OSError):
        private_folder(_place(root).parent)
        write_atomic(_place(root), f"{_key(data)}\n{sha256(body)}\n{body}", mode=PRIVATE_FILE)
        write_atomic(_place(root).with_name("schema.json"), (_HERE.parent / "schema.json").read_bytes())
        # Nothing below .mop is ever committed, also where nobody has told git.
        write_atomic(_place(root).with_name(".gitignore"), "*\n")


def _place(root: Path) -> Path:
    return root / ".mop" / "mop-yaml.json"


def _key(data: bytes) -> str:
    return sha256(f"{_checker()}\n{sha256(data)}")


@cache
def _checker() -> str:
    """What checks: the version would not change while somebody works on MOP itself."""
    others = ("checks/__init__.py", "durations.py", "schema.json")
    sources = [*sorted(_HERE.glob("*.py")), *map(_HERE.parent.joinpath, others)]
    return sha256(b"".join([__version__.encode(), *(source.read_bytes() for source in sources)]))
