"""Which text a container reads as its configuration: `-config.file=/etc/loki/config.yaml` → a key of a ConfigMap."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mop.checks.objects import Item, Objects, Workload, get, items, mapping, objects_in, text

_FLAG = re.compile(r"--?(?:config\.file|config)(?:=|\s+)(\S+)")


@dataclass(frozen=True, slots=True)
class Configuration:
    """`text` under `path` of `item` is what a container with `image` starts with."""

    item: Item
    path: str
    text: str
    image: str

    @property
    def product(self) -> str:
        """`loki` of `docker.io/grafana/loki:3.7.6`."""
        return self.image.partition("@")[0].rpartition("/")[2].partition(":")[0]

    @property
    def version(self) -> tuple[int, int] | None:
        """(3, 7) of `docker.io/grafana/loki:3.7.6`; None without a tag that tells."""
        match = re.search(r":v?(\d+)\.(\d+)", self.image.rpartition("/")[2])
        return (int(match[1]), int(match[2])) if match else None


def configurations(objects: Objects) -> Iterator[Configuration]:
    """The configuration of every container that says in its arguments where it is; each text once for an image."""
    seen = set()
    for workload in objects.workloads:
        for _, container in workload.containers:
            for file in _files(container):
                found = _lookup(objects, workload, container, file)
                if found is not None and (found.item.ref, found.path, found.image) not in seen:
                    seen.add((found.item.ref, found.path, found.image))
                    yield found


def texts(item: Item) -> Iterator[tuple[str, str, str]]:
    """Key, path and readable text of each entry of a ConfigMap or Secret."""
    for field in ("data", "stringData"):
        for key, value in mapping(item.manifest, field).items():
            if isinstance(value, str):
                plain = _decoded(value) if item.ref.kind == "Secret" and field == "data" else value
                if plain is not None:
                    yield key, f'{field}["{key}"]', plain


def _decoded(value: str) -> str | None:
    try:
        return base64.b64decode(value).decode()
    except (binascii.Error, ValueError):
        return None


def _files(container: Mapping[str, Any]) -> Iterator[str]:
    words = [
        word for field in ("command", "args") for word in items(container, field) if isinstance(word, str)
    ]
    for word, following in zip(words, [*words[1:], ""], strict=False):
        match = _FLAG.fullmatch(word) or _FLAG.fullmatch(f"{word} {following}")
        if match:
            yield match[1]


def _lookup(
    objects: Objects, workload: Workload, container: Mapping[str, Any], file: str
) -> Configuration | None:
    mounts = [
        mount for _, mount in objects_in(container, "volumeMounts") if _below(text(mount, "mountPath"), file)
    ]
    if not mounts:
        return None
    mount = max(mounts, key=lambda it: len(text(it, "mountPath")))
    key = posixpath.relpath(file, text(mount, "mountPath"))
    if text(mount, "subPath"):
        key = text(mount, "subPath") if key == "." else posixpath.join(text(mount, "subPath"), key)
    for _, volume in objects_in(workload.pod, "volumes"):
        if volume.get("name") == mount.get("name"):
            for kind, name, source in _sources(volume):
                item = objects.named.get((kind, workload.namespace, name))
                if item is not None:
                    return _entry(item, _renamed(source, key), text(container, "image"))
    return None


def _below(folder: str, file: str) -> bool:
    return bool(folder) and (file == folder or file.startswith(folder.rstrip("/") + "/"))


def _sources(volume: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for source in (volume, *(source for _, source in objects_in(volume, "projected", "sources"))):
        yield "ConfigMap", text(source, "configMap", "name"), get(source, "configMap")
        secret = get(source, "secret")
        yield "Secret", text(secret, "secretName") or text(secret, "name"), secret


def _renamed(source: Any, path: str) -> str:
    """The key behind a file name: `items` may call it otherwise."""
    for _, entry in objects_in(source, "items"):
        if entry.get("path") == path:
            return text(entry, "key")
    return path


def _entry(item: Item, key: str, image: str) -> Configuration | None:
    for name, path, value in texts(item):
        if name == key:
            return Configuration(item, path, value, image)
    return None
