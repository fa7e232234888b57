"""What `dodo.py` re-exports: the tasks of the platform for plain `doit`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NoReturn, TextIO

from mop.errors import MopError
from mop.report.errors import error_text

DOIT_CONFIG: dict[str, Any] = {
    # Never apply: what runs by default only writes below .mop/.
    "default_tasks": ["render", "validate"],
    "backend": "sqlite3",
    "dep_file": ".mop/doit.db",
    # Threads: a process forked after a Go library was loaded hangs.
    "par_type": "thread",
    "verbosity": 2,
    "continue": True,
}


def task_mop() -> Iterator[dict[str, Any]]:
    """All tasks of all environments. A mistake in mop.yaml becomes its message and exit 1, as with `inv`."""
    from mop.runner.doit_tasks import Ledger, LedgerReporter, TaskResult, doit_task
    from mop.runner.run import open_workspace

    try:
        workspace = open_workspace()
    except MopError as error:
        _fail(error)

    def show(result: TaskResult) -> None:
        if isinstance(result.error, MopError):
            sys.stderr.write(f"{result.name}: {result.state}\n{error_text(result.error)}\n")
        elif result.error is not None:
            raise result.error
        else:
            sys.stderr.write(f"{result.name}: {result.state}\n")

    ledger = Ledger(show)

    class Reporter(LedgerReporter):
        """doit makes reporters from a stream and options; ours needs neither."""

        def __init__(self, _stream: TextIO, _options: dict[str, Any]) -> None:
            super().__init__(ledger)

        def complete_run(self) -> None:
            workspace.outputs.digests.save()

    DOIT_CONFIG["reporter"] = Reporter
    (workspace.outputs.folder).mkdir(exist_ok=True, mode=0o700)
    for environment in workspace.platform.environments.values():
        for spec in workspace.builder.specs(environment):
            yield doit_task(spec, ledger)


def _fail(error: MopError) -> NoReturn:
    sys.stderr.write(error_text(error) + "\n")
    sys.exit(error.exit_code)
