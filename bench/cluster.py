"""What diff and apply cost, beside kubectl, tk and Helm's kind of objects: same API server, same objects, one run.

    python bench/cluster.py --objects 2000 --tk ~/go/bin/tk
    python bench/cluster.py OBJECTS.json … --tk ~/go/bin/tk

Each file holds a JSON list of rendered objects, as `.mop/manifests/<env>/<component>.json` does; without files,
`--objects` ConfigMaps, Services and Deployments without pods are made up. The server is an embedded control plane of
the measurement's own. Everything is applied once by MOP; then, nothing having changed, each program runs `--runs`
times as a whole process. Printed are the fastest wall time, the peak memory of the process, and the requests
that the API server counted meanwhile (its controllers' own are in them, the same for all). A process starts as a copy
of this one, so memory below this one's own shows as that.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

from mop.controlplane import ControlPlane, Endpoint

NAMESPACE = "bench"
_COUNTED = re.compile(r"^apiserver_request_total\{.*\} (\S+)$", re.MULTILINE)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("files", nargs="*", type=Path)
    options.add_argument("--objects", type=int, default=150)
    options.add_argument("--kubectl", default=shutil.which("kubectl") or "")
    options.add_argument("--tk", default=shutil.which("tk") or "")
    options.add_argument("--runs", type=int, default=3)
    chosen = options.parse_args()
    objects = [o for f in chosen.files for o in json.loads(f.read_text())] or made_up(chosen.objects)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        plane = ControlPlane(root / "server", progress=lambda line: print(line, file=sys.stderr))
        endpoint = plane.start()
        try:
            platform(root / "platform", objects, endpoint)
            print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {len(objects)} objects")
            measure(root / "platform", endpoint, chosen)
        finally:
            plane.stop(delete=True)


def made_up(count: int) -> list[dict[str, Any]]:
    """`count` objects of three kinds."""
    makers = (_config_map, _service, _deployment)
    return [makers[number % 3](f"object-{number // 3}") for number in range(count - count % 3)]


def _config_map(name: str) -> dict[str, Any]:
    data = {f"key-{number}": "value" * 20 for number in range(20)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def _service(name: str) -> dict[str, Any]:
    spec = {"clusterIP": "None", "selector": {"app": name}, "ports": [{"name": "http", "port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _deployment(name: str) -> dict[str, Any]:
    labels = {"app": name}
    pod = {"containers": [{"name": "main", "image": "example.com/app:1", "ports": [{"containerPort": 80}]}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def platform(root: Path, objects: list[dict[str, Any]], endpoint: Endpoint) -> None:
    """A platform of these objects, which is a Tanka environment too."""
    environment = root / "environments" / "bench"
    environment.mkdir(parents=True)
    (root / "lib").mkdir()
    (root / "jsonnetfile.json").write_text('{"version": 1, "dependencies": [], "legacyImports": true}')
    (environment / "objects.json").write_text(json.dumps(objects))
    (environment / "main.jsonnet").write_text("{ all: import 'objects.json' }")
    spec = {
        "apiServer": endpoint.server,
        "namespace": NAMESPACE,
        "diffStrategy": "server",
        "applyStrategy": "server",
    }
    document = {
        "apiVersion": "tanka.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": "bench"},
        "spec": spec,
    }
    (environment / "spec.json").write_text(json.dumps(document))
    (root / "mop.yaml").write_text(
        f'version: 1\nplatform: {NAMESPACE}\nkubernetes: "1.34"\ncomponents: {{all: {{}}}}\nenvironments:\n'
        f"  bench:\n    target: {{kubeconfig: kubeconfig, context: bench}}\n    components: [all]\n"
    )
    user = {"name": "bench", "user": {"token": endpoint.token}}
    server = {"server": endpoint.server, "certificate-authority": str(endpoint.ca)}
    context = {"cluster": "bench", "user": "bench", "namespace": NAMESPACE}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "contexts": [{"name": "bench", "context": context}],
        "clusters": [{"name": "bench", "cluster": server}],
        "users": [user],
    }
    (root / "kubeconfig").write_text(json.dumps(config))


def measure(root: Path, endpoint: Endpoint, chosen: argparse.Namespace) -> None:
    """Apply once, then run every program."""
    inv = [sys.executable, "-m", "mop"]
    apply = [*inv, "apply", "--yes", "--no-wait"]
    row("mop apply, first", root, endpoint, apply, 1)
    row("mop diff", root, endpoint, [*inv, "diff"], chosen.runs)
    row("mop apply", root, endpoint, apply, chosen.runs)
    if chosen.kubectl:
        # What MOP sent, labels included, so that there is as little to say as for MOP.
        objects = str(root / ".mop" / "rendered" / "bench" / "all")
        kubectl = [chosen.kubectl, "--kubeconfig", str(root / "kubeconfig"), "-n", NAMESPACE]
        ours = ["--server-side", "--field-manager=mop", "--force-conflicts", "-f", objects]
        row("kubectl diff --server-side", root, endpoint, [*kubectl, "diff", *ours], chosen.runs)
        theirs = ["--server-side", "--field-manager=kubectl", "--force-conflicts", "-f", objects]
        row("kubectl apply --server-side", root, endpoint, [*kubectl, "apply", *theirs], chosen.runs)
    if chosen.tk:
        program = str(Path(chosen.tk).resolve())
        tk = [program, "diff", "environments/bench"]
        row("tk diff", root, endpoint, tk, chosen.runs)
        row("tk apply", root, endpoint, [program, "apply", "--auto-approve=always", tk[2]], chosen.runs)


def row(name: str, root: Path, endpoint: Endpoint, command: list[str], runs: int) -> None:
    """Run `command` and print what it took; a diff may exit 1 or 16, for labels that only MOP sends."""
    best, memory, asked = float("inf"), 0, 0
    for _ in range(runs):
        before = requests(endpoint)
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=root,
            env={**os.environ, "KUBECONFIG": str(root / "kubeconfig"), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        words = process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode and not ("diff" in command and process.returncode in (1, 16)):
            sys.exit(f"{name} failed ({process.returncode}): {words[-2000:]}")
        if took < best:
            best, memory, asked = took, usage.ru_maxrss // 1024, requests(endpoint) - before
    print(f"{name:<28} {best:6.2f} s  {memory:5d} MiB  {asked:6d} requests", flush=True)


def requests(endpoint: Endpoint) -> int:
    """How many requests the API server has answered."""
    context = ssl.create_default_context(cafile=str(endpoint.ca))
    headers = {"Authorization": f"Bearer {endpoint.token}"}
    answer = httpx2.get(f"{endpoint.server}/metrics", headers=headers, verify=context, trust_env=False)
    return round(sum(float(value) for value in _COUNTED.findall(answer.text)))


if __name__ == "__main__":
    main()
