"""What a target names → a connection. Nothing is read that the target does not name; no default context."""

from __future__ import annotations

import difflib
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2

from mop.engines.cluster import Endpoint
from mop.engines.cluster.credentials import ExecCredentials, expiry
from mop.errors import ClusterError
from mop.model import Target

if TYPE_CHECKING:
    from lightkube.config.kubeconfig import SingleConfig

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Connection:
    """All that a session needs. `name`: how people know the cluster; `user`: who asks, for messages."""

    name: str
    server: str
    user: str
    tls: ssl.SSLContext = field(repr=False)
    auth: httpx2.Auth | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy: str | None = None
    sni: str = ""  # the kubeconfig's tls-server-name
    expires: Callable[[], datetime | None] = field(default=lambda: None, repr=False)

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine: then no proxy of the environment is asked."""
        host = urlsplit(self.server).hostname or ""
        return host in _LOOPBACK or host.startswith("127.")

    def expired(self) -> str:
        """`expired on 2026-01-31 12:00 UTC`, if the credentials say so of themselves; else ""."""
        when = self.expires()
        return f"expired on {when:%Y-%m-%d %H:%M} UTC" if when and when <= datetime.now(UTC) else ""


def resolve(target: Target, root: Path, endpoint: Endpoint | None = None) -> Connection:
    """Raises ClusterError where `target` names what is not there or cannot be used."""
    if target.kind == "embedded":
        if endpoint is None:
            raise ClusterError("the embedded cluster is stopped", hint="start it with `inv cluster.start`")
        return _embedded(endpoint)
    from lightkube.core.exceptions import ConfigError as LightkubeConfigError

    try:
        if target.kind == "in-cluster":
            return _in_cluster()
        return _from_kubeconfig(target, root)
    except (LightkubeConfigError, ssl.SSLError, OSError, ValueError) as error:
        raise ClusterError(f"the credentials of {describe(target)} cannot be used: {error}") from error


def describe(target: Target) -> str:
    """`context staging-eu-1`, as messages call it."""
    return f"context {target.context}" if target.kind == "context" else f"the {target.kind} target"


def _embedded(endpoint: Endpoint) -> Connection:
    tls = ssl.create_default_context(cafile=str(endpoint.ca))
    headers = {"Authorization": f"Bearer {endpoint.token}"}
    return Connection("embedded", endpoint.server, "mop", tls, headers=headers)


def _in_cluster() -> Connection:
    if "KUBERNETES_SERVICE_HOST" not in os.environ:
        raise ClusterError(
            "target in-cluster: this is no pod (KUBERNETES_SERVICE_HOST is not set)",
            hint="run MOP in a pod with a service account, or name a context",
        )
    from lightkube.config.kubeconfig import KubeConfig

    return _connection(
        KubeConfig.from_service_account().get(), {}, {}, "in-cluster", "the pod's service account"
    )


def _from_kubeconfig(target: Target, root: Path) -> Connection:
    from lightkube.config.kubeconfig import KubeConfig

    files = _kubeconfig_files(target, root)
    merged = _merged(files)
    names = sorted(entry["name"] for entry in merged["contexts"])
    if target.context not in names:
        raise ClusterError(
            f"context {target.context} is not in {_listed(files)}, which has: {', '.join(names) or 'none'}",
            hint=_nearest(target.context, names),
        )
    context = _named(merged["contexts"], target.context, "context")
    cluster = _named(merged["clusters"], context.get("cluster", ""), "cluster")
    user = _named(merged["users"], context.get("user", ""), "user") if context.get("user") else {}
    if not cluster:
        missing = context.get("cluster", "")
        raise ClusterError(
            f"context {target.context} names cluster {missing!r}, which {_listed(files)} lacks"
        )
    folder = Path(cluster.get("__file", user.get("__file", files[0])))
    config = KubeConfig.from_dict(
        {
            "clusters": [{"name": "c", "cluster": _plain(cluster)}],
            "users": [{"name": "u", "user": {k: v for k, v in _plain(user).items() if k != "exec"}}],
            "contexts": [{"name": target.context, "context": {"cluster": "c", "user": "u"}}],
        },
        fname=folder,
    ).get(target.context)
    return _connection(config, cluster, user, target.context, context.get("user") or "nobody (no user named)")


def _connection(
    config: SingleConfig | None, cluster: Mapping[str, Any], user: Mapping[str, Any], name: str, who: str
) -> Connection:
    """`cluster` and `user` as written: lightkube's models lack proxy-url, tls-server-name and exec v1."""
    if user.get("auth-provider"):
        raise ClusterError(
            f"user {who} of context {name} uses auth-provider, which Kubernetes removed in 1.26",
            hint="use an exec credential plugin",
        )
    from lightkube.config.client_adapter import user_auth, verify_cluster
    from lightkube.config.models import User

    if config is None:
        raise ClusterError(f"context {name} cannot be resolved")
    account = config.user or User()
    tls = verify_cluster(config.cluster, account, config.abs_file, trust_env=False)
    if user.get("exec"):
        folder = Path(user["__file"]).parent
        auth: httpx2.Auth | None = ExecCredentials(user["exec"], folder, dict(_plain(cluster)), tls, name)
    else:
        auth = user_auth(account)
    return Connection(
        name,
        config.cluster.server,
        who,
        tls,
        auth,
        proxy=cluster.get("proxy-url"),
        sni=cluster.get("tls-server-name", ""),
        expires=lambda: expiry(account, config.abs_file),
    )


def _kubeconfig_files(target: Target, root: Path) -> list[Path]:
    """The target's own file, else those of $KUBECONFIG, else ~/.kube/config, as kubectl does."""
    if target.kubeconfig:
        path = root / Path(target.kubeconfig).expanduser()
        if not path.is_file():
            raise ClusterError(f"kubeconfig {path} of context {target.context} is not there")
        return [path]
    named = [Path(p).expanduser() for p in os.environ.get("KUBECONFIG", "").split(os.pathsep) if p]
    files = [path for path in named or [Path("~/.kube/config").expanduser()] if path.is_file()]
    if not files:
        where = ", ".join(map(str, named)) or "~/.kube/config"
        raise ClusterError(
            f"context {target.context}: there is no kubeconfig at {where}",
            hint="set KUBECONFIG, or name the file in mop.yaml: target: {kubeconfig: PATH, context: NAME}",
        )
    return files


def _merged(files: list[Path]) -> dict[str, list[dict[str, Any]]]:
    """Clusters, users and contexts of all files; the first to name one wins (kubectl's merging rule)."""
    import yaml

    merged: dict[str, list[dict[str, Any]]] = {"clusters": [], "users": [], "contexts": []}
    for path in files:
        try:
            document = yaml.safe_load(path.read_text())
        except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
            raise ClusterError(f"kubeconfig {path} cannot be read: {error}") from error
        if not isinstance(document, dict):
            raise ClusterError(
                f"kubeconfig {path} is no kubeconfig: expected a mapping with clusters, users, contexts"
            )
        for key, entries in merged.items():
            for entry in document.get(key) or []:
                body = entry.get(key[:-1])
                if isinstance(body, dict):
                    body["__file"] = str(path)
                entries.append(entry)
    return merged


def _named(entries: list[dict[str, Any]], name: str, field_name: str) -> dict[str, Any]:
    return next((entry.get(field_name) or {} for entry in entries if entry.get("name") == name), {})


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "__file"}


def _listed(files: list[Path]) -> str:
    return ", ".join(map(str, files))


def _nearest(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean {near[0]}?" if near else "MOP never takes the current context by itself"
