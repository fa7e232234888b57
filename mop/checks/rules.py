"""Recording and alerting rules are such as Prometheus, Mimir and Loki load them.

PrometheusRules, and ConfigMaps that hold rule files (`groups:` with `rules:`): expressions parse, a rule records or
alerts, names, labels and durations are valid, no group name comes twice in a file and no rule twice in a group.
Prometheus refuses the whole file for one such mistake, at its next reload.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mop.checks.nearest import nearest
from mop.checks.objects import Item, Objects, mapping, objects_in, text
from mop.checks.promql import fault
from mop.checks.texts import parse
from mop.problem import Problem

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_DURATION = re.compile(r"0|(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
#: prometheus/model/rulefmt, Rule and RuleGroup; Mimir's and Loki's own keys beside them.
_RULE = ("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations")
_GROUP = (
    "name", "interval", "query_offset", "limit", "rules", "labels", "partial_response_strategy", "source_tenants",
    "align_evaluation_time_on_interval", "evaluation_delay", "remote_write",
)  # fmt: skip
_FILE = re.compile(r"(?m)^groups:")


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each mistake for which a ruler would refuse the file."""
    for item in objects.kind("PrometheusRule"):
        yield from _groups(item, "spec.groups", item.manifest.get("spec"), operator=True)
    for item in objects.kind("ConfigMap"):
        if not item.ref.group:
            for key, value in mapping(item.manifest, "data").items():
                if isinstance(value, str) and _FILE.search(value) and "rules:" in value:
                    yield from _file(item, f'data["{key}"]', value)


def _file(item: Item, path: str, value: str) -> Iterator[Problem]:
    parsed = parse(value)
    if parsed.fault:
        yield item.problem(parsed.fault, f"{path} line {parsed.line}" if parsed.line else path)
    elif any(True for _ in objects_in(parsed.value, "groups")):
        yield from _groups(item, f"{path}: groups", parsed.value, operator=False)


def _groups(item: Item, path: str, holder: Any, *, operator: bool) -> Iterator[Problem]:
    names: set[str] = set()
    for index, group in objects_in(holder, "groups"):
        where = f"{path}[{index}]"
        name = text(group, "name")
        if not name:
            yield item.problem("the group has no name", f"{where}.name")
        elif name in names:
            yield item.problem(f"the group {name} is there twice", f"{where}.name", found=name)
        names.add(name)
        # The CRD's schema knows the fields of a PrometheusRule.
        yield from _unknown(item, where, group, _GROUP) if not operator else ()
        yield from _durations(item, where, group, ("interval", "query_offset", "evaluation_delay"))
        seen: set[str] = set()
        for at, rule in objects_in(group, "rules"):
            yield from _rule(item, f"{where}.rules[{at}]", rule, operator=operator)
            identity = json.dumps(
                [rule.get("record"), rule.get("alert"), rule.get("labels")], sort_keys=True, default=str
            )
            same = json.dumps([identity, rule.get("expr")], default=str)
            if same in seen:
                what = text(rule, "record") or text(rule, "alert")
                yield item.problem(
                    f"{what} with these labels is there twice", f"{where}.rules[{at}]", found=what
                )
            seen.add(same)


def _rule(item: Item, path: str, rule: Mapping[str, Any], *, operator: bool) -> Iterator[Problem]:
    record, alert, expression = text(rule, "record"), text(rule, "alert"), rule.get("expr")
    if bool(record) == bool(alert):
        found = "both" if record else "neither"
        yield item.problem("a rule either records or alerts", path, expected="record or alert", found=found)
    if record and not _METRIC.fullmatch(record):
        yield item.problem("not the name of a metric", f"{path}.record", found=record)
    if isinstance(expression, str) and expression.strip():
        reason = fault(expression)
        if reason:
            yield item.problem(f"PromQL: {reason}", f"{path}.expr", found=_short(expression))
    elif not isinstance(expression, int | float):
        yield item.problem("the rule has no expression", f"{path}.expr")
    if record:
        for field in ("for", "keep_firing_for", "annotations"):
            if rule.get(field):
                yield item.problem(f"a recording rule has no {field}", f"{path}.{field}")
    for field in ("labels", "annotations"):
        for name in mapping(rule, field):
            if not _LABEL.fullmatch(name) or name == "__name__":
                yield item.problem("not the name of a label", f"{path}.{field}", found=name)
    yield from _durations(item, path, rule, ("for", "keep_firing_for"))
    yield from _unknown(item, path, rule, _RULE) if not operator else ()


def _durations(
    item: Item, path: str, holder: Mapping[str, Any], fields: tuple[str, ...]
) -> Iterator[Problem]:
    for field in fields:
        value = holder.get(field)
        if (
            value is not None
            and not (isinstance(value, str) and value and _DURATION.fullmatch(value))
            and value != 0
        ):
            yield item.problem(
                "not a duration", f"{path}.{field}", expected="such as 30s, 5m or 1h30m", found=str(value)
            )


def _unknown(item: Item, path: str, holder: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[Problem]:
    for key in holder:
        if key not in known:
            yield item.problem(
                "unknown field", f"{path}.{key}", found=str(key), hint=nearest(str(key), known)
            )


def _short(expression: str) -> str:
    flat = " ".join(expression.split())
    return flat if len(flat) <= 80 else f"{flat[:79]}…"
