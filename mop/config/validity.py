"""Whether mop.yaml breaks the schema, asked of jsonschema-rs: it is loaded in a third of jsonschema's time.

What exactly is wrong, and how to say it, is known to `schema` alone, and it has the last word.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mop.config.document import Document

#: The schema that is published for editors.
SCHEMA_FILE: Final = Path(__file__).parent.parent / "schema.json"


def check(document: Document) -> None:
    """As `schema.check`, for which it takes longer only where there is a mistake."""
    if not holds(document.value):
        from mop.config import schema

        schema.check(document)


def holds(value: object) -> bool:
    """Whether `value` surely keeps to the schema."""
    import jsonschema_rs

    try:
        return jsonschema_rs.Draft7Validator(SCHEMA_FILE.read_text(encoding="utf-8")).is_valid(value)
    except ValueError:  # a value that this library cannot take
        return False
