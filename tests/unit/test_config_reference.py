"""docs/reference/mop-yaml.md says what the schema says.

After a change of the schema, write it anew:
python -c "from mop.config.reference import markdown; print(markdown(), end='')" > docs/reference/mop-yaml.md
"""

from __future__ import annotations

import re
from pathlib import Path

from mop import config
from mop.config.reference import EXAMPLE, markdown
from mop.config.schema import schema

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "mop-yaml.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == markdown()


def test_every_key_of_the_schema_is_in_a_table() -> None:
    def keys(rule: object) -> set[str]:
        if isinstance(rule, list):
            return set().union(*map(keys, rule))
        if not isinstance(rule, dict):
            return set()
        properties = rule.get("properties", {})
        return (
            set(properties).union(*map(keys, rule.values()))
            if properties
            else set().union(*map(keys, rule.values()))
        )

    tables = set(re.findall(r"^\| `([\w-]+)` \|", markdown(), re.MULTILINE))
    assert keys(dict(schema())) == tables


def test_every_link_leads_to_a_heading() -> None:
    page = markdown()
    headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= anchors


def test_its_example_is_a_platform(tmp_path: Path) -> None:
    (tmp_path / "mop.yaml").write_text(EXAMPLE)

    assert EXAMPLE in markdown()
    assert len(config.load(tmp_path / "mop.yaml").environments) == 3
