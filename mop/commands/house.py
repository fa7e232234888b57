"""Housekeeping: `test`, `lint`, `fmt`, `lock`, `ci`, `clean`, `doctor`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mop.commands import checkout
from mop.commands.base import JSON, command
from mop.errors import UsageError


@command(
    help={
        "nightly": "the long tests as well",
        "cluster": "with the tests that need the embedded control plane (built on first use: minutes)",
    }
)
def test(context: Any, nightly: bool = False, cluster: bool = True) -> int:
    """
    Run MOP's own tests; what follows -- goes to pytest.

    Example: inv test --no-cluster -- -k jsonnet
    """
    return _test(context, *(["--nightly"] if nightly else []), *([] if cluster else ["-m", "not cluster"]))


@command()
def lint(context: Any) -> int:
    """
    Check the Jsonnet's layout; in MOP's checkout its code as well.

    Example: inv lint
    """
    return _lint(context)


@command()
def fmt(context: Any) -> int:
    """
    Write the Jsonnet as `tk fmt` does.

    In MOP's own checkout the Python code is written anew as well.

    Example: inv fmt
    """
    failed = _jsonnet(write=True)
    if checkout.is_here(_root()):
        for tool in checkout.FORMATTERS.values():
            failed = checkout.run(context, *tool) != 0 or failed
    return 1 if failed else 0


@command(
    help={"upgrade": "to the newest versions that pyproject.toml allows; else only what it requires changes"}
)
def lock(context: Any, upgrade: bool = False) -> int:
    """
    Write MOP's lock files from pyproject.toml; needs uv.

    Example: inv lock --upgrade
    """
    checkout.require()
    more = ["--upgrade"] if upgrade else []
    for name, arguments in checkout.LOCKS.items():
        says = ["--custom-compile-command", "inv lock", "--output-file", name]
        if code := checkout.run(context, *checkout.LOCK, *arguments, *says, *more):
            return code
    return 0


@command(help={"stage": "only this one: lint, render, validate or test"})
def ci(context: Any, stage: str = "") -> int:
    """
    Run the stages of CI in order, to the first that fails.

    Example: inv ci --stage render
    """
    from mop.report.terminal import terminal

    if stage and stage not in STAGES:
        raise UsageError(f"no stage is called {stage!r}", hint=f"the stages are {', '.join(STAGES)}")
    names = [stage] if stage else [name for name in STAGES if name != "test" or checkout.is_here(_root())]
    for name in names:
        terminal().note(f"stage {name}")
        if code := STAGES[name](context):
            return code
    return 0


@command(help={"cache": "empty the shared caches of renders and schemas as well"})
def clean(_context: Any, cache: bool = False) -> int:
    """
    Remove what MOP made under .mop/, except the cluster.

    Example: inv clean --cache
    """
    from mop.report.terminal import terminal
    from mop.runner import cleaning

    out = terminal()
    root = _root()
    removed = cleaning.remove_outputs(root)
    out.note(f"removed from {root / '.mop'}: {', '.join(removed) or 'nothing, it was clean'}")
    if (root / ".mop" / "cluster").exists():
        out.note("kept .mop/cluster, the embedded cluster: `inv cluster.stop` stops it")
    if cache:
        freed = cleaning.empty_caches()
        out.note(f"freed {freed / 2**20:.1f} MiB of shared caches; the control plane's programs are kept")
    return 0


@command(help={"json": JSON})
def doctor(_context: Any, json: bool = False) -> int:
    """
    Say what is here, what is missing, and how to get it.

    Engines, tools, caches, the platform, its targets; exit 1 when something is broken.

    Example: inv doctor --json
    """
    from mop.report.doctor import doctor_json, doctor_text, healthy
    from mop.report.terminal import terminal
    from mop.runner.doctor import examine

    out = terminal()
    findings = examine(Path.cwd())
    if json:
        out.result_json(doctor_json(findings))
    else:
        out.result(doctor_text(findings, paint=out.paint_out))
    return 0 if healthy(findings) else 1


def _root() -> Path:
    from mop import config

    return config.find(Path.cwd()).parent


def _test(context: Any, *arguments: str) -> int:
    import shlex

    checkout.require()
    # A worker for each core; the tests that share the control plane stay in one of them (`-- -n 0`: none at all).
    spread = ("-n", "auto", "--dist", "loadgroup")
    return checkout.run(context, "pytest", *spread, *arguments, *shlex.split(context.remainder))


def _lint(context: Any) -> int:
    from mop.report.terminal import terminal

    failed = _jsonnet(write=False)
    if checkout.is_here(_root()):
        for name, tool in checkout.LINTERS.items():
            terminal().note(f"lint {name}: {' '.join(tool)}")
            failed = checkout.run(context, *tool) != 0 or failed
    return 1 if failed else 0


def _jsonnet(*, write: bool) -> bool:
    """Format, or only look; whether something is left to do."""
    from mop import config
    from mop.report.errors import problem_text
    from mop.report.terminal import terminal
    from mop.runner.formatting import unformatted

    out = terminal()
    differing, problems = unformatted(config.load(config.find(Path.cwd())), write=write)
    for path in differing:
        out.note(f"{path}: formatted" if write else f"{path}: not formatted; `inv fmt` writes it")
    for problem in problems:
        out.note(problem_text(problem))
    return bool(problems) or bool(differing and not write)


def _pipeline(*stages: str) -> Callable[[Any], int]:
    def run(_context: Any) -> int:
        from mop.commands.pipeline import Pipeline

        pipeline = Pipeline.open("*", "")
        pipeline.run(stages)
        return pipeline.finish()

    return run


#: The stages of `inv ci`, in order.
STAGES: dict[str, Callable[[Any], int]] = {
    "lint": _lint,
    "render": _pipeline("vendor", "evaluate", "render"),
    "validate": _pipeline("vendor", "evaluate", "render", "validate"),
    "test": _test,
}
