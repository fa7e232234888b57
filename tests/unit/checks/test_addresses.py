"""In-cluster addresses in texts: what is one, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.checks.addresses import Address, addresses


def only(text: str) -> Address:
    found = list(addresses(text))
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "shown", "port", "srv"),
    [
        ("http://loki.logs.svc.cluster.local:3100/push", "loki.logs.svc:3100", 3100, ""),
        ("url: https://loki.logs.svc", "loki.logs.svc", 443, ""),
        ("dns+memcached.mon.svc.cluster.local.:11211", "memcached.mon.svc:11211", 11211, ""),
        ("dnssrvnoa+_client._tcp.memcached.mon.svc", "memcached.mon.svc", 0, "client"),
        ("dnssrv+_grpc._tcp.loki-gateway", "loki-gateway", 0, "grpc"),
        ("-server=tcp://db:5432", "db:5432", 5432, ""),
        ("postgres://user:p%40ss@db.data:5432/x?a=b", "db.data:5432", 5432, ""),
        ("redis://cache", "cache", 6379, ""),
        ('{"url":"http://mimir-nginx/prometheus"}', "mimir-nginx", 80, ""),
        ("brokers: kafka.kafka:9092,", "kafka.kafka:9092", 9092, ""),
        ("proxy_pass http://read.mon.svc.cluster.local:3100$request_uri;", "read.mon.svc:3100", 3100, ""),
        ("resolver kube-dns.kube-system.svc.cluster.local.;", "kube-dns.kube-system.svc", 0, ""),
        ("(http://a-b:1)", "a-b:1", 1, ""),
        ("pod-0.loki.mon.svc:7946", "pod-0.loki.mon.svc:7946", 7946, ""),
    ],
)
def test_what_is_an_address(text: str, shown: str, port: int, srv: str) -> None:
    found = only(text)
    assert (found.text, found.port, found.srv) == (shown, port, srv)


@pytest.mark.parametrize(
    "text",
    [
        "# http://commented-out.mon.svc",
        "    // http://commented.mon.svc",
        "a: b # see http://docs",
        "http://{{ .Values.host }}:80",
        "http://${HOST}:3100",
        "http://$(POD_IP):3100",
        "http://10.0.0.1:80",
        "0.0.0.0:3100",
        "[::]:3100",
        "s3://bucket.name:80",
        "file://etc/passwd",
        "key: value",
        "2006-01-02T15:04:05Z",
        "sum(rate(x[5m])) by (le)",
        "http://",
        "",
    ],
)
def test_what_is_none(text: str) -> None:
    assert list(addresses(text)) == []


def test_the_line_is_that_of_the_text() -> None:
    assert only("a: 1\nb: 2\nurl: http://loki.logs.svc\n").line == 3


def test_the_same_address_is_told_once() -> None:
    assert only("http://loki.logs.svc:1 http://loki.logs.svc:1").port == 1


@given(st.text(alphabet="abz019.-_:/+$@{}()#\n \"'", max_size=80))
def test_any_text_gives_addresses_and_no_exception(text: str) -> None:
    for address in addresses(text):
        assert address.labels
        assert 0 <= address.port <= 99999
        assert 1 <= address.line <= text.count("\n") + 1


NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


@given(
    service=NAMES,
    namespace=NAMES,
    port=st.integers(1, 65535),
    before=st.sampled_from(["", "http://", "dns+", "x="]),
)
def test_every_qualified_name_is_found(service: str, namespace: str, port: int, before: str) -> None:
    found = only(f"{before}{service}.{namespace}.svc.cluster.local:{port}")
    assert (found.labels, found.port, found.qualified) == ((service, namespace), port, True)
