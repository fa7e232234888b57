"""What people and programs read of diffs, applies and status."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mop.manifest import ref
from mop.report.apply import ApplyLines, apply_json, apply_text
from mop.report.diff import diff_json, diff_text
from mop.report.history import age, history_json, history_text
from mop.report.status import status_json_report, status_text
from mop.report.terminal import Terminal
from mop.results import (
    ApplyResult,
    Change,
    ComponentDiff,
    ComponentStatus,
    Conflict,
    FieldChange,
    ObjectStatus,
    Origin,
    Place,
    Revision,
    Waiting,
    Written,
)
from tests.unit.objects import config_map, deployment, secret

SCHEMAS = Path(__file__).parents[3] / "docs" / "reference" / "schemas"
PLACES = {
    "staging": Place("staging-eu-1 (https://api.example.com)"),
    "local": Place("embedded", simulated=True),
}

UPDATE = Change(
    "update",
    ref(deployment()),
    (
        FieldChange("update", "spec.replicas", 1, 2),
        FieldChange("add", "spec.paused", None, True),
        FieldChange("delete", 'metadata.labels["a/b"]', "x", None),
        FieldChange("update", "data.config", "a: 1\nb: 2\nc: 3\nd: 4\n", "a: 1\nb: 2\nc: 3\nd: 5\n"),
    ),
    before=deployment(),
    after=deployment(),
    conflicts=(Conflict("kubectl", "spec.replicas"),),
    warnings=("deprecated",),
)
ADD = Change("add", ref(config_map()), (), None, config_map(), note="its namespace is created first")
DELETE = Change("delete", ref(config_map("old")))
KEEP = Change("keep", ref(secret()))
DIFF = ComponentDiff("staging", "web", (UPDATE, ADD, DELETE, KEEP))
WAITS = ObjectStatus(ref(deployment()), "waiting", "pods ready 0/1")
FAILS = ObjectStatus(ref(config_map()), "failed", "broken", logs="last words")
READY = ObjectStatus(ref(secret()), "ready")


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.json").read_text())


def test_a_diff_for_people() -> None:
    assert diff_text([DIFF], PLACES) == (
        """staging on staging-eu-1 (https://api.example.com)
  web: 1 to add, 1 to update, 1 to delete, 1 unchanged
    ~ Deployment/monitoring/web
        conflict: spec.replicas is owned by kubectl
        spec.replicas
          - 1
          + 2
        spec.paused
          + true
        metadata.labels["a/b"]
          - "x"
        data.config
          @@ -2,3 +2,3 @@
            b: 2
            c: 3
          - d: 4
          + d: 5
    + ConfigMap/monitoring/settings  (its namespace is created first)
        + apiVersion: v1
        + kind: ConfigMap
        + metadata:
        +   name: settings
        +   namespace: monitoring
        + data:
        +   colour: blue
    - ConfigMap/monitoring/old
warning: Deployment/monitoring/web: deprecated
1 to add, 1 to update, 1 to delete, 1 unchanged"""
    )


def test_a_summary_has_a_line_an_object() -> None:
    text = diff_text([DIFF], PLACES, summary=True)
    assert "spec.replicas\n" not in text
    assert "    ~ Deployment/monitoring/web" in text


def test_additions_can_be_named_without_their_content() -> None:
    assert "colour: blue" not in diff_text([DIFF], PLACES, whole=False)


def test_no_changes_is_one_line() -> None:
    text = diff_text([ComponentDiff("local", "web", (KEEP,))], PLACES)
    assert text.splitlines()[-1] == "no changes (1 objects)"
    assert "simulated" in text


def test_colours_only_where_asked() -> None:
    assert "\x1b" not in diff_text([DIFF], PLACES)
    painted = diff_text([DIFF], PLACES, paint=lambda colour, text: f"<{colour}>{text}")
    assert "<red>          - 1" in painted
    assert "<green>          + 2" in painted


def test_a_diff_for_programs_follows_its_schema() -> None:
    document = diff_json([DIFF, ComponentDiff("local", "web", (KEEP,))], PLACES)
    jsonschema.validate(document, schema("diff"))
    (component,) = document["environments"][0]["components"]
    assert component["summary"] == {"add": 1, "update": 1, "delete": 1, "keep": 1}
    assert [change["action"] for change in component["changes"]] == ["update", "add", "delete"]
    assert component["changes"][0]["fields"][1] == {"action": "add", "path": "spec.paused", "new": True}
    assert document["environments"][1]["simulated"] is True


def test_an_apply_for_people_and_programs() -> None:
    result = ApplyResult("local", "web", (UPDATE, ADD, KEEP), (READY,), 1.23456)
    assert apply_text([result], PLACES).splitlines()[1] == (
        "  ✓ web  1 added, 1 updated, 1 unchanged, 1 objects ready"
    )
    document = apply_json([result], PLACES)
    jsonschema.validate(document, schema("apply"))
    assert document["environments"][0]["components"][0]["seconds"] == 1.235


def test_status_for_people_puts_failures_first() -> None:
    statuses = [
        ComponentStatus("staging", "web", (WAITS, FAILS, READY)),
        ComponentStatus("staging", "logging", (READY,)),
    ]
    assert status_text(statuses, PLACES).splitlines() == [
        "staging on staging-eu-1 (https://api.example.com)",
        "  ✗ web      1 of 3 objects ready",
        "      ConfigMap/monitoring/settings: broken",
        "      Deployment/monitoring/web: pods ready 0/1",
        "  ✓ logging  1 objects ready",
    ]


def test_status_for_programs_follows_its_schema() -> None:
    document = status_json_report([ComponentStatus("staging", "web", (WAITS, FAILS, READY))], PLACES)
    jsonschema.validate(document, schema("status"))
    assert document["ready"] is False


@pytest.mark.parametrize("name", ["diff", "apply", "status", "history"])
def test_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


REVISION = Revision(
    "staging",
    "web",
    12,
    "2026-01-31T12:00:00Z",
    "ready",
    3,
    origin=Origin("0123456789abcdef", "alice", "rollback to revision 9", {"charts/web": "1"}),
)
NOW = datetime(2026, 2, 3, tzinfo=UTC)


def test_history_for_people_and_programs() -> None:
    failed = replace(REVISION, number=11, outcome="failed", time="2026-01-31T11:00:00Z", origin=Origin())
    revisions = [REVISION, failed]
    assert history_text(revisions, PLACES, now=NOW).splitlines()[1:] == [
        "  web",
        "      12    2d  ready        3 objects  0123456789ab alice rollback to revision 9",
        "      11    2d  failed       3 objects",
    ]
    assert history_text([], PLACES) == "no revisions"
    document = history_json(revisions, PLACES)
    jsonschema.validate(document, schema("history"))
    assert document["environments"][0]["components"][0]["revisions"][0]["revision"] == 12


def test_status_tells_revision_and_age() -> None:
    statuses = [ComponentStatus("staging", "web", (READY,), REVISION)]
    assert status_text(statuses, PLACES, now=NOW).endswith("1 objects ready  revision 12, 2d ago")
    jsonschema.validate(status_json_report(statuses, PLACES), schema("status"))


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2026-02-02T23:59:55Z", "5s"),
        ("2026-02-02T23:57:00Z", "3m"),
        ("2026-02-02T19:00:00Z", "5h"),
        ("2026-01-01T00:00:00Z", "33d"),
        ("2026-02-03T00:00:09Z", "0s"),
        ("", ""),
    ],
)
def test_age(time: str, text: str) -> None:
    assert age(time, NOW) == text


def progress_lines(*facts: Written | Waiting, colour: bool = False) -> str:
    err = io.StringIO()
    lines = ApplyLines(Terminal(io.StringIO(), err, False, colour))
    for fact in facts:
        lines(fact)
    lines.close()
    return err.getvalue()


def waiting(ready: int, *unready: ObjectStatus) -> Waiting:
    return Waiting("staging", "web", ready, 3, unready, 2.0)


def test_progress_tells_what_is_written_and_passes_over_what_is_kept() -> None:
    text = progress_lines(
        Written("staging", "web", KEEP, 1, 2),
        Written("staging", "web", ADD, 2, 2),
    )
    assert text == "  + ConfigMap/monitoring/settings  staging/web 2/2\n"


def test_progress_in_a_log_tells_each_count_once() -> None:
    text = progress_lines(waiting(1, WAITS), waiting(1, WAITS), waiting(2, WAITS))
    assert text.count("…") == 2
    assert "1 of 3 ready" in text
    assert "Deployment/monitoring/web: pods ready 0/1" in text


def test_progress_on_a_terminal_is_one_line_that_goes_away() -> None:
    text = progress_lines(waiting(1, WAITS), waiting(2, WAITS), colour=True)
    assert "\n" not in text
    assert text.endswith("\r\x1b[2K")
