"""doit's tasks: see `doit list`."""

from mop.runner.dodo import DOIT_CONFIG, task_mop  # noqa: F401
