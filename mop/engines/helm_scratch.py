"""A chart of one template in a temporary folder: how to ask what only Helm's own functions can answer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_chart(template: str, *, name: str = "scratch") -> Iterator[Path]:
    """The path of a chart whose only template is `template`; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mop-chart-") as folder:
        chart = Path(folder, name)
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n", encoding="utf-8")
        (chart / "templates" / "template.yaml").write_text(template, encoding="utf-8")
        yield chart
