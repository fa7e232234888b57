"""What came of a request, on whose behalf, and what its code means for people."""

from __future__ import annotations

import contextlib
import email.utils
import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from mop.engines.registry.credentials import Login
from mop.errors import VendorError


@dataclass(frozen=True, slots=True)
class Asker:
    """On whose behalf a request is made: the repository's address, and NAME of its NAME_USERNAME …"""

    owner: str = ""
    named: str = ""


#: Nobody in particular: only logins that docker or netrc know are sent.
NOBODY = Asker()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came. `url`: where the last redirect led. `login`: what was sent along, None = nothing."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str
    login: Login | None = field(default=None, repr=False)


def expect(answer: Answer, what: str, asker: Asker = NOBODY) -> Answer:
    """The answer, if it is a 200. Raises VendorError with what to do for any other code."""
    if answer.status == 200:
        return answer
    where, sent = shown(answer.url), answer.login
    if answer.status in (401, 403):
        code = f"{answer.status} {'Unauthorized' if answer.status == 401 else 'Forbidden'}"
        if sent:
            raise VendorError(
                f"{where} refuses {what} ({code}) to {sent.user or 'the token'} of {sent.source}",
                hint="the password or token is wrong, has expired, or may not read this",
            )
        name = asker.named or "NAME"
        given = f"{name}_USERNAME and {name}_PASSWORD, or {name}_TOKEN"
        more = "" if asker.named else " (`credentials: env:NAME` at the repository)"
        raise VendorError(
            f"{where} refuses {what} ({code}), and no login for this host was found",
            hint=f"set {given}{more}, or log in with docker, or use netrc",
        )
    if answer.status in (404, 410):
        raise VendorError(
            f"{where}: there is no {what} ({answer.status})", hint="look at its address in mop.yaml"
        )
    raise VendorError(f"{where} gave no {what}: it answered {answer.status}")


def shown(url: str) -> str:
    """A URL for people: without what may be secret in it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def loopback(url: str) -> bool:
    """Whether the URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def retry_after(answer: Answer) -> float:
    """Seconds, from either form of the header; 0 = none."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    return 0.0
