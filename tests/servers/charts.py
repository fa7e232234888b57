"""Charts made of a few lines, packed as `helm package` packs them, and a Helm repository of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mop import goyaml
from tests.servers.web import Answer, Site


def chart_files(name: str, version: str, **fields: Any) -> dict[str, str]:
    """The files of a chart that renders one ConfigMap; `fields` go to Chart.yaml."""
    return {
        "Chart.yaml": goyaml.dump({"apiVersion": "v2", "name": name, "version": version, **fields}),
        "values.yaml": "greeting: hello\n",
        "templates/configmap.yaml": (
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-" + name + "\n"
            "data:\n  greeting: {{ .Values.greeting | quote }}\n  version: {{ .Chart.Version | quote }}\n"
        ),
    }


def pack(files: Mapping[str, str | bytes], top: str) -> bytes:
    """The files below the folder `top` as a .tgz, the same bytes for the same files."""
    return packed(
        (f"{top}/{path}", text.encode() if isinstance(text, str) else text) for path, text in files.items()
    )


def packed(entries: Iterable[tuple[str | tarfile.TarInfo, bytes]], kind: int = tarfile.PAX_FORMAT) -> bytes:
    """A .tgz of exactly these entries, whatever they are."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as tar:
        for entry, data in entries:
            member = tarfile.TarInfo(entry) if isinstance(entry, str) else entry
            if isinstance(entry, str):
                member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def chart(name: str, version: str, **fields: Any) -> bytes:
    """A chart's archive."""
    return pack(chart_files(name, version, **fields), name)


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """The files below `folder`."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


class HelmRepository:
    """A Helm repository at `url`, a folder of a Site."""

    def __init__(self, site: Site, path: str = "/charts") -> None:
        self.site = site
        self.url = site.url + path
        self._path = path
        self._entries: dict[str, list[dict[str, Any]]] = {}

    def add(self, name: str, version: str, archive: bytes | None = None, **fields: Any) -> bytes:
        """Serve a version; gives its archive. `fields` replace those of the index."""
        data = chart(name, version) if archive is None else archive
        file = f"{name}-{version}.tgz"
        digest = hashlib.sha256(data).hexdigest()
        entry = {
            "name": name,
            "version": version,
            "digest": digest,
            "urls": [file],
            "apiVersion": "v2",
            **fields,
        }
        self._entries.setdefault(name, []).append(entry)
        self.site.answers[f"{self._path}/{file}"] = data
        self.write()
        return data

    def write(self) -> None:
        """Make index.yaml of what was added."""
        index = goyaml.dump({"apiVersion": "v1", "entries": self._entries})
        self.site.answers[f"{self._path}/index.yaml"] = Answer(index.encode())

    @property
    def index_path(self) -> str:
        """The path of index.yaml on the site."""
        return f"{self._path}/index.yaml"
