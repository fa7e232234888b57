"""`history`, `rollback`, `drift`, `delete`, `hooks.test` as their users run them, against a real API server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from mop.engines.protocols import Cluster
from mop.manifest import ObjectRef
from tests.cli.conftest import WEB, Mop, mop, platform, write
from tests.cluster.test_program import deployed

__all__ = ["deployed", "mop", "platform"]  # fixtures

MORE = WEB.rstrip().removesuffix("}") + (
    "  more: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'more' }, data: { a: 'b' } },\n}\n"
)
HOOKED = WEB.rstrip().removesuffix("}") + (
    "  check: { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'check',"
    " annotations: { 'helm.sh/hook': 'test' } }, spec: { template: { spec: { restartPolicy: 'Never',"
    " containers: [{ name: 'check', image: 'registry.example.com/check:1' }] } } } },\n}\n"
)


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def test_history_names_the_commit_and_rollback_brings_it_back(
    deployed: Path, mop: Mop, cluster: Cluster, namespace: str
) -> None:
    write(deployed, {".gitignore": "/.mop/\n"})
    git(deployed, "init", "-q")
    git(deployed, "add", ".")
    git(deployed, "commit", "-q", "-m", "Two replicas")
    assert mop(deployed, "apply", "--yes", "--no-wait").code == 0
    write(deployed, {"lib/web.libsonnet": MORE.replace("replicas: 2", "replicas: 3")})
    assert mop(deployed, "apply", "--yes", "--no-wait").code == 0
    found = json.loads(mop(deployed, "history", "--json").out)
    newest, first = found["environments"][0]["components"][0]["revisions"]
    assert (first["revision"], first["author"], first["message"]) == (1, "Ada", "Two replicas")
    assert newest["message"] == "Two replicas (with uncommitted changes)"
    assert "lib/web.libsonnet" in first["digests"]
    refused = mop(deployed, "rollback", "--to", "7", "--component", "web", "--yes")
    assert refused.code == 1
    assert "no revision 7; kept are: 2, 1" in refused.err
    assert mop(deployed, "rollback", "--to", "1").code == 1, "nobody agreed"

    back = mop(
        deployed, "rollback", "--to", "1", "--component", "web", "--yes", "--no-wait", "--prune-limit", "1"
    )

    assert back.code == 0, back.err
    live = cluster.get(ObjectRef("apps/v1", "Deployment", namespace, "web"))
    assert live is not None
    assert live["spec"]["replicas"] == 2
    assert cluster.get(ObjectRef("v1", "ConfigMap", namespace, "more")) is None
    assert "rollback to revision 1" in mop(deployed, "history").out


def test_drift_names_what_others_did_until_the_next_apply(
    deployed: Path, mop: Mop, cluster: Cluster, namespace: str
) -> None:
    assert mop(deployed, "apply", "--yes", "--no-wait").code == 0
    assert mop(deployed, "drift").code == 0
    cluster.delete(ObjectRef("v1", "Secret", namespace, "web"))
    drifted = mop(deployed, "drift", "--json", "--metrics", "drift.prom")
    assert drifted.code == 2
    assert json.loads(drifted.out)["drift"] is True
    assert (
        'mop_drift_objects{environment="dev",component="web",kind="Secret"} 1'
        in (deployed / "drift.prom").read_text()
    )
    assert "correct-horse" not in drifted.out
    assert "1 deleted by somebody" in mop(deployed, "drift").out


def test_delete_leaves_nothing_and_asks_first(
    deployed: Path, mop: Mop, cluster: Cluster, namespace: str
) -> None:
    assert mop(deployed, "apply", "--yes", "--no-wait").code == 0
    assert mop(deployed, "delete").code == 1
    gone = mop(deployed, "delete", "--yes")
    assert gone.code == 0, gone.err
    assert "2 deleted" in gone.out
    assert cluster.list("v1", "Secret", namespace) == []
    assert mop(deployed, "history").out.strip() == "no revisions"
    assert mop(deployed, "delete", "--yes").code == 0, "nothing is left to delete"


def test_hooks_test_runs_the_tests_of_what_is_applied(
    deployed: Path, mop: Mop, cluster: Cluster, namespace: str
) -> None:
    write(deployed, {"lib/web.libsonnet": HOOKED})
    assert mop(deployed, "apply", "--yes", "--no-wait").code == 0
    assert cluster.get(ObjectRef("batch/v1", "Job", namespace, "check")) is None
    tested = mop(deployed, "hooks.test")
    assert tested.code == 0, tested.err
    assert f"dev/web: Job/{namespace}/check succeeded" in tested.out


def test_a_protected_environment_is_named_for_rollback_and_delete_too(deployed: Path, mop: Mop) -> None:
    text = (
        (deployed / "mop.yaml")
        .read_text()
        .replace(
            "    components: [web]",
            "    protected: true\n    validate: { secrets: any }\n    components: [web]",
        )
    )
    write(deployed, {"mop.yaml": text})
    assert mop(deployed, "apply", "--yes", "--no-wait").code == 1
    assert mop(deployed, "apply", "--env", "dev", "--confirm", "dev", "--no-wait").code == 0
    refused = mop(deployed, "delete", "--env", "dev", "--yes")
    assert refused.code == 1
    assert "--confirm dev" in refused.err
    assert mop(deployed, "delete", "--env", "dev", "--confirm", "dev").code == 0
