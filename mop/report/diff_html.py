"""A diff as one HTML page, for reviews: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from mop.report.diff import diff_text
from mop.results import ComponentDiff, Place

_OPEN, _CLOSE = "\ue000", "\ue001"  # of Unicode's private use area: no manifest has them by accident
_MARKED = re.compile(f"{_OPEN}([a-z]+){_OPEN}([^{_CLOSE}]*){_CLOSE}")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px/1.4 monospace; margin: 2em; background: #fff; color: #222 }}
.green {{ color: #116329 }} .red {{ color: #a40e26 }} .yellow {{ color: #7d4e00 }} .cyan {{ color: #0550ae }}
.dim {{ color: #666 }} .bold {{ font-weight: bold }}
</style></head><body><pre>
{text}
</pre></body></html>
"""


def diff_html(diffs: Sequence[ComponentDiff], places: Mapping[str, Place]) -> str:
    """The text of the diff with its colours. `places` by environment."""
    text = html.escape(diff_text(diffs, places, paint=_marked))
    environments = ", ".join(dict.fromkeys(diff.environment for diff in diffs))
    return _PAGE.format(
        title=html.escape(f"diff of {environments}"), text=_MARKED.sub(r'<span class="\1">\2</span>', text)
    )


def _marked(colour: str, text: str) -> str:
    clean = text.replace(_OPEN, "").replace(_CLOSE, "")
    return f"{_OPEN}{colour}{_OPEN}{clean}{_CLOSE}"
