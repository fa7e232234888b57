"""The program against a real API server, as its users run it: deploy, diff, status, and what a server refuses."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mop.cache import cache_root
from mop.controlplane import ControlPlane, Endpoint
from mop.engines.protocols import Cluster
from mop.manifest import ObjectRef
from tests.cli.conftest import MOP_YAML, WEB, Mop, clean_environ, mop, platform, write

__all__ = ["mop", "platform"]  # fixtures

ROOT = Path(__file__).parents[2]


def kubeconfig(endpoint: Endpoint, token: str) -> str:
    """A user's kubeconfig with one context, `test`."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [
                {
                    "name": "test",
                    "cluster": {"server": endpoint.server, "certificate-authority": str(endpoint.ca)},
                }
            ],
            "users": [{"name": "test", "user": {"token": token}}],
        }
    )


@pytest.fixture
def deployed(platform: Path, endpoint: Endpoint, namespace: str) -> Path:
    """The platform of the command tests, its environment `dev` in a namespace of this test's own."""
    target = f"{{kubeconfig: kubeconfig, context: test}}\n    namespace: {namespace}"
    write(
        platform,
        {
            "mop.yaml": MOP_YAML.replace("embedded", target),
            "kubeconfig": kubeconfig(endpoint, endpoint.token),
        },
    )
    return platform


def versions(cluster: Cluster, namespace: str) -> dict[str, str]:
    """resourceVersion of what the platform made. (Status moves a Deployment's; it is compared by generation.)"""
    found = {}
    for api, kind in (("v1", "Secret"), ("v1", "ConfigMap")):
        for item in cluster.list(api, kind, namespace):
            if item["metadata"]["name"] != "kube-root-ca.crt":
                found[f"{kind}/{item['metadata']['name']}"] = item["metadata"]["resourceVersion"]
    for item in cluster.list("apps/v1", "Deployment", namespace):
        found[item["metadata"]["name"]] = str(item["metadata"]["generation"])
    return found


def test_a_deploy_becomes_ready_and_the_second_changes_nothing(
    deployed: Path, mop: Mop, cluster: Cluster, namespace: str
) -> None:
    assert mop(deployed, "diff", "--exit-code").code == 2
    first = mop(deployed, "deploy", "--yes")
    assert first.code == 0, first.err
    assert "2 added, 2 objects ready" in first.out
    before = versions(cluster, namespace)
    second = mop(deployed, "deploy", "--yes")
    assert second.code == 0, second.err
    assert "no changes (2 objects)" in second.out
    assert versions(cluster, namespace) == before
    assert mop(deployed, "diff", "--exit-code").code == 0
    status = json.loads(mop(deployed, "status", "--json").out)
    assert status["ready"] is True
    for printed in (first, second):
        assert "correct-horse" not in printed.out + printed.err


def test_an_edit_shows_its_field_alone(deployed: Path, mop: Mop) -> None:
    assert mop(deployed, "deploy", "--yes").code == 0
    write(deployed, {"lib/web.libsonnet": WEB.replace("replicas: 2", "replicas: 3")})
    diff = json.loads(mop(deployed, "diff", "--json").out)
    (change,) = diff["environments"][0]["components"][0]["changes"]
    assert change["fields"] == [{"action": "update", "path": "spec.replicas", "old": 2, "new": 3}]


def test_a_changed_secret_shows_fingerprints_alone(deployed: Path, mop: Mop) -> None:
    assert mop(deployed, "deploy", "--yes").code == 0
    write(deployed, {"lib/web.libsonnet": WEB.replace("correct-horse", "battery-staple")})
    diff = mop(deployed, "diff")
    assert "<sha:" in diff.out
    assert "correct-horse" not in diff.out
    assert "battery-staple" not in diff.out


def test_a_status_of_what_is_not_there_exits_1(deployed: Path, mop: Mop) -> None:
    status = mop(deployed, "status")
    assert status.code == 1
    assert "Deployment" in status.out
    assert "is not there" in status.out


