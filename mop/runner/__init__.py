"""The only user of doit: TaskSpecs → doit tasks; picks the real engines; parallelism; what became of each task.

`dodo.py` re-exports `DOIT_CONFIG` and `task_mop`, so plain `doit` runs the same tasks on the same database.
"""

from mop.runner.dodo import DOIT_CONFIG, task_mop
from mop.runner.run import Run, Workspace, open_workspace

__all__ = ["DOIT_CONFIG", "Run", "Workspace", "open_workspace", "task_mop"]
