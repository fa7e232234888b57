"""Timestamps: which texts Go's YAML libraries take for one, and what encoding/json makes of it."""

from __future__ import annotations

import re
from datetime import datetime

_DATE = r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2}):(?P<second>\d{1,2})(?:[.,](?P<fraction>\d+))?"
_ZONE = r"(?:Z|(?P<sign>[-+])(?P<zone_hour>\d\d):(?P<zone_minute>\d\d))"
#: The four layouts of parseTimestamp (resolve.go), with what time.Parse allows beyond them.
_LAYOUTS = tuple(
    re.compile(layout, re.ASCII) for layout in (f"{_DATE}[Tt]{_TIME}{_ZONE}", f"{_DATE} +{_TIME}", _DATE)
)


class Timestamp(str):
    """A time as encoding/json writes it; `written`: the text in the file; `outside`: JSON cannot have its zone."""

    written: str
    outside: bool


def parse(text: str) -> Timestamp | None:
    """`text` as a timestamp, if Go takes it for one."""
    match = next((found for layout in _LAYOUTS if (found := layout.fullmatch(text))), None)
    if match is None:
        return None
    part = {name: found for name, found in match.groupdict().items() if found is not None}
    hour, minute, second = (int(part.get(name, 0)) for name in ("hour", "minute", "second"))
    year, month, day = (int(part[name]) for name in ("year", "month", "day"))
    zone = int(part.get("zone_hour", 0)) * 60 + int(part.get("zone_minute", 0))
    if int(part.get("zone_hour", 0)) > 24 or int(part.get("zone_minute", 0)) > 60:
        return None
    try:
        datetime(year or 2000, month, day, hour, minute, second)  # year 0 is a leap year, as 2000 is
    except ValueError:
        return None
    fraction = part.get("fraction", "")[:9].rstrip("0")
    suffix = f"{part['sign']}{zone // 60:02}:{zone % 60:02}" if zone else "Z"
    time = f"{hour:02}:{minute:02}:{second:02}" + (f".{fraction}" if fraction else "")
    result = Timestamp(f"{year:04}-{month:02}-{day:02}T{time}{suffix}")
    result.written, result.outside = text, zone >= 24 * 60
    return result