def test_nobody_to_ask_means_no(deployed: Path, mop: Mop, cluster: Cluster, namespace: str) -> None:
    result = mop(deployed, "deploy")
    assert result.code == 1
    assert "--yes" in result.err
    assert versions(cluster, namespace) == {}


def test_a_token_that_is_not_known(deployed: Path, mop: Mop, endpoint: Endpoint) -> None:
    write(deployed, {"kubeconfig": kubeconfig(endpoint, "no-such-token")})
    result = mop(deployed, "diff")
    assert result.code == 1
    assert "401" in result.err
    assert "no-such-token" not in result.err


def test_a_user_who_may_not_says_who_verb_and_resource(
    deployed: Path, mop: Mop, endpoint: Endpoint, cluster: Cluster, namespace: str
) -> None:
    from tests.cluster.actors import session

    cluster.create(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": namespace}}
    )
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/nobody/token"
    token = session(endpoint).request("POST", path, body=b"{}").json()["status"]["token"]
    write(deployed, {"kubeconfig": kubeconfig(endpoint, token)})
    result = mop(deployed, "diff")
    assert result.code == 1
    assert f"system:serviceaccount:{namespace}:nobody" in result.err
    assert any(verb in result.err for verb in ("get", "list"))
    assert token not in result.err


def test_what_the_server_rejects_is_said_in_its_words_with_the_file(deployed: Path, mop: Mop) -> None:
    write(
        deployed,
        {"lib/web.libsonnet": WEB.replace("matchLabels: { app: 'web' }", "matchLabels: { app: 'other' }")},
    )
    result = mop(deployed, "diff")
    assert result.code == 1
    assert "Deployment" in result.err
    assert "selector" in result.err
    assert ".mop/rendered/dev/web/apps-v1.Deployment-web.yaml" in result.err


NEVER = WEB.replace("replicas: 2", "replicas: 2, minReadySeconds: 3600, progressDeadlineSeconds: 7200")


def test_an_interrupted_apply_says_what_was_done_and_the_next_goes_on(
    deployed: Path, mop: Mop, tmp_path: Path, cluster: Cluster, namespace: str
) -> None:
    write(deployed, {"lib/web.libsonnet": NEVER})
    process = subprocess.Popen(
        [sys.executable, "-m", "mop", "deploy", "--yes"],
        cwd=deployed,
        env=clean_environ(tmp_path, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while cluster.get(ObjectRef("apps/v1", "Deployment", namespace, "web")) is None:
        assert time.monotonic() < deadline, "nothing was applied"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    write(deployed, {"lib/web.libsonnet": WEB})
    assert mop(deployed, "deploy", "--yes").code == 0


def test_what_never_becomes_ready_times_out_with_its_reason(deployed: Path, mop: Mop) -> None:
    write(deployed, {"lib/web.libsonnet": NEVER})
    result = mop(deployed, "deploy", "--yes", "--timeout", "4s")
    assert result.code == 1
    assert "Deployment" in result.err
    assert "available" in result.err


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """This repository's own platform in a folder, with an embedded cluster of its own."""
    root = tmp_path / "own"
    for name in ("environments", "lib"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "mop.yaml", root)
    yield root
    ControlPlane(root).stop(delete=True)


def test_the_local_environment_of_this_repository(own: Path, mop: Mop) -> None:
    """`deploy --env local --yes` starts the embedded cluster, ends ready, and changes nothing the second time."""
    built = {"MOP_CACHE_DIR": str(cache_root())}
    first = mop(own, "deploy", "--env", "local", "--yes", environ=built, timeout=1800)
    assert first.code == 0, first.err
    assert "the containers of this cluster are simulated" in first.out
    status: dict[str, Any] = json.loads(mop(own, "status", "--env", "local", "--json", environ=built).out)
    assert status["ready"] is True
    assert status["environments"][0]["simulated"] is True
    assert mop(own, "diff", "--env", "local", "--exit-code", environ=built).code == 0
    assert "no changes" in mop(own, "deploy", "--env", "local", "--yes", environ=built).out
    stopped = mop(own, "cluster.stop", environ=built)
    assert stopped.code == 0
    assert mop(own, "cluster.status", environ=built).code == 1
