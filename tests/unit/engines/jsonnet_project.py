"""A platform in a temporary folder, and the Jsonnet engine over it with a Helm that says what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mop.engines.jsonnet import GoJsonnet
from mop.engines.protocols import ChartRender, Evaluated, Evaluation, HelmRequest
from mop.files import Digests

MAIN = "environments/dev/main.jsonnet"


class EchoingCharts:
    """Implements `protocols.Charts`: a render gives its request back as one object."""

    version = "helm v0 echo"

    def __init__(self) -> None:
        self.requests: list[tuple[HelmRequest, str | None]] = []
        self.fail: Callable[[HelmRequest], Exception | None] = lambda request: None
        self.random: tuple[str, ...] = ()
        self.unused: tuple[tuple[str, str], ...] = ()

    def render(self, request: HelmRequest, name_format: str | None) -> ChartRender:
        """The request, under the name `request`; raises what `fail` gives for it."""
        hit = (request, name_format) in self.requests
        self.requests.append((request, name_format))
        if error := self.fail(request):
            raise error
        fields = {name: getattr(request, name) for name in request.__slots__ if name != "chart"}
        return ChartRender(
            json.dumps({"request": fields}), f"digest of {request.chart.name}", hit, self.random, self.unused
        )


class Project:
    """Files, and evaluations of `environments/dev/main.jsonnet` over them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.charts = EchoingCharts()
        self.engine = GoJsonnet(self.charts, Digests(root))

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Make `files`, by path."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def evaluate(self, *components: str, whole: bool = False, **options: Any) -> Evaluated:
        """An evaluation of those components, or of the whole."""
        options.setdefault("served", {})
        return self.engine.evaluate(
            Evaluation(
                root=self.root,
                entrypoint=self.root / options.pop("main", MAIN),
                components=None if whole else components,
                namespace="monitoring",
                kube_version="v1.34.0",
                **options,
            )
        )

    def value(self, code: str | None = None, **options: Any) -> Any:
        """What main.jsonnet (made of `code`, if given) evaluates to."""
        if code is not None:
            self.write({MAIN: code})
        return json.loads(self.evaluate(whole=True, **options).outputs[""])
