"""Graphviz's `dot`, for pictures of graphs."""

from __future__ import annotations

import subprocess

from mop.errors import ToolError

_TIMEOUT = 60.0


def svg(dot: str) -> str:
    """The graph `dot` (Graphviz's language) as an SVG document. Raises ToolError where Graphviz is missing."""
    try:
        done = subprocess.run(
            ["dot", "-Tsvg"],  # noqa: S607 - the user's dot
            input=dot,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT,
        )
    except FileNotFoundError:
        raise ToolError(
            "--format svg needs Graphviz's program dot, which was not found on PATH",
            hint="install graphviz, or take --format mermaid, which many viewers draw",
        ) from None
    except subprocess.TimeoutExpired:
        raise ToolError(
            f"dot gave no answer within {_TIMEOUT:.0f} s", hint="select fewer environments"
        ) from None
    if done.returncode != 0:
        raise ToolError(f"dot failed: {done.stderr.strip()}")
    return done.stdout
