"""Resources that can be: requests below limits, no negative amounts, names of resources that exist.

The API server refuses anything else. What containers leave out is for the check `requests`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from mop.checks.nearest import nearest
from mop.checks.objects import Item, Objects, mapping
from mop.problem import Problem

_STANDARD = ("cpu", "memory", "ephemeral-storage")
_QUANTITY = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?\s*")
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each amount that cannot be."""
    for workload in objects.workloads:
        for path, container in workload.containers:
            limits, requests = (
                mapping(container, "resources", "limits"),
                mapping(container, "resources", "requests"),
            )
            yield from _names(workload.item, path, limits, requests)
            yield from _amounts(workload.item, path, limits, requests)


def quantity(value: Any) -> Decimal | None:
    """The number that a Kubernetes quantity stands for (`1500m` → 1.5); None if it is none."""
    match = _QUANTITY.fullmatch(str(value)) if not isinstance(value, bool) else None
    if match is None:
        return None
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix in _BINARY:
        return number * Decimal(1024 ** _BINARY[suffix])
    power = int(suffix[1:]) if len(suffix) > 1 else _POWERS.get(suffix, 0)
    return number.scaleb(power)


def _names(
    item: Item, path: str, limits: Mapping[str, Any], requests: Mapping[str, Any]
) -> Iterator[Problem]:
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name in amounts:
            if name not in _STANDARD and "/" not in name and not name.startswith("hugepages-"):
                yield item.problem(
                    f"no resource is called {name}",
                    f"{path}.resources.{field}.{name}",
                    expected="cpu, memory, ephemeral-storage, hugepages-… or domain/name",
                    found=name,
                    hint=nearest(name, _STANDARD),
                )


def _amounts(
    item: Item, path: str, limits: Mapping[str, Any], requests: Mapping[str, Any]
) -> Iterator[Problem]:
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            number = quantity(amount)
            if number is not None and number < 0:
                where = f"{path}.resources.{field}.{name}"
                yield item.problem("less than nothing", where, expected="0 or more", found=str(amount))
    for name, amount in requests.items():
        wanted, most = quantity(amount), quantity(limits.get(name))
        if wanted is not None and most is not None and wanted > most:
            yield item.problem(
                f"requests more {name} than its limit",
                f"{path}.resources.requests.{name}",
                expected=f"at most {limits[name]}",
                found=str(amount),
            )
