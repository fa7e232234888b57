"""The five programs: from KUBEBUILDER_ASSETS, else from the cache, else built once from pinned Go modules.

The pins are `go.mod` (Kubernetes, etcd) and `kwok/go.mod` beside this file. A cached binary is found again by
the digest of its pins, so that two versions of MOP share a cache without sharing a wrong binary.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mop.controlplane.building import build
from mop.controlplane.facts import Progress
from mop.controlplane.toolchain import find_go
from mop.errors import ControlPlaneError
from mop.files import sha256

_HERE = Path(__file__).parent
_ETCD, _KUBERNETES, _KWOK = "go.etcd.io/etcd/server/v3", "k8s.io/kubernetes", "sigs.k8s.io/kwok"


@dataclass(frozen=True, slots=True)
class Program:
    """One program: the package that builds it, of the Go module that `folder`'s go.mod pins."""

    name: str
    module: str
    package: str
    folder: Path = _HERE

    @property
    def version(self) -> str:
        """The pinned version, `v1.36.3`."""
        match = re.search(
            rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)", _text(self.folder / "go.mod"), re.M
        )
        if match is None:
            raise ControlPlaneError(
                f"{self.folder / 'go.mod'} does not pin {self.module}", hint="install MOP anew"
            )
        return match[1]

    @property
    def go(self) -> str:
        """The oldest Go that builds it, `1.26.0`."""
        match = re.search(r"^go (\S+)", _text(self.folder / "go.mod"), re.M)
        return match[1] if match else "1.26.0"

    @property
    def stamps(self) -> Mapping[str, str]:
        """Variables set when linking. Without gitVersion, clients cannot parse the server's version."""
        if self.module != _KUBERNETES:
            return {}
        major, minor, _patch = self.version.removeprefix("v").split(".")
        says = {"gitVersion": self.version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "archive"}
        says |= {"gitCommit": "unknown", "buildDate": "1970-01-01T00:00:00Z"}
        packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        return {f"{package}.{key}": value for package in packages for key, value in says.items()}

    @property
    def key(self) -> str:
        """Names the folder of the built binary in the cache."""
        pins = "".join(_text(self.folder / file) for file in ("go.mod", "go.sum"))
        machine = f"{sys.platform}-{platform.machine()}".lower()
        return f"{self.name}-{self.version}-{machine}-{sha256(pins + repr(self.stamps))[:12]}"


#: In the order of building: what fails early and is small first, then the longest.
PROGRAMS = (
    Program("etcd", _ETCD, _ETCD),
    Program("kube-apiserver", _KUBERNETES, f"{_KUBERNETES}/cmd/kube-apiserver"),
    Program("kube-controller-manager", _KUBERNETES, f"{_KUBERNETES}/cmd/kube-controller-manager"),
    Program("kube-scheduler", _KUBERNETES, f"{_KUBERNETES}/cmd/kube-scheduler"),
    Program("kwok", _KWOK, f"{_KWOK}/cmd/kwok", _HERE / "kwok"),
)


@dataclass(frozen=True, slots=True)
class Binary:
    """An executable and the version that it is."""

    path: Path
    version: str


def obtain(cache: Path, progress: Progress) -> dict[str, Binary]:
    """Every program by name; builds those that are nowhere (minutes, once for each version).

    Another process that builds at the same time is waited for. Raises ToolError if there is no Go or a build
    fails.
    """
    found: dict[str, Binary] = {}
    missing: list[Program] = []
    for program in PROGRAMS:
        path = cache / program.key / program.name
        given = _from_assets(program, progress)
        if given is not None:
            found[program.name] = given
        elif path.exists():
            found[program.name] = Binary(path, program.version)
        else:
            missing.append(program)
    if missing:
        found |= _build_all(missing, cache, progress)
    return found


def _build_all(missing: list[Program], cache: Path, progress: Progress) -> dict[str, Binary]:
    from filelock import FileLock, Timeout

    cache.mkdir(parents=True, exist_ok=True)
    lock = FileLock(cache / "build.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress("another process builds the control plane: waiting for it")
        lock.acquire()
    built = {}
    try:
        for number, program in enumerate(missing, 1):
            path = cache / program.key / program.name
            if not path.exists():
                go = find_go(program.go, cache, progress)
                progress(
                    f"building {program.name} {program.version} ({number} of {len(missing)}): done once, takes minutes"
                )
                build(go, program.folder, program.package, program.stamps, path, progress)
            built[program.name] = Binary(path, program.version)
    finally:
        lock.release()
    return built


def _from_assets(program: Program, progress: Progress) -> Binary | None:
    """The binary in KUBEBUILDER_ASSETS, if its minor version is the pinned one (members must not skew)."""
    folder = os.environ.get("KUBEBUILDER_ASSETS", "")
    path = Path(folder) / program.name
    if not folder or not os.access(path, os.X_OK):
        return None
    version = says_version(path)
    if version and version.split(".")[:2] == program.version.split(".")[:2]:
        return Binary(path, version)
    progress(f"{path} is {version or 'of no known version'}, not {program.version}: not used")
    return None


def says_version(path: Path) -> str:
    """What `PROGRAM --version` says, as `v1.36.3`; "" if it says none."""
    try:
        asked = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    match = re.search(r"\bv?(\d+\.\d+\.\d+)", asked.stdout)
    return f"v{match[1]}" if match else ""


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise ControlPlaneError(
            f"{path} cannot be read: {error.strerror}", hint="install MOP anew"
        ) from error
