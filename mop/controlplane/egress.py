"""The only way out of the API server: an HTTP CONNECT proxy on Unix sockets, refusing what it does not know.

Pods' and nodes' addresses are invented. Dialled directly, they would reach whatever the user's network has
there. The API server is led here by its EgressSelectorConfiguration (KEP-1281).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from mop.controlplane.layout import KUBELET_PORT, NODES

#: Seconds that a stand-in on loopback has to accept a connection.
PATIENCE = 5.0

#: The sockets, by Kubernetes' names for who dials; relative to the folder the API server runs in, because
#: a Unix socket's path may have some hundred characters only.
CLUSTER, CONTROLPLANE = "cluster.sock", "controlplane.sock"

Say = Callable[[str], None]


def configuration() -> str:
    """The API server's EgressSelectorConfiguration. etcd alone is dialled directly."""

    def through(name: str, socket: str) -> dict[str, object]:
        transport = {"uds": {"udsName": socket}}
        return {"name": name, "connection": {"proxyProtocol": "HTTPConnect", "transport": transport}}

    document = {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [
            through("cluster", CLUSTER),
            through("controlplane", CONTROLPLANE),
            {"name": "etcd", "connection": {"proxyProtocol": "Direct"}},
        ],
    }
    return json.dumps(document, indent=2) + "\n"


class Routes:
    """Where an address leads: to kwok for a node's kubelet port, else to what `file` names, or nowhere."""

    def __init__(self, file: Path, kubelet: int) -> None:
        self._file = file
        self._kubelet = kubelet

    def cluster(self, address: str) -> tuple[str, int] | None:
        """Nodes, pods and Services: what the API server's `cluster` connections ask for."""
        host, port = split(address)
        if port == KUBELET_PORT and _is_in(host, NODES):
            return "127.0.0.1", self._kubelet
        return self._stand_in(address)

    def controlplane(self, address: str) -> tuple[str, int] | None:
        """Webhooks by URL: this machine only, or a stand-in."""
        host, port = split(address)
        return (host, port) if is_loopback(host) else self._stand_in(address)

    def _stand_in(self, address: str) -> tuple[str, int] | None:
        try:
            target = json.loads(self._file.read_text()).get(address, "")
            host, port = split(target)
        except (OSError, ValueError, AttributeError):
            return None
        return (host, port) if is_loopback(host) else None


async def serve(folder: Path, routes: Routes, say: Say) -> None:
    """Serve both sockets in `folder`, which is the working folder, until cancelled."""
    servers = []
    for name, route in ((CLUSTER, routes.cluster), (CONTROLPLANE, routes.controlplane)):
        (folder / name).unlink(missing_ok=True)
        server = await asyncio.start_unix_server(_handler(route, say), path=name)
        (folder / name).chmod(0o600)
        servers.append(server)
    async with contextlib.AsyncExitStack() as stack:
        for server in servers:
            await stack.enter_async_context(server)
        await asyncio.gather(*(server.serve_forever() for server in servers))


def split(address: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port` as its parts; raises ValueError if it is neither."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"{address!r} is no host:port")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_in(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network)
    except ValueError:
        return False


def _handler(
    route: Callable[[str], tuple[str, int] | None], say: Say
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _connect(reader, writer, route, say)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # either side hung up: the other one learns it by the close
        finally:
            writer.close()

    return handle


async def _connect(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    route: Callable[[str], tuple[str, int] | None],
    say: Say,
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    verb, _, rest = head.partition(" ")
    address = rest.partition(" ")[0]
    try:
        target = route(address) if verb == "CONNECT" else None
    except ValueError:
        target = None
    if target is None:
        say(f"refused {address}")
        return await _answer(writer, f"403 {address} is simulated and nothing stands in for it")
    try:
        far_reader, far_writer = await asyncio.wait_for(asyncio.open_connection(*target), PATIENCE)
    except (OSError, TimeoutError) as error:
        say(f"failed {address} at {target[0]}:{target[1]}: {error}")
        return await _answer(
            writer, f"502 the stand-in of {address} at {target[0]}:{target[1]} does not answer"
        )
    say(f"connected {address} to {target[0]}:{target[1]}")
    await _answer(writer, "200 OK")
    try:
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
    finally:
        far_writer.close()


async def _answer(writer: asyncio.StreamWriter, status: str) -> None:
    writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
    await writer.drain()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()
