"""Writes docs/reference/checks.md from the checks themselves: python tools/checks_reference.py"""

from __future__ import annotations

from pathlib import Path

from mop.report.checks import checks_markdown

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "checks.md"

if __name__ == "__main__":
    PAGE.write_text(checks_markdown())
