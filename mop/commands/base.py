"""What every command shares: the invoke task with its error handling, and the usual options.

A MopError becomes its message and exit code here and nowhere else; Ctrl-C becomes 130.
"""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, cast

from invoke.tasks import Task
from invoke.tasks import task as invoke_task

from mop.errors import Interrupted, MopError

ENV = "environments: a name, several with commas, or a glob ('*'); needed where more than one is declared"
COMPONENT = "only these components: a name, several with commas, or a glob"
JOBS = "how many tasks at once; 0 = as many as there are cores"
JSON = "one JSON document on standard output (docs/reference)"
DEBUG = "show the trace of an error"


def command(help: dict[str, str] | None = None, **options: Any) -> Callable[[Callable[..., Any]], Task[Any]]:
    """An invoke task named like the function (`-` for `_`) that ends as `commands.md` says.

    The function may give an exit code. Every command also has `--debug`.
    """

    def decorate(body: Callable[..., Any]) -> Task[Any]:
        @functools.wraps(body)
        def run(context: Any, *args: Any, debug: bool = False, **kwargs: Any) -> None:
            # Only a failure ends the process: in `inv render validate` the second command is meant too.
            if code := guarded(lambda: body(context, *args, **kwargs), debug=debug):
                sys.exit(code)

        signature = _with_debug(body)
        run.__signature__ = signature  # type: ignore[attr-defined]  # invoke reads it to make the flags
        flags = {**(help or {}), "debug": DEBUG}
        return cast(Task[Any], invoke_task(run, help=flags, auto_shortflags=False, **options))

    return decorate


def guarded(call: Callable[[], int | None], *, debug: bool = False) -> int:
    """Call, and turn what is raised into an exit code, with its message on standard error."""
    from mop.report.errors import error_text
    from mop.report.terminal import terminal

    try:
        return call() or 0
    except MopError as error:
        if debug or os.environ.get("MOP_DEBUG"):
            traceback.print_exc()
        terminal().note(error_text(error))
        return error.exit_code
    except Interrupted as stopped:
        terminal().note(stopped.message)
        return stopped.exit_code
    except KeyboardInterrupt:
        terminal().note("interrupted; no file is half-written, nothing was applied after this")
        return Interrupted.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`| head`): no error of ours, and nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _with_debug(body: Callable[..., Any]) -> Any:
    import inspect

    signature = inspect.signature(body)
    debug = inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False)
    return signature.replace(parameters=[*signature.parameters.values(), debug])
