"""TaskSpec → doit task, and the doit runner with threads, our reporter and a calm Ctrl-C.

What doit is asked for: order, parallelism, up-to-date decisions in one place, its command line. What it is not asked
for: hashing inputs (see docs/adr/0009-doit.md) and capturing output, which is process-wide.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from doit.control import TaskControl
from doit.dependency import DatabaseException, Dependency, SqliteDB
from doit.exceptions import TaskFailed
from doit.runner import MThreadRunner, Runner
from doit.task import Stream, Task

from mop.errors import MopError
from mop.graph import TaskSpec

State = Literal["done", "current", "failed", "blocked", "not run"]


@dataclass(slots=True)
class TaskResult:
    """What became of a task. `outcome` is what its action gave; `error` why it failed; `seconds` its own time."""

    name: str
    state: State = "not run"
    outcome: Any = None
    error: BaseException | None = None
    seconds: float = 0.0


Listener = Callable[[TaskResult], None]


@dataclass(slots=True)
class Ledger:
    """The results of a run by task name, filled while it runs, and how many actions are in flight."""

    listener: Listener = lambda _result: None
    finish: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None  # asks what is in flight not to begin anything anew
    results: dict[str, TaskResult] = field(default_factory=dict)
    _busy: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def result(self, name: str) -> TaskResult:
        """The result of the task `name`, made when first asked for."""
        return self.results.setdefault(name, TaskResult(name))

    def current(self, spec: TaskSpec) -> bool:
        """Whether there is nothing to do. What cannot be answered is no: the action then says why."""
        try:
            return spec.current is not None and spec.current()
        except MopError:
            return False
        except Exception as error:  # noqa: BLE001 - raised again by Run.execute
            self.result(spec.name).error = error
            return False

    def act(self, spec: TaskSpec) -> bool | TaskFailed:
        """Run the action of `spec` and keep what came of it: as doit's action, it gives True or a TaskFailed."""
        result = self.result(spec.name)
        if result.error is not None:
            return TaskFailed(repr(result.error), report=False)
        with self._changed:
            self._busy += 1
        started = time.monotonic()
        try:
            result.outcome = spec.action()
        except MopError as error:
            result.error = error
            return TaskFailed(error.message, report=False)
        except Exception as error:  # noqa: BLE001 - raised again by Run.execute
            # A defect of MOP, not of the user: kept whole, raised again where the run ends.
            result.error = error
            return TaskFailed(repr(error), report=False)
        finally:
            result.seconds = time.monotonic() - started
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()
        return True

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until no action is in flight."""
        self.stop()
        with self._changed:
            self._changed.wait_for(lambda: self._busy == 0, timeout)


def doit_task(spec: TaskSpec, ledger: Ledger) -> dict[str, Any]:
    """`spec` as the dict that a dodo.py yields: also what `Task` takes, after `task_of`."""
    basename, _, name = spec.name.partition(":")
    return {
        "basename": basename,
        "name": name,
        "doc": spec.doc,
        "actions": [(ledger.act, [spec])],
        "task_dep": list(spec.needs),
        "uptodate": [(ledger.current, [spec])],
        "io": {"capture": False},
        "verbosity": 2,
    }


def task_of(spec: TaskSpec, ledger: Ledger) -> Task:
    """`spec` as doit's own object."""
    attributes = doit_task(spec, ledger)
    del attributes["basename"]
    return Task(**{**attributes, "name": spec.name})


class LedgerReporter:
    """doit's events → the ledger's listener. The interface is doit's (doit/reporter.py)."""

    desc = "what MOP shows"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def _tell(self, task: Task, state: State) -> None:
        if task.has_subtask:
            return  # a group (`render`) does nothing itself
        result = self._ledger.result(task.name)
        result.state = state
        self._ledger.listener(result)

    def initialize(self, tasks: Any, selected_tasks: Any) -> None:
        """Called before the first task."""

    def get_status(self, task: Task) -> None:
        """Called before a task's up-to-date check."""

    def execute_task(self, task: Task) -> None:
        """Called in the worker, before the action."""

    def add_success(self, task: Task) -> None:
        """The action went well."""
        self._tell(task, "done")

    def skip_uptodate(self, task: Task) -> None:
        """There was nothing to do."""
        self._tell(task, "current")

    def skip_ignore(self, task: Task) -> None:
        """`doit ignore` was said of it."""
        self._tell(task, "current")

    def add_failure(self, task: Task, fail: Any) -> None:
        """The action failed, or something it needs did, or its up-to-date check did."""
        result = self._ledger.result(task.name)
        blocked = result.error is None and type(fail).__name__ == "UnmetDependency"
        if result.error is None and not blocked:
            result.error = RuntimeError(str(fail))
        self._tell(task, "blocked" if blocked else "failed")

    def cleanup_error(self, exception: Any) -> None:
        """A teardown failed; MOP's tasks have none."""

    def runtime_error(self, msg: str) -> None:
        """doit itself cannot go on."""
        raise RuntimeError(msg)

    def teardown_task(self, task: Task) -> None:
        """MOP's tasks have no teardown."""

    def complete_run(self) -> None:
        """Called once, at the end."""


def execute(specs: Iterable[TaskSpec], database: Path, ledger: Ledger, jobs: int) -> None:
    """Run the tasks; the ledger tells what came of each. One that fails stops only what needs it.

    KeyboardInterrupt is raised again when no action is in flight any more.
    """
    tasks = [task_of(spec, ledger) for spec in specs]
    control = TaskControl(tasks)
    control.process([task.name for task in tasks])
    database.parent.mkdir(parents=True, exist_ok=True)
    dependencies = _open(database)
    arguments = (dependencies, LedgerReporter(ledger), True, False, Stream(2))
    runner = Runner(*arguments) if jobs == 1 else MThreadRunner(*arguments, num_process=jobs)
    try:
        runner.run_all(control.task_dispatcher())
    except KeyboardInterrupt:
        ledger.settle()
        raise


def _open(database: Path) -> Dependency:
    """doit's database. Nothing in it decides what MOP does, so a damaged one is made anew."""
    try:
        return Dependency(SqliteDB, str(database))
    except DatabaseException:
        database.unlink()
        return Dependency(SqliteDB, str(database))
