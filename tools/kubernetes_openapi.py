"""Writes mop/engines/data/openapi.json: the enumerations that an API server publishes in its OpenAPI v3.

    ./inv cluster.start && python tools/kubernetes_openapi.py .mop/cluster/kubeconfig

The schemas of kubernetes-validate, made from the repository's own OpenAPI files, have none of them
(`imagePullPolicy` is any string there). Only built-in types are taken; a server with CRDs gives the same file.
"""

from __future__ import annotations

import json
import ssl
import sys
import urllib.request
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parents[1] / "mop" / "engines" / "data" / "openapi.json"


class Server:
    """The API server of a kubeconfig that carries a token."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        self._url = cluster["server"]
        self._token = config["users"][0]["user"]["token"]
        self._tls = ssl.create_default_context(cafile=cluster["certificate-authority"])

    def get(self, path: str) -> dict[str, Any]:
        """The JSON document at `path`."""
        headers = {"Authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(self._url + path, headers=headers)  # noqa: S310 - https, by the kubeconfig
        with urllib.request.urlopen(request, context=self._tls) as answer:  # noqa: S310
            document: dict[str, Any] = json.load(answer)
        return document


def enumerations(schemas: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Definition → property (`name[]` for a list's items) → allowed values."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, schema in schemas.items():
        for field, node in schema.get("properties", {}).items():
            for key, place in ((field, node), (f"{field}[]", node.get("items", {}))):
                if "enum" in place and field not in ("apiVersion", "kind"):
                    found.setdefault(name, {})[key] = sorted(place["enum"])
    return found


def main(kubeconfig: Path) -> None:
    """Write the file."""
    server = Server(kubeconfig)
    release = server.get("/version")["gitVersion"]
    schemas: dict[str, Any] = {}
    for path, entry in sorted(server.get("/openapi/v3")["paths"].items()):
        if path.startswith(("api/", "apis/")):
            schemas.update(server.get(entry["serverRelativeURL"]).get("components", {}).get("schemas", {}))
    builtin = {name: schema for name, schema in schemas.items() if name.startswith("io.k8s.")}
    lines = [
        f"    {json.dumps(name)}: {json.dumps(fields)}"
        for name, fields in sorted(enumerations(builtin).items())
    ]
    source = f"OpenAPI v3 (/openapi/v3) of kube-apiserver {release}"
    DATA.write_text(
        f'{{\n  "source": {json.dumps(source)},\n  "enums": {{\n' + ",\n".join(lines) + "\n  }\n}\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
