"""The way out of the API server: what is known is reached, everything else is refused and never dialled."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.controlplane import egress
from mop.controlplane.layout import KUBELET_PORT


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder, as the working folder: sockets are named relative to it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextlib.asynccontextmanager
async def proxy(folder: Path, kubelet: int = 1) -> AsyncIterator[list[str]]:
    """A running proxy; what it says is collected."""
    said: list[str] = []
    task = asyncio.create_task(
        egress.serve(folder, egress.Routes(folder / "routes.json", kubelet), said.append)
    )
    while not (folder / egress.CONTROLPLANE).exists():
        await asyncio.sleep(0)
    try:
        yield said
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """A server on loopback that gives back what it is sent; the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"echo:" + await reader.read(100))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def ask(socket: str, request: str, body: bytes = b"") -> str:
    """The whole answer to `request`, and to `body` once the connection stands."""
    reader, writer = await asyncio.open_unix_connection(socket)
    writer.write(f"{request}\r\nHost: 127.0.0.1\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " in head:
        writer.write(body)
        writer.write_eof()
    rest = await reader.read()
    writer.close()
    return (head + rest).decode()


def test_an_invented_address_is_refused(folder: Path) -> None:
    async def story() -> tuple[str, list[str]]:
        async with proxy(folder) as said:
            return await ask(egress.CLUSTER, "CONNECT 198.18.0.9:80 HTTP/1.1"), said

    answer, said = asyncio.run(story())

    assert answer.startswith("HTTP/1.1 403 198.18.0.9:80 is simulated")
    assert said == ["refused 198.18.0.9:80"]


def test_a_stand_in_answers_for_a_pod_from_the_moment_it_is_named(folder: Path) -> None:
    async def story() -> tuple[str, str]:
        async with proxy(folder), echo() as port:
            before = await ask(egress.CLUSTER, "CONNECT 198.18.0.9:3100 HTTP/1.1")
            (folder / "routes.json").write_text(json.dumps({"198.18.0.9:3100": f"127.0.0.1:{port}"}))
            return before, await ask(egress.CLUSTER, "CONNECT 198.18.0.9:3100 HTTP/1.1", b"hello")

    before, after = asyncio.run(story())

    assert before.startswith("HTTP/1.1 403")
    assert after == "HTTP/1.1 200 OK\r\n\r\necho:hello"


def test_the_kubelet_port_of_a_simulated_node_leads_to_kwok(folder: Path) -> None:
    async def story() -> list[str]:
        async with echo() as port, proxy(folder, kubelet=port):
            return [
                await ask(egress.CLUSTER, f"CONNECT {address} HTTP/1.1", b"logs?")
                for address in (f"198.19.255.1:{KUBELET_PORT}", "198.19.255.1:22", f"10.0.0.1:{KUBELET_PORT}")
            ]

    kubelet, other_port, other_node = asyncio.run(story())

    assert kubelet.endswith("echo:logs?")
    assert other_port.startswith("HTTP/1.1 403")
    assert other_node.startswith("HTTP/1.1 403")


def test_a_webhook_by_url_reaches_this_machine_and_no_other(folder: Path) -> None:
    async def story() -> tuple[str, str, str]:
        async with proxy(folder), echo() as port:
            return (
                await ask(egress.CONTROLPLANE, f"CONNECT 127.0.0.1:{port} HTTP/1.1", b"x"),
                await ask(egress.CONTROLPLANE, "CONNECT hooks.example.com:443 HTTP/1.1"),
                await ask(egress.CLUSTER, f"CONNECT 127.0.0.1:{port} HTTP/1.1"),
            )

    here, elsewhere, as_a_pod = asyncio.run(story())

    assert here.endswith("echo:x")
    assert elsewhere.startswith("HTTP/1.1 403")
    assert as_a_pod.startswith("HTTP/1.1 403"), (
        "a pod that says it lives on loopback must not reach the user's servers"
    )


def test_a_stand_in_that_is_gone_is_said_to_be_so(folder: Path) -> None:
    async def story() -> str:
        async with echo() as port:
            (folder / "routes.json").write_text(json.dumps({"198.18.0.9:80": f"127.0.0.1:{port}"}))
        async with proxy(folder):
            return await ask(egress.CLUSTER, "CONNECT 198.18.0.9:80 HTTP/1.1")

    assert asyncio.run(story()).startswith("HTTP/1.1 502 the stand-in of 198.18.0.9:80")


@pytest.mark.parametrize("request_line", ["GET http://198.18.0.9/ HTTP/1.1", "CONNECT nonsense HTTP/1.1"])
def test_what_is_no_connect_is_refused(folder: Path, request_line: str) -> None:
    async def story() -> str:
        async with proxy(folder):
            return await ask(egress.CLUSTER, request_line)

    assert asyncio.run(story()).startswith("HTTP/1.1 403")


@pytest.mark.parametrize(
    "routes",
    ["", "[]", "{", '{"198.18.0.9:80": 7}', '{"198.18.0.9:80": "example.com:80"}', '{"198.18.0.9:80": "x"}'],
)
def test_damaged_routes_and_routes_off_this_machine_lead_nowhere(tmp_path: Path, routes: str) -> None:
    file = tmp_path / "routes.json"
    file.write_text(routes)

    assert egress.Routes(file, 1).cluster("198.18.0.9:80") is None


@given(st.ip_addresses(v=4), st.integers(1, 65535))
def test_without_stand_ins_only_loopback_is_ever_dialled(address: object, port: int) -> None:
    routes = egress.Routes(Path("/nonexistent/routes.json"), 4242)

    for target in (routes.cluster(f"{address}:{port}"), routes.controlplane(f"{address}:{port}")):
        assert target is None or egress.is_loopback(target[0])


def test_the_configuration_leads_everything_but_etcd_through_the_sockets() -> None:
    selections = {
        one["name"]: one["connection"] for one in json.loads(egress.configuration())["egressSelections"]
    }

    assert selections["etcd"] == {"proxyProtocol": "Direct"}
    for name in ("cluster", "controlplane"):
        assert selections[name]["transport"]["uds"]["udsName"] == f"{name}.sock"
