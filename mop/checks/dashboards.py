"""Dashboards load, and ask something that is there.

Grafana dashboards in ConfigMaps: valid JSON, a uid that no other dashboard has, PromQL that parses (variables are
understood), and datasources that this environment provisions. What Grafana provisions from elsewhere is declared:
`validate: {external: [Datasource/loki-of-the-team]}`.
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

#: Grafana's own, and those that stand for others.
_BUILT_IN = frozenset({"grafana", "-- Grafana --", "-- Mixed --", "-- Dashboard --", "__expr__", "default"})
_PROVISIONED = re.compile(r"(?m)^datasources:")


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each dashboard, or part of one, that does not work."""
    known = _datasources(objects)
    seen: dict[str, tuple[Item, str]] = {}
    for item in objects.kind("ConfigMap"):
        if item.ref.group:
            continue
        for key, value in mapping(item.manifest, "data").items():
            if key.endswith(".json") and isinstance(value, str):
                yield from _dashboard(objects, item, f'data["{key}"]', value, known, seen)


def _dashboard(
    objects: Objects, item: Item, path: str, value: str, known: set[str], seen: dict[str, tuple[Item, str]]
) -> Iterator[Problem]:
    try:
        dashboard = json.loads(value)
    except json.JSONDecodeError as error:
        yield item.problem(f"not JSON: {error.msg}", f"{path} line {error.lineno}")
        return
    if not isinstance(dashboard, dict) or not ("panels" in dashboard or "rows" in dashboard):
        return
    uid = text(dashboard, "uid")
    if len(uid) > 40:
        yield item.problem("the uid is too long", f"{path}: uid", expected="at most 40 characters", found=uid)
    first = seen.setdefault(uid, (item, path)) if uid else (item, path)
    if first != (item, path):
        yield item.problem(
            f"the uid {uid} is that of {first[0].ref} {first[1]} too", f"{path}: uid", found=uid
        )
    kinds = {
        text(variable, "name"): text(variable, "query")
        for _, variable in objects_in(dashboard, "templating", "list")
        if variable.get("type") == "datasource"
    }
    for where, panel in _panels(dashboard, "panels"):
        yield from _panel(objects, item, f"{path}: {where}", panel, known, kinds)


def _panels(holder: Mapping[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Panels, those in rows included, as their path inside the dashboard."""
    for index, panel in objects_in(holder, "panels"):
        yield f"{path}[{index}]", panel
        yield from _panels(panel, f"{path}[{index}].panels")
    for index, row in objects_in(holder, "rows"):
        yield from _panels(row, f"rows[{index}].panels")


def _panel(
    objects: Objects,
    item: Item,
    path: str,
    panel: Mapping[str, Any],
    known: set[str],
    kinds: Mapping[str, str],
) -> Iterator[Problem]:
    yield from _source(objects, item, path, panel.get("datasource"), known)
    for index, target in objects_in(panel, "targets"):
        where = f"{path}.targets[{index}]"
        if target.get("datasource") != panel.get("datasource"):
            yield from _source(objects, item, where, target.get("datasource"), known)
        kind = _kind(target.get("datasource"), kinds) or _kind(panel.get("datasource"), kinds)
        expression = text(target, "expr")
        reason = fault(expression, grafana=True) if kind == "prometheus" and expression.strip() else ""
        if reason:
            flat = " ".join(expression.split())
            yield item.problem(f"PromQL: {reason}", f"{where}.expr", found=flat[:80])


def _source(objects: Objects, item: Item, path: str, source: Any, known: set[str]) -> Iterator[Problem]:
    """A Problem if a panel asks a datasource that nobody provisions; a variable may be any."""
    uid = text(source, "uid") if isinstance(source, dict) else source
    if not isinstance(uid, str) or not uid or "$" in uid or uid in _BUILT_IN or not known or uid in known:
        return
    if not objects.external("Datasource", "", uid):
        yield item.problem(
            f"no datasource {uid} is provisioned",
            f"{path}.datasource",
            expected=f"one of {', '.join(sorted(known))}",
            found=uid,
            hint=nearest(uid, known),
        )


def _kind(source: Any, kinds: Mapping[str, str]) -> str:
    """Type of a datasource, if it says so or is a variable whose type is known."""
    if isinstance(source, dict) and text(source, "type") not in ("", "datasource"):
        return text(source, "type")
    uid = text(source, "uid") if isinstance(source, dict) else source
    return kinds.get(re.sub(r"[${}\[\]]|:\w+", "", uid), "") if isinstance(uid, str) else ""


def _datasources(objects: Objects) -> set[str]:
    """Names and uids of the datasources that ConfigMaps and Secrets provision."""
    found: set[str] = set()
    for item in objects.kind("ConfigMap", "Secret"):
        for field in ("data", "stringData"):
            for value in mapping(item.manifest, field).values():
                if isinstance(value, str) and _PROVISIONED.search(value):
                    # What does not parse is told by the check `configuration`.
                    for _, source in objects_in(parse(value).value, "datasources"):
                        found |= {text(source, "name"), text(source, "uid")} - {""}
    return found
