"""inv's commands: see `inv --list`."""

from mop.commands import namespace  # noqa: F401
