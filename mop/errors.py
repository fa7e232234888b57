"""What can go wrong, as one tree. `mop.commands` turns it into a message and an exit code, in one place.

MopError                    exit 1
├── ConfigError             mop.yaml: every mistake at once
├── UsageError              a flag or a name on the command line
├── EvaluationError         Jsonnet: the engine's message and stack
├── ChartError              Helm: chart, template, line
├── ManifestError           an evaluated value that is no Kubernetes object
├── ValidationError         objects that break a schema or a check
├── VendorError             a chart or library that cannot be had, or is not what the lock says
├── ToolError               a program or library of the outside is missing, hangs or fails
├── ControlPlaneError       the embedded control plane
└── ClusterError            the API server
    ├── Unreachable         no answer
    ├── Denied              401 or 403: who, verb, resource
    ├── Rejected            the server's words on an object
    │   └── Stale           the object changed since it was read
    ├── Locked              another apply holds the environment, or took it over
    ├── FieldConflict       another field manager owns a field
    └── NotReady            readiness failed or timed out
Interrupted                 exit 130: Ctrl-C, after what was in flight; not a MopError
"""

from __future__ import annotations

from collections.abc import Iterable

from mop.problem import Problem


class MopError(Exception):
    """A mistake or failure with a message for people: what was expected, what was found, what to do."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)


class ConfigError(MopError):
    """mop.yaml, or another declaration, cannot be used as it is."""


class UsageError(MopError):
    """The command line asks for what is not there or not allowed."""


class EvaluationError(MopError):
    """Jsonnet failed; `message` holds the engine's own words and stack, with files and lines."""


class ChartError(MopError):
    """Helm could not load or render a chart."""


class ManifestError(MopError):
    """An evaluated value is not a usable Kubernetes object."""


class ValidationError(MopError):
    """Rendered objects break a schema or a check."""


class VendorError(MopError):
    """A chart or a library cannot be had, or is not what the lock says."""


class ToolError(MopError):
    """Something that MOP needs from the machine is missing, hangs or fails."""


class ControlPlaneError(MopError):
    """The embedded control plane cannot be built, started or reached."""


class ClusterError(MopError):
    """The API server, or the way to it, fails."""


class Unreachable(ClusterError):
    """The API server gives no answer."""


class Denied(ClusterError):
    """401 or 403: who asked, for which verb on which resource."""


class Rejected(ClusterError):
    """The API server refuses an object; `message` holds its words."""


class Stale(Rejected):
    """A write was for a version of the object that is not the newest any more."""


class Locked(ClusterError):
    """Another apply holds the environment's lock, or took it over."""


class FieldConflict(ClusterError):
    """Another field manager owns fields that the apply would change."""


class NotReady(ClusterError):
    """An object failed to become ready, or not in time."""


class Interrupted(BaseException):
    """Ctrl-C, once what was in flight has ended; `message` says what was done and what was not."""

    exit_code = 130

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
