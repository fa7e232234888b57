"""doit's tasks: see `doit list`."""

from mop.runner import DOIT_CONFIG, task_mop  # noqa: F401
