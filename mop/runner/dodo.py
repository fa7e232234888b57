"""What `dodo.py` re-exports: the tasks of the platform for plain `doit`, on the database that `inv` uses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from mop.errors import MopError
from mop.graph import STAGES
from mop.report.errors import error_text
from mop.report.tasks import TaskLines
from mop.report.terminal import terminal
from mop.runner.doit_tasks import Ledger, LedgerReporter, doit_task
from mop.runner.run import open_workspace

_ledger = Ledger()


class _Reporter(LedgerReporter):
    """doit makes reporters from a stream and options; ours needs neither."""

    def __init__(self, _stream: Any, _options: Any) -> None:
        super().__init__(_ledger)

    def complete_run(self) -> None:
        """Called once, at the end. doit would exit 2 for a task whose needs failed: for us that is a failure, 1."""
        _ledger.finish()
        if any(result.state in ("failed", "blocked") for result in _ledger.results.values()):
            sys.exit(1)


DOIT_CONFIG: dict[str, Any] = {
    # Never apply: what runs by default only writes below .mop/.
    "default_tasks": ["render", "validate"],
    "backend": "sqlite3",
    "dep_file": ".mop/doit.db",
    # Threads: a process forked after a Go library was loaded hangs.
    "par_type": "thread",
    "verbosity": 2,
    "continue": True,
    "reporter": _Reporter,
}


def task_mop() -> Iterator[dict[str, Any]]:
    """All tasks of all environments. A mistake in mop.yaml becomes its message and exit 1, as with `inv`."""
    out = terminal()
    try:
        workspace = open_workspace(start_cluster=False, progress=out.note)
    except MopError as error:
        out.note(error_text(error))
        sys.exit(error.exit_code)
    lines = TaskLines(out)
    _ledger.listener = lines

    def finish() -> None:
        workspace.outputs.digests.save()
        lines.total()

    _ledger.finish = finish
    workspace.outputs.private()
    for stage, doc in STAGES.items():
        yield {"basename": stage, "name": None, "doc": doc}
    builder = workspace.builder
    environments = workspace.platform.environments.values()
    specs = {spec.name: spec for environment in environments for spec in builder.specs(environment)}
    for spec in specs.values():
        yield doit_task(spec, _ledger)
