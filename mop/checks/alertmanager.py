"""An Alertmanager configuration hangs together: receivers, routes, time intervals (alertmanager/config/config.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mop.checks.nearest import nearest
from mop.checks.objects import items, mapping, objects_in, text

_TOP = (
    "global", "templates", "route", "receivers", "inhibit_rules", "mute_time_intervals", "time_intervals", "tracing",
)  # fmt: skip
_ROUTE = (
    "receiver", "group_by", "continue", "matchers", "match", "match_re", "group_wait", "group_interval",
    "repeat_interval", "mute_time_intervals", "active_time_intervals", "routes",
)  # fmt: skip

#: Path, message, what was found, and a hint.
Finding = tuple[str, str, str, str]


def faults(configuration: Any) -> Iterator[Finding]:
    """What Alertmanager would refuse."""
    for key in mapping(configuration):
        if key not in _TOP:
            yield str(key), "unknown field", str(key), nearest(str(key), _TOP)
    names = [text(receiver, "name") for _, receiver in objects_in(configuration, "receivers")]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"receivers[{index}].name", f"the receiver {name} is there twice", name, ""
    intervals = {
        text(interval, "name")
        for field in ("time_intervals", "mute_time_intervals")
        for _, interval in objects_in(configuration, field)
    }
    route = mapping(configuration, "route")
    if not route:
        yield "route", "there is no route", "", "every configuration has one, with the default receiver"
    elif not text(route, "receiver"):
        yield (
            "route.receiver",
            "the top route has no receiver",
            "",
            "it is the default for alerts that match no other",
        )
    yield from _route(route, "route", set(names), intervals)


def _route(route: Any, path: str, receivers: set[str], intervals: set[str]) -> Iterator[Finding]:
    for key in mapping(route):
        if key not in _ROUTE:
            yield f"{path}.{key}", "unknown field", str(key), nearest(str(key), _ROUTE)
    name = text(route, "receiver")
    if name and name not in receivers:
        yield f"{path}.receiver", f"no receiver is called {name}", name, nearest(name, receivers)
    for field in ("mute_time_intervals", "active_time_intervals"):
        for index, interval in enumerate(items(route, field)):
            if interval not in intervals:
                found = str(interval)
                yield (
                    f"{path}.{field}[{index}]",
                    f"no time interval is called {found}",
                    found,
                    nearest(found, intervals),
                )
    for index, below in objects_in(route, "routes"):
        yield from _route(below, f"{path}.routes[{index}]", receivers, intervals)
