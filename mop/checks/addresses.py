"""In-cluster addresses in texts: `http://loki-gateway.logs.svc:80`, `dns+memcached:11211`, `kafka.kafka:9092`.

Pure text → addresses; whether they exist is for `endpoints`. An address without a scheme and without `.svc` looks
like many other things (`image:tag`, `key:1`), so those are given with `certain` false.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Schemes whose authority is a host of the network. `s3://bucket` and the like name no host.
_SCHEMES: dict[str, int | None] = {
    "http": 80, "https": 443, "grpc": None, "grpcs": None, "h2c": None, "tcp": None, "udp": None, "ws": 80,
    "wss": 443, "redis": 6379, "rediss": 6379, "memcached": 11211, "kafka": 9092, "postgres": 5432,
    "postgresql": 5432, "mysql": 3306, "amqp": 5672, "nats": 4222, "ldap": 389, "ldaps": 636, "dns": None,
    "mongodb": 27017,
}  # fmt: skip

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SVC = rf"(?P<svc>(?:_?{_LABEL}\.)+svc(?:\.cluster\.local)?)"
_ADDRESS = re.compile(
    rf"(?:(?P<scheme>[a-z][a-z0-9+]*)://(?:[^\s/@]*@)?)?"
    rf"(?P<dns>dns(?:srv(?:noa)?)?\+)?"
    rf"(?:{_SVC}|(?P<host>_?{_LABEL}(?:\._?{_LABEL})*))\.?"
    rf"(?::(?P<port>[0-9]{{1,5}})(?=[/,;?#$]|\Z)|(?=[/,;?#]|\Z))"
)
#: What every address has; looked for first, for that is cheap.
_ANCHOR = re.compile(r"://|\.svc\b|dns(?:srv(?:noa)?)?\+|[a-z0-9]:[0-9]{2,5}\b")
_WORD = re.compile(r"[-A-Za-z0-9_.+/@:$%{}()*~?#=&]*")
_EDGE = frozenset(" \t\r\n\"'`,;<>[]|\\=")
_COMMENT = re.compile(r"[ \t]*(?:#|//|;)|.*?\s#\s")


@dataclass(frozen=True, slots=True)
class Address:
    """`labels`: the host without `.svc…`; `qualified`: it ended in `.svc`; `port` 0: none was given or implied.

    `srv`: the named port of an SRV record (`_grpc._tcp.…`). `line` counts from 1 within the text. `certain`: by
    its form it can only be an address.
    """

    text: str
    labels: tuple[str, ...]
    qualified: bool
    port: int
    srv: str
    line: int
    certain: bool


def addresses(text: str) -> Iterator[Address]:
    """The addresses in `text`, comments left out, each once with the line where it stands first."""
    seen = set()
    end = 0
    for anchor in _ANCHOR.finditer(text):
        if anchor.start() < end:
            continue
        start = anchor.start()
        while start > end and text[start - 1] not in _EDGE:
            start -= 1
        end = max(anchor.end(), _WORD.match(text, start).end())  # type: ignore[union-attr]  # matches nothing too
        word = text[start:end].strip("()")
        if word in seen or _commented(text, start):
            continue
        seen.add(word)
        match = _ADDRESS.match(word)
        found = _address(match) if match is not None else None
        if found is not None:
            yield Address(*found[:5], text.count("\n", 0, start) + 1, found[5])


def _commented(text: str, at: int) -> bool:
    """Whether the place `at` of `text` is in a comment of YAML, INI, nginx or Alloy."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return _COMMENT.match(line) is not None


def _address(match: re.Match[str]) -> tuple[str, tuple[str, ...], bool, int, str, bool] | None:
    scheme, discovery = match["scheme"], match["dns"]
    if scheme is not None and scheme not in _SCHEMES:
        return None
    host = match["svc"] or match["host"]
    labels = tuple(host.removesuffix(".cluster.local").split("."))
    qualified = match["svc"] is not None
    if qualified:
        labels = labels[:-1]
    port = int(match["port"] or (scheme and _SCHEMES[scheme]) or 0)
    certain = qualified or scheme is not None or discovery is not None
    if not certain and not match["port"]:
        return None
    srv = ""
    if labels[0].startswith("_"):
        srv, labels = (
            labels[0][1:],
            labels[2:] if len(labels) > 1 and labels[1].startswith("_") else labels[1:],
        )
    if not labels or any(label.startswith("_") for label in labels) or labels[-1].isdigit():
        return None
    shown = ".".join(labels) + (".svc" if qualified else "") + (f":{match['port']}" if match["port"] else "")
    return shown, labels, qualified, port, srv, certain
