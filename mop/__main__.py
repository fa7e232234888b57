"""The two programs: `mop` (also `python -m mop`), and what `./inv` becomes once it has set itself up."""

import os
import sys
from collections.abc import Callable

from mop import deferred


def main() -> None:
    """The commands, wherever a mop.yaml is."""
    _start_quickly()
    from mop.commands import main

    _into_a_pipe(main)


def inv() -> None:
    """invoke's own program, with the commands of tasks.py."""
    _start_quickly()
    from mop.commands import inv

    _into_a_pipe(inv)


def _start_quickly() -> None:
    """Import late, and compile once: many images set PYTHONDONTWRITEBYTECODE, which triples every start."""
    deferred.install()
    sys.dont_write_bytecode = False


def _into_a_pipe(program: Callable[[], None]) -> None:
    """Run; a reader that went away (`inv --list | head`) is no error to tell anybody of."""
    try:
        try:
            program()
        finally:
            sys.stdout.flush()  # here, where it can be caught, not at the interpreter's end
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
