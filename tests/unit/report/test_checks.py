"""docs/reference/checks.md says what the checks are."""

from __future__ import annotations

from pathlib import Path

from mop.checks import CHECKS
from mop.report.checks import checks_markdown

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "checks.md"


def test_the_reference_page_is_current() -> None:
    """If this fails: `python tools/checks_reference.py` writes the page anew."""
    assert PAGE.read_text() == checks_markdown()


def test_every_check_says_what_it_finds() -> None:
    text = checks_markdown()
    for check in CHECKS:
        section = text.partition(f"\n## {check.name}\n")[2].partition("\n## ")[0]
        assert len(section) > 80, check.name
