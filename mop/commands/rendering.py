"""`render`, `show`, `validate`: from mop.yaml to checked manifests, without a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mop.commands.base import COMPONENT, ENV, JOBS, JSON, command

WATCH = "run again whenever a file of the platform changes, until Ctrl-C"


@command(
    help={
        "env": ENV,
        "component": COMPONENT,
        "jobs": JOBS,
        "fresh": "render again whatever is recorded",
        "shard": "only this part of the environments, for CI matrices: I/N",
        "watch": WATCH,
    }
)
def render(
    _context: Any,
    env: str = "",
    component: str = "",
    jobs: int = 0,
    fresh: bool = False,
    shard: str = "",
    watch: bool = False,
) -> int:
    """
    Write the manifests under .mop/rendered, as far as their inputs changed.

    Example: inv render --env staging --component loki
    """
    from mop.commands.pipeline import Pipeline

    def once() -> int:
        pipeline = Pipeline.open(env, component, shard=shard)
        if fresh:
            pipeline.forget()
        pipeline.run(["vendor", "evaluate", "render"], jobs)
        return pipeline.finish()

    return _watched(once) if watch else once()


@command(
    help={
        "env": ENV,
        "component": COMPONENT,
        "json": "a JSON list instead of a YAML stream",
        "show_secrets": "do not mask the values of Secrets",
        "jobs": JOBS,
    }
)
def show(
    _context: Any,
    env: str = "",
    component: str = "",
    json: bool = False,
    show_secrets: bool = False,
    jobs: int = 0,
) -> int:
    """
    Print the manifests in apply order as a YAML stream; secret values are masked.

    Example: inv show --env local --component logs
    """
    from mop.commands.pipeline import Pipeline
    from mop.report.manifests import manifests_json, manifests_yaml

    pipeline = Pipeline.open(env, component, quiet=True)
    pipeline.run(["vendor", "evaluate", "render"], jobs)
    if pipeline.failed:
        return pipeline.finish()
    manifests = pipeline.manifests()
    text = manifests_json if json else manifests_yaml
    pipeline.terminal.result(text(manifests, show_secrets=show_secrets))
    return 0


@command(
    help={
        "env": ENV,
        "component": COMPONENT,
        "jobs": JOBS,
        "json": JSON,
        "sarif": "write the findings to this file as SARIF as well, for code scanning",
        "junit": "write them to this file as JUnit XML as well, for CI systems",
        "skip": "checks whose findings do not count: names, with commas",
        "watch": WATCH,
    }
)
def validate(
    _context: Any,
    env: str = "",
    component: str = "",
    jobs: int = 0,
    json: bool = False,
    sarif: str = "",
    junit: str = "",
    skip: str = "",
    watch: bool = False,
) -> int:
    """
    Check the manifests against the schemas of the environment's Kubernetes version, and each other.

    Example: inv validate --env '*'
    """
    from mop.commands.pipeline import Pipeline

    skipped = _checks(skip)

    def once() -> int:
        pipeline = Pipeline.open(env, component, quiet=json, findings=False)
        pipeline.run(["vendor", "evaluate", "render", "validate"], jobs)
        return pipeline.finish_findings(json=json, sarif=sarif, junit=junit, skip=skipped)

    return _watched(once) if watch else once()


@command(help={"to": "the folder to write to", "env": ENV, "component": COMPONENT, "jobs": JOBS})
def export(_context: Any, to: str = "", env: str = "", component: str = "", jobs: int = 0) -> int:
    """
    Write the manifests to a folder, for GitOps; only files that an earlier export wrote are ever removed.

    Example: inv export --env production --to ../gitops
    """
    from pathlib import Path

    from mop.commands.pipeline import Pipeline
    from mop.errors import UsageError
    from mop.steps.export import export as write

    if not to:
        raise UsageError("where to? --to is missing", hint="for example --to ../gitops")
    pipeline = Pipeline.open(env, component)
    pipeline.run(["vendor", "evaluate", "render"], jobs)
    if pipeline.failed:
        return pipeline.finish()
    outcome = write(Path(to), pipeline.rendered_folders())
    pipeline.terminal.note(
        f"{to}: {outcome.written} written, {outcome.removed} removed, {outcome.kept} unchanged"
    )
    return 0


def _checks(text: str) -> set[str]:
    """The checks that `text` names, with commas. Raises UsageError for one that there is not."""
    names = {name.strip() for name in text.split(",") if name.strip()}
    if names:
        from mop.checks import NAMES
        from mop.checks.nearest import nearest
        from mop.errors import UsageError

        for name in sorted(names.difference(NAMES)):
            hint = nearest(name, NAMES) or f"the checks are {', '.join(sorted(NAMES))}"
            raise UsageError(f"--skip: no check is called {name}", hint=hint)
    return names


def _watched(once: Callable[[], int]) -> int:
    from mop.commands.watching import watch

    return watch(once)
