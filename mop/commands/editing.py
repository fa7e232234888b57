"""`charts.*`, `libs.*`, `repos.add`, `envs.import`: what mop.yaml declares, added to and compared; comments stay."""

from __future__ import annotations

from typing import Any

from invoke.collection import Collection

from mop.commands.base import JSON, command
from mop.errors import UsageError

_WITH_NAMES = ("charts.add", "libs.add", "repos.add")


@command(
    help={
        "chart": "REPOSITORY/CHART@VERSION; a range (^18) as well; oci://…, git+https://…//path?ref=…, ./path",
        "name": "its folder below charts/; default: the chart's own name",
    },
    positional=["chart"],
)
def charts_add(_context: Any, chart: str | None = None, name: str = "") -> int:
    """
    Write a chart into mop.yaml, or another version of one that is there; without a version, the newest.

    Example: inv charts.add community/loki@18.11.0
    """
    from mop.commands.declaring import Declaration

    Declaration.open().add_chart(_given(chart, "inv charts.add community/loki@18.11.0"), name)
    return 0


@command(help={"json": JSON})
def charts_outdated(_context: Any, json: bool = False) -> int:
    """
    Compare the charts with their repositories: the newest patch, minor and major version of each.

    Example: inv charts.outdated --json
    """
    from mop import lockfile
    from mop.commands.declaring import Declaration
    from mop.report.outdated import outdated_facts, outdated_text
    from mop.steps.outdated import outdated
    from mop.steps.vendor import source_of

    declaration = Declaration.open()
    platform = declaration.workspace.platform
    sources = {name: source_of(platform, chart) for name, chart in platform.charts.items()}
    lock = lockfile.load(platform.root / lockfile.NAME)
    found = outdated(platform.charts, sources, lock, declaration.workspace.tools.repositories())
    if json:
        declaration.terminal.result_json(outdated_facts(found))
    else:
        declaration.terminal.result(outdated_text(found))
    return 1 if any(each.trouble for each in found) else 0


@command(help={"file": "a chartfile.yaml; default: the one beside mop.yaml"}, positional=[])
def charts_import(_context: Any, file: str = "") -> int:
    """
    Take the repositories and charts of Tanka's chartfile.yaml into mop.yaml.

    Example: inv charts.import --file ../old/chartfile.yaml
    """
    from mop import importing
    from mop.commands.declaring import Declaration

    declaration = Declaration.open()
    known = {name: each.url for name, each in declaration.workspace.platform.repositories.items()}
    declaration.take_in(importing.chartfile(*declaration.read(file, "chartfile.yaml"), known))
    return 0


@command(
    help={
        "library": "HOST/OWNER/REPOSITORY/FOLDER@VERSION (a branch, tag or commit), or ./path",
        "name": "its name in mop.yaml; default: the last part of its path",
    },
    positional=["library"],
)
def libs_add(_context: Any, library: str | None = None, name: str = "") -> int:
    """
    Write a Jsonnet library into mop.yaml; without a version, the repository's default branch.

    Example: inv libs.add github.com/grafana/jsonnet-libs/ksonnet-util@master
    """
    from mop.commands.declaring import Declaration

    example = "inv libs.add github.com/grafana/jsonnet-libs/ksonnet-util@master"
    Declaration.open().add_library(_given(library, example), name)
    return 0


@command(help={"file": "a jsonnetfile.json; default: the one beside mop.yaml"}, positional=[])
def libs_import(_context: Any, file: str = "") -> int:
    """
    Take the libraries of jsonnet-bundler's jsonnetfile.json into mop.yaml; `inv vendor` keeps what its lock says.

    Example: inv libs.import
    """
    from mop import importing
    from mop.commands.declaring import Declaration

    declaration = Declaration.open()
    declaration.take_in(importing.jsonnet(*declaration.read(file, "jsonnetfile.json")))
    return 0


@command(
    help={
        "name": "how charts name it: NAME/CHART",
        "url": "https://…, http://… or oci://…",
        "credentials": "NAME of the environment variables NAME_USERNAME and NAME_PASSWORD, or NAME_TOKEN",
    },
    positional=["name", "url"],
)
def repos_add(_context: Any, name: str | None = None, url: str | None = None, credentials: str = "") -> int:
    """
    Write a Helm repository or an OCI registry into mop.yaml.

    Example: inv repos.add community https://grafana-community.github.io/helm-charts
    """
    from mop.commands.declaring import Declaration

    example = "inv repos.add community https://grafana-community.github.io/helm-charts"
    Declaration.open().add_repository(_given(name, example), _given(url, example), credentials)
    return 0


@command()
def envs_import(_context: Any) -> int:
    """
    Take the static Tanka environments below environments/ into mop.yaml, as they are.

    Example: inv envs.import
    """
    from mop.commands.declaring import Declaration

    Declaration.open().take_environments()
    return 0


def _given(value: str | None, example: str) -> str:
    """What must be given; invoke would take a flag for it."""
    if not value or value.startswith("-"):
        raise UsageError(f"expected a name, found {value or 'nothing'}", hint=f"for example: {example}")
    return value


def help_first(arguments: list[str]) -> list[str]:
    """`charts.add --help` as `--help charts.add`: invoke would take the flag for the name that it waits for."""
    if len(arguments) == 2 and arguments[1] in ("--help", "-h") and arguments[0] in _WITH_NAMES:
        return ["--help", arguments[0]]
    return arguments


def collections() -> list[Collection]:
    """`charts`, `libs`, `repos`, `envs`."""
    groups = {
        "charts": {"add": charts_add, "outdated": charts_outdated, "import": charts_import},
        "libs": {"add": libs_add, "import": libs_import},
        "repos": {"add": repos_add},
        "envs": {"import": envs_import},
    }
    found = []
    for name, tasks in groups.items():
        collection = Collection(name)
        for command_name, task in tasks.items():
            collection.add_task(task, name=command_name)
        found.append(collection)
    return found
