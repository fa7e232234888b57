"""What a call costs before it does anything, as whole processes: `./inv --list` and a render with nothing to do.

    ./inv render && python3 bench/startup.py --runs 21

Wall time is what a user waits; CPU time (of the process and its children) says the same on a busy machine, where
wall time says more about its neighbours. The ratio to an empty Python compares machines. With `--check` the exit
code is 1 where a median passes its limit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = str(ROOT / ".venv/bin/python")
INV = str(ROOT / "inv")
DIRECT = [PYTHON, "-P", "-c", "from mop.__main__ import inv; inv()"]


@dataclass(frozen=True)
class Case:
    """A command and the longest wall time that docs/adr/0008 allows it, in seconds."""

    name: str
    command: list[str]
    limit: float | None = None


CASES = [
    Case("python -c pass", [PYTHON, "-c", "pass"]),
    Case("import invoke", [PYTHON, "-c", "import invoke.main"]),
    Case("inv --list", [*DIRECT, "--list"], 0.2),
    Case("inv render --env local", [*DIRECT, "render", "--env", "local"], 0.3),
    Case("./inv --list", [INV, "--list"], 0.2),
    Case("./inv render --env local", [INV, "render", "--env", "local"], 0.3),
]


def measure(command: list[str], runs: int) -> tuple[list[float], list[float]]:
    """Wall and CPU seconds of each run, after one that warms the file cache."""
    wall, cpu = [], []
    for number in range(runs + 1):
        started = time.perf_counter()
        quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
        child = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
        _, status, used = os.wait4(child, 0)
        if status:
            sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
        if number:
            wall.append(time.perf_counter() - started)
            cpu.append(used.ru_utime + used.ru_stime)
    return wall, cpu


def main() -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--runs", type=int, default=11)
    options.add_argument("--check", action="store_true", help="exit 1 where a median passes its limit")
    chosen = options.parse_args()
    os.chdir(ROOT)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {chosen.runs} runs, milliseconds")
    print(f"{'':<26}{'wall median':>12}{'min':>7}{'CPU median':>12}{'min':>7}{'ratio':>7}  limit")
    empty, slow = 0.0, []
    for case in CASES:
        wall, cpu = measure(case.command, chosen.runs)
        empty = empty or statistics.median(cpu)
        if case.limit and statistics.median(wall) > case.limit:
            slow.append(case.name)
        numbers = (statistics.median(wall), min(wall), statistics.median(cpu), min(cpu))
        columns = "".join(
            f"{1000 * value:>{width}.0f}" for value, width in zip(numbers, (12, 7, 12, 7), strict=True)
        )
        limit = f"  {1000 * case.limit:.0f}" if case.limit else ""
        print(f"{case.name:<26}{columns}{statistics.median(cpu) / empty:>7.1f}{limit}")
    if slow:
        print(f"over the limit: {', '.join(slow)}")
    return 1 if slow and chosen.check else 0


if __name__ == "__main__":
    sys.exit(main())
