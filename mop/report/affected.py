"""What a change touches, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mop.steps.affected import Affected


def affected_text(found: Sequence[Affected]) -> str:
    """A line a component: `environment/component`, and why."""
    width = max(len(f"{one.environment}/{one.component}") for one in found)
    return "\n".join(f"{f'{one.environment}/{one.component}':<{width}}  {one.reason}" for one in found)


def affected_json(found: Sequence[Affected]) -> dict[str, Any]:
    """For CI matrices: the environments, and each component with its reason."""
    return {
        "environments": list(dict.fromkeys(one.environment for one in found)),
        "components": [
            {"environment": one.environment, "component": one.component, "reason": one.reason}
            for one in found
        ],
    }
