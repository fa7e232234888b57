"""The server's answers → `mop.errors`: who may not do what, or the server's words on which object."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mop.engines.cluster.target import Connection
from mop.errors import ClusterError, Denied, FieldConflict, Rejected, Stale, Unreachable
from mop.manifest import Manifest, ObjectRef
from mop.masking import mask_rejection
from mop.problem import Problem

_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]*)"'
    r' in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]*)"')
_PREFIX = re.compile(r"^failed to create typed patch object \([^)]*\): ")
_IMMUTABLE = re.compile(r"immutable|updates to statefulset spec for fields other than|may not (?:be )?change")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request was about, for its error. `manifest`: what was sent, to keep its secrets out."""

    verb: str
    resource: str
    ref: ObjectRef | None = None
    namespace: str = ""
    manifest: Manifest | None = None


def unreachable(connection: Connection, error: BaseException) -> Unreachable:
    """No answer at all: which address, why, and what to look at."""
    reason, hint = _why_unreachable(error)
    return Unreachable(f"{connection.name} ({connection.server}) gives no answer: {reason}", hint=hint)


def _why_unreachable(error: BaseException) -> tuple[str, str]:
    text = str(error) or type(error).__name__
    if certificate_problem(error):
        return text, "the server's certificate is not from the authority that the kubeconfig names"
    if "refused" in text:
        return "connection refused", "is the cluster running? `inv cluster.status` tells for the embedded one"
    if "not known" in text or "resolution" in text:
        return text, "the host name does not resolve: check the VPN and the kubeconfig's server"
    if "timed out" in text.lower() or "timeout" in type(error).__name__.lower():
        return "timed out", "check the VPN, the firewall and the kubeconfig's server"
    return text, "`inv doctor` checks the way to each target"


def certificate_problem(error: BaseException | None) -> bool:
    """Whether TLS itself failed: trying again cannot help."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def failure(code: int, body: bytes, asked: Asked, connection: Connection) -> ClusterError:
    """The error for an answer of `code` with `body`, which is a Status where the server speaks Kubernetes."""
    status = _status(body)
    words = str(status.get("message") or body.decode(errors="replace")[:500] or f"HTTP {code}")
    if asked.manifest is not None:
        words = mask_rejection(words, asked.manifest)
    if code == 401:
        return _unauthorized(connection)
    if code == 403 and (match := _FORBIDDEN.search(words)):
        return _forbidden(match, connection)
    causes = (status.get("details") or {}).get("causes") or []
    if code == 409 and any(cause.get("reason") == "FieldManagerConflict" for cause in causes):
        return _conflict(causes, asked)
    if code == 409 and status.get("reason") == "Conflict":
        return Stale(f"{asked.ref} on {connection.name} was changed by somebody else meanwhile: {words}")
    return _rejected(code, words, causes, asked, connection)


def unknown_kind(api_version: str, kind: str, ref: ObjectRef | None, connection: Connection) -> Rejected:
    """The server has no such kind."""
    message = f"{connection.name} has no kind {kind} of {api_version}"
    hint = "its CustomResourceDefinition is not installed, or the server's version has no such API"
    return Rejected(message, hint=hint, problems=[Problem(message, object=str(ref or kind), hint=hint)])


def _status(body: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _unauthorized(connection: Connection) -> Denied:
    expired = connection.expired()
    if expired:
        message = f"the credentials of {connection.user} for {connection.name} {expired}"
        return Denied(message, hint="log in again, then repeat the command")
    return Denied(
        f"{connection.name} ({connection.server}) does not accept the credentials of {connection.user} (401)",
        hint="log in again, or correct the user that the context names",
    )


def _forbidden(match: re.Match[str], connection: Connection) -> Denied:
    resource = match["resource"] + (f".{match['group']}" if match["group"] else "")
    where = f"in namespace {match['namespace']}" if match["namespace"] else "at cluster scope"
    scope = f" -n {match['namespace']}" if match["namespace"] else ""
    return Denied(
        f"{match['user']} may not {match['verb']} {resource} {where} on {connection.name} (403)",
        hint=f"grant it by a Role; `kubectl auth can-i {match['verb']} {resource}{scope}` asks the same",
    )


def _conflict(causes: list[Mapping[str, Any]], asked: Asked) -> FieldConflict:
    problems = []
    for cause in causes:
        manager = _MANAGER.search(str(cause.get("message", "")))
        name = manager["manager"] if manager else "another manager"
        path = str(cause.get("field", "")).lstrip(".")
        problems.append(
            Problem(f"{path} is owned by {name}", object=str(asked.ref or ""), path=path, found=name)
        )
    managers = ", ".join(sorted({problem.found for problem in problems}))
    fields = ", ".join(problem.path for problem in problems)
    return FieldConflict(
        f"{asked.ref}: {managers} owns {fields}",
        hint="leave the fields out, or take them over with --force-conflicts",
        problems=problems,
    )


def _rejected(
    code: int, words: str, causes: list[Mapping[str, Any]], asked: Asked, connection: Connection
) -> ClusterError:
    about = str(asked.ref) if asked.ref else asked.resource
    words = _PREFIX.sub("", words)
    hint = _hint(code, words, causes, asked)
    problem = Problem(words, object=about, hint=hint)
    return Rejected(f"{connection.name} rejects {about} ({code}): {words}", hint=hint, problems=[problem])


def _hint(code: int, words: str, causes: list[Mapping[str, Any]], asked: Asked) -> str:
    if any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return "the namespace is being deleted: wait until it is gone, then repeat"
    if "field not declared in schema" in words or "unknown field" in words:
        return "the field is misspelt, or the server's version does not know it"
    if _IMMUTABLE.search(words):
        return "the field cannot change on a live object: delete the object, or give it a new name"
    if code == 404 and "namespaces" in words:
        return f"namespace {asked.namespace} is not there"
    if "failed calling webhook" in words:
        return "an admission webhook of the cluster fails; the object itself may be right"
    return ""
