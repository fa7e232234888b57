"""Configuration is such as its product starts with.

What a container reads by `-config.file`, and Grafana's provisioning files: YAML that parses, no key twice, and for
the products that are known here: Loki and Tempo have every key in the very version of the image (both refuse to
start for one that they do not know); Alertmanager's routes lead to receivers that are there; Grafana has one
default datasource, and names and uids once.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from mop.checks import alertmanager, keys
from mop.checks.mounted import Configuration, configurations, texts
from mop.checks.objects import Item, Objects, objects_in, text
from mop.checks.texts import parse
from mop.problem import Problem

_YAML_PRODUCTS = frozenset({"loki", "tempo", "mimir", "prometheus", "alertmanager", "pyroscope"})
_DATASOURCES = re.compile(r"(?m)^datasources:")
_ALERTMANAGER = re.compile(r"(?m)^receivers:")


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each mistake for which a product would not start, or not load a file."""
    for configuration in configurations(objects):
        if configuration.product in _YAML_PRODUCTS:
            yield from _product(configuration)
    for item in objects.kind("ConfigMap", "Secret"):
        if item.ref.group:
            continue
        for key, path, value in texts(item):
            if _DATASOURCES.search(value) and key.endswith((".yaml", ".yml")):
                yield from _datasources(item, path, value)
            elif (
                key.startswith("alertmanager")
                and key.endswith((".yaml", ".yml"))
                and _ALERTMANAGER.search(value)
            ):
                yield from _alertmanager(item, path, value)


def _product(configuration: Configuration) -> Iterator[Problem]:
    item, path, product, version = (
        configuration.item,
        configuration.path,
        configuration.product,
        configuration.version,
    )
    problem = _broken(item, path, configuration.text)
    if problem is not None:
        yield problem
        return
    if product == "alertmanager":
        yield from _alertmanager(item, path, configuration.text)
    exact = keys.covered(product, version)
    for it in _unknown(configuration.text, product, version if exact else None):
        name = product.capitalize()
        of = f" {version[0]}.{version[1]}" if exact and version is not None else ""
        yield item.problem(
            f"{name}{of} has no key {it.key}"
            + (f": {name} had it {it.other}" if "until" in it.other else ""),
            f"{path}: {it.path}",
            # The references of other versions prove less.
            level="error" if exact and (it.hint or it.other) else "warning",
            found=it.key,
            hint=it.other if "since" in it.other else it.hint,
        )


@functools.lru_cache(maxsize=256)
def _unknown(value: str, product: str, version: keys.Version | None) -> tuple[keys.Unknown, ...]:
    return tuple(keys.unknown(product, version, parse(value).value))


def _alertmanager(item: Item, path: str, value: str) -> Iterator[Problem]:
    problem = _broken(item, path, value)
    if problem is not None:
        yield problem
        return
    parsed = parse(value).value
    for where, message, found, hint in alertmanager.faults(parsed):
        yield item.problem(message, f"{path}: {where}", found=found, hint=hint)


def _datasources(item: Item, path: str, value: str) -> Iterator[Problem]:
    problem = _broken(item, path, value)
    if problem is not None:
        yield problem
        return
    parsed = parse(value).value
    defaults: dict[Any, str] = {}
    seen: dict[tuple[str, Any, str], int] = {}
    for index, source in objects_in(parsed, "datasources"):
        where = f"{path}: datasources[{index}]"
        for field in ("name", "type"):
            if not text(source, field):
                yield item.problem(f"the datasource has no {field}", f"{where}.{field}")
        organisation = text(source, "orgId") or "1"
        for field in ("name", "uid"):
            name = text(source, field)
            if name and seen.setdefault((field, organisation, name), index) != index:
                yield item.problem(f"two datasources have the {field} {name}", f"{where}.{field}", found=name)
        if text(source, "isDefault") == "true":
            first = defaults.setdefault(organisation, text(source, "name"))
            if first != text(source, "name"):
                yield item.problem(
                    f"a second default datasource: {first} is one already",
                    f"{where}.isDefault",
                    hint="Grafana does not start with two",
                )


def _broken(item: Item, path: str, value: str) -> Problem | None:
    """The Problem that `value` is no YAML, or has a key twice."""
    parsed = parse(value)
    if not parsed.fault:
        return None
    return item.problem(parsed.fault, f"{path} line {parsed.line}" if parsed.line else path)
