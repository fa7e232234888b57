"""The rendered file of each object."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence

from mop.manifest import Manifest, ObjectRef, file_names
from mop.model import Environment
from mop.outputs import Outputs


class RenderedFiles(Mapping[ObjectRef, str]):
    """The rendered file of each object, worked out when the first one is asked for: most components are sound."""

    def __init__(
        self, environment: Environment, manifests: Mapping[str, Sequence[Manifest]], outputs: Outputs
    ) -> None:
        self._environment, self._manifests, self._outputs = environment, manifests, outputs

    @functools.cached_property
    def _paths(self) -> dict[ObjectRef, str]:
        found: dict[ObjectRef, str] = {}
        for component, members in self._manifests.items():
            folder = self._outputs.rendered(self._environment.name, component).relative_to(self._outputs.root)
            found.update({it: f"{folder}/{name}" for it, name in file_names(members).items()})
        return found

    def __getitem__(self, it: ObjectRef) -> str:
        return self._paths[it]

    def __iter__(self) -> Iterator[ObjectRef]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)
