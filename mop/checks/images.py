"""Images stay what they were reviewed as: each has a tag other than latest, or a digest.

`validate: {images: pinned}` asks for that (the default where an environment is protected), `images: digest` for
a digest in every image, `images: any` for nothing. A tag can be moved by whoever owns the registry; a digest
cannot.
"""

from __future__ import annotations

from collections.abc import Iterator

from mop.checks.objects import Objects, text
from mop.problem import Problem

#: Tags that mean something else tomorrow.
_MOVING = frozenset({"latest", "main", "master", "edge", "nightly", "dev", "snapshot", "stable"})


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each image that is not pinned as the environment asks."""
    environment = objects.environment
    policy = environment.validate.get("images") or ("pinned" if environment.protected else "any")
    if policy == "any":
        return
    for workload in objects.workloads:
        for path, container in workload.containers:
            image = text(container, "image")
            if not image:
                continue
            tag, digest = _parts(image)
            where = f"{path}.image"
            if policy == "digest" and not digest:
                yield workload.item.problem(
                    "the image has no digest", where, expected="name:tag@sha256:…", found=image
                )
            elif not digest and (not tag or tag in _MOVING):
                problem = f"the tag {tag} moves" if tag else "the image has no tag, which means latest"
                yield workload.item.problem(
                    problem, where, expected="a version's tag or a digest", found=image
                )


def _parts(image: str) -> tuple[str, str]:
    """Tag and digest; a colon before a slash is a registry's port."""
    name, _, digest = image.partition("@")
    _, _, last = name.rpartition("/")
    return last.partition(":")[2], digest
