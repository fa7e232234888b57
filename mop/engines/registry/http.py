"""GET, with patience: retries, redirects that shed credentials, bounds of time and size, and messages for people."""

from __future__ import annotations

import os
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx2

from mop import __version__
from mop.engines.registry.answers import NOBODY, Answer, Asker, loopback, retry_after, shown
from mop.engines.registry.credentials import Login, Logins, Tls, origin
from mop.errors import UsageError, VendorError

MIB: Final = 1 << 20
_PASSING: Final = frozenset((408, 429, 500, 502, 503, 504))
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_MOST_REDIRECTS: Final = 10
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 15.0
#: A download that says nothing for so long is told of, in bytes.
_TELL_EVERY: Final = 8 * MIB


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds without a byte before a connection counts as dead, seconds for all tries together, and tries."""

    silence: float = 30.0
    total: float = 120.0
    tries: int = 5

    @classmethod
    def of_environment(cls) -> Patience:
        """MOP_HTTP_TIMEOUT (seconds) is `silence`, and four times it `total`. Raises UsageError."""
        text = os.environ.get("MOP_HTTP_TIMEOUT", "")
        if not text:
            return cls()
        try:
            silence = float(text)
        except ValueError:
            silence = 0.0
        if silence <= 0:
            raise UsageError(
                f"MOP_HTTP_TIMEOUT is {text!r}", hint="a number of seconds such as 30 was expected"
            )
        return cls(silence, 4 * silence)


class Http:
    """Thread-safe. One pool of connections for each set of certificates."""

    def __init__(
        self,
        logins: Logins,
        patience: Patience | None = None,
        progress: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.logins = logins
        self.requests = 0
        self.stopped = threading.Event()
        self._patience = patience or Patience.of_environment()
        self._progress = progress
        self._clients: dict[tuple[Tls, bool], httpx2.Client] = {}
        self._lock = threading.Lock()

    def get(
        self,
        url: str,
        asker: Asker = NOBODY,
        *,
        headers: Mapping[str, str] | None = None,
        authorization: str = "",
        most: int = 512 * MIB,
        raw: bool = False,
    ) -> Answer:
        """The answer, whatever its code, once it is no passing trouble. Raises VendorError.

        `authorization` replaces the user's login for the origin of `url` (a registry's token). `most`: bytes of the
        body. `raw`: the bytes as served, whatever Content-Encoding says of them.
        """
        deadline = time.monotonic() + self._patience.total
        delay = min(_FIRST_DELAY, self._patience.silence / 10)
        for tried in range(1, self._patience.tries + 1):
            wait = delay
            try:
                answer = self._followed(url, asker, headers or {}, authorization, most, raw)
            except httpx2.InvalidURL as error:
                raise VendorError(f"{shown(url)} is no address: {error}") from None
            except httpx2.RequestError as error:
                trouble = _words(error)
                if _final(error):
                    raise self._unreachable(url, trouble, tried) from None
            else:
                if answer.status not in _PASSING:
                    return answer
                trouble = f"it answered {answer.status}"
                wait = retry_after(answer) or delay
            if self.stopped.is_set() or tried == self._patience.tries or time.monotonic() + wait > deadline:
                asked = f"; it asks to wait {wait:.0f} s" if wait > delay else ""
                raise self._unreachable(url, trouble + asked, tried)
            self._progress(f"{shown(url)}: {trouble}; trying again in {wait:.1f} s")
            self.stopped.wait(wait * random.uniform(1.0, 1.2))  # noqa: S311 - spreads clients, hides nothing
            delay = min(delay * 2, _LONGEST_DELAY)
        raise AssertionError("a last try returns or raises")

    def close(self) -> None:
        """Give up all connections."""
        for client in self._clients.values():
            client.close()

    def _followed(
        self, url: str, asker: Asker, headers: Mapping[str, str], authorization: str, most: int, raw: bool
    ) -> Answer:
        first = origin(url)
        for _ in range(_MOST_REDIRECTS):
            login = None
            if authorization and origin(url) == first:
                value = authorization
            else:
                login = self.logins.find(url, asker.named, asker.owner)
                value = login.header if login else ""
            sent = {**headers, **({"Authorization": value} if value else {})}
            answer = self._once(url, asker, sent, login, most, raw)
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not target:
                return answer
            following = urljoin(url, target)
            if urlsplit(following).scheme not in ("http", "https"):
                raise VendorError(f"{shown(url)} redirects to {shown(following)}, which is no web address")
            if urlsplit(url).scheme == "https" and urlsplit(following).scheme == "http":
                raise VendorError(
                    f"{shown(url)} redirects to {shown(following)}, where anybody could change what comes",
                    hint="use the address that it redirects to, if that is meant",
                )
            url = following
        raise VendorError(f"{shown(url)} redirects again and again")

    def _once(
        self, url: str, asker: Asker, headers: Mapping[str, str], login: Login | None, most: int, raw: bool
    ) -> Answer:
        with self._lock:
            self.requests += 1
        sent = {"Accept-Encoding": "identity" if raw else "gzip", "Accept": "*/*", **headers}
        with self._client(url, asker).stream("GET", url, headers=sent) as response:
            body = bytearray()
            told = 0
            for chunk in response.iter_raw(1 << 16) if raw else response.iter_bytes(1 << 16):
                body += chunk
                if len(body) > most:
                    raise VendorError(
                        f"{shown(url)} sends more than {most // MIB} MiB; nothing that MOP fetches does"
                    )
                if len(body) - told >= _TELL_EVERY:
                    told = len(body)
                    self._progress(f"{shown(url)}: {told // MIB} MiB")
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, found, bytes(body), url, login)

    def _client(self, url: str, asker: Asker) -> httpx2.Client:
        tls = self.logins.tls(url, asker.named, asker.owner)
        key = (tls, loopback(url))
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make_client(tls, direct=key[1])
            return self._clients[key]

    def _make_client(self, tls: Tls, *, direct: bool) -> httpx2.Client:
        silence = self._patience.silence
        return httpx2.Client(
            verify=_context(tls),
            trust_env=not direct,  # proxies; none stands between this machine and itself
            follow_redirects=False,
            headers={"User-Agent": f"mop/{__version__}"},
            timeout=httpx2.Timeout(silence, connect=min(10.0, silence), pool=None),
            limits=httpx2.Limits(max_connections=32, max_keepalive_connections=16),
        )

    def _unreachable(self, url: str, trouble: str, tried: int) -> VendorError:
        tries = f" ({tried} tries)" if tried > 1 else ""
        hint = "look at the network, HTTPS_PROXY and NO_PROXY; what is in the cache needs no network"
        if "certificate" in trouble:
            hint = "trust its authority with NAME_CA (credentials: env:NAME) or SSL_CERT_FILE; verification stays on"
        return VendorError(f"{shown(url)} could not be read: {trouble}{tries}", hint=hint)


def _context(tls: Tls) -> ssl.SSLContext | bool:
    """The system's authorities, SSL_CERT_FILE's, and NAME_CA's."""
    if tls == Tls():
        return True
    try:
        context = ssl.create_default_context()
        if tls.ca:
            context.load_verify_locations(tls.ca)
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key or None)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(filter(None, (tls.ca, tls.certificate, tls.key)))
        raise VendorError(f"no certificates of {files}: {error}", hint="PEM files were expected") from None
    return context


def _final(error: httpx2.RequestError) -> bool:
    """Whether it would be the same next time: no certificate becomes good by asking again, no HTTP becomes TLS."""
    text = str(error).lower()
    unlike = isinstance(error, httpx2.UnsupportedProtocol)
    return unlike or any(
        sign in text for sign in ("certificate", "wrong_version_number", "record layer failure")
    )


def _words(error: httpx2.RequestError) -> str:
    if isinstance(error, httpx2.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, httpx2.TimeoutException):
        return "it went silent"
    text = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return f"its certificate cannot be verified ({text.rpartition('failed: ')[2].split(' (_ssl')[0]})"
    return text
