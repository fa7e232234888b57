"""`apply` with its flags, the order between components and environments, and `status --watch`."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from mop.engines.protocols import Cluster
from mop.manifest import ObjectRef
from tests.cli.conftest import WEB, Mop, clean_environ, mop, platform, write
from tests.cluster.test_program import deployed

__all__ = ["deployed", "mop", "platform"]  # fixtures

API = "{ map: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'api' }, data: { a: 'b' } } }"


def config_map(cluster: Cluster, namespace: str, name: str) -> bool:
    return cluster.get(ObjectRef("v1", "ConfigMap", namespace, name)) is not None


def two(root: Path) -> None:
    """The platform with a component `api` that needs `web`."""
    text = (root / "mop.yaml").read_text()
    text = text.replace("  web: {}", "  web: {}\n  api: { needs: [web] }").replace("[web]\n", "[web, api]\n")
    text = text.replace("needs: [web, api]", "needs: [web]")
    main = "{ web: (import 'web.libsonnet'), api: (import 'api.libsonnet') }"
    write(root, {"mop.yaml": text, "lib/api.libsonnet": API, "environments/dev/main.jsonnet": main})


def test_a_component_waits_for_its_needs(deployed: Path, mop: Mop, cluster: Cluster, namespace: str) -> None:
    two(deployed)
    refused = mop(deployed, "apply", "--component", "api", "--yes")
    assert refused.code == 1
    assert "web was never applied" in refused.err
    assert not config_map(cluster, namespace, "api")
    assert mop(deployed, "apply", "--component", "web", "--yes").code == 0
    done = mop(deployed, "apply", "--component", "api", "--yes")
    assert done.code == 0, done.err
    assert config_map(cluster, namespace, "api")


def test_what_is_rendered_no_more_goes_unless_told_otherwise(
    deployed: Path, mop: Mop, cluster: Cluster, namespace: str
) -> None:
    two(deployed)
    more = API.replace(
        "{ map:", "{ old: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'old' } }, map:"
    )
    write(deployed, {"lib/api.libsonnet": more})
    assert mop(deployed, "apply", "--yes", "--no-wait").code == 0
    write(deployed, {"lib/api.libsonnet": API})
    assert mop(deployed, "apply", "--yes", "--no-wait", "--no-prune").code == 0
    assert config_map(cluster, namespace, "old")
    many = mop(deployed, "apply", "--yes", "--no-wait")
    assert many.code == 1
    assert "--prune-limit 1" in many.err
    # Of one component alone as well: what the other renders is known.
    assert mop(deployed, "diff", "--component", "api", "--exit-code").code == 2
    assert mop(deployed, "apply", "--yes", "--no-wait", "--prune-limit", "1").code == 0
    assert not config_map(cluster, namespace, "old")
    assert mop(deployed, "apply", "--yes", "--no-prune", "--prune-all").code == 1


def test_an_environment_comes_after_another(deployed: Path, mop: Mop, namespace: str) -> None:
    text = (deployed / "mop.yaml").read_text()
    text += (
        f"  prod:\n    target: {{kubeconfig: kubeconfig, context: test}}\n    namespace: {namespace}-prod\n"
        "    components: [web]\n    after: dev\n"
    )
    write(deployed, {"mop.yaml": text, "environments/prod/main.jsonnet": "{ web: (import 'web.libsonnet') }"})
    early = mop(deployed, "apply", "--env", "prod", "--yes", "--no-wait")
    assert early.code == 1
    assert "dev/web has no revision" in early.err
    assert mop(deployed, "apply", "--env", "dev", "--yes").code == 0
    write(deployed, {"lib/web.libsonnet": WEB.replace("replicas: 2", "replicas: 3")})
    other = mop(deployed, "apply", "--env", "prod", "--yes", "--no-wait")
    assert other.code == 1
    assert "lib/web.libsonnet differ" in other.err
    write(deployed, {"lib/web.libsonnet": WEB})
    done = mop(deployed, "apply", "--env", "prod", "--yes", "--no-wait")
    assert done.code == 0, done.err
    assert mop(deployed, "delete", "--env", "prod", "--yes").code == 0


def test_a_watched_status_ends_by_ctrl_c(deployed: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mop", "status", "--watch"],
        cwd=deployed,
        env=clean_environ(tmp_path, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    shown = iter(process.stdout.readline, "")
    assert any("is not there" in line for line in shown)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
