"""Which charts have newer versions where they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mop import semver
from mop.engines.protocols import ChartRepositories, ChartSource
from mop.errors import VendorError
from mop.lockfile import Lock
from mop.model import Chart


@dataclass(frozen=True, slots=True)
class Standing:
    """A chart, the version in use, and the newest one of each kind; "" where there is nothing newer.

    `patch` keeps major and minor, `minor` keeps major, `major` keeps nothing. `trouble`: why it could not be found out.
    """

    name: str
    chart: str
    current: str
    patch: str = ""
    minor: str = ""
    major: str = ""
    trouble: str = ""

    @property
    def newest(self) -> str:
        """The newest of all; "" if that is the current one."""
        return self.major or self.minor or self.patch


def outdated(
    charts: Mapping[str, Chart],
    sources: Mapping[str, ChartSource],
    lock: Lock,
    repositories: ChartRepositories,
) -> list[Standing]:
    """How each chart of a repository or registry stands, in their order; what cannot be asked has `trouble`."""
    from concurrent.futures import ThreadPoolExecutor

    def one(name: str) -> Standing:
        chart, entry = charts[name], lock.charts.get(name)
        try:
            versions = repositories.versions(sources[name])
        except VendorError as error:
            return Standing(
                name, chart.chart, entry.version if entry else chart.version, trouble=error.message
            )
        return standing(chart, entry.version if entry else "", versions)

    names = [name for name in charts if sources[name].kind in ("http", "oci")]
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, names))


def standing(chart: Chart, locked: str, versions: Iterable[str]) -> Standing:
    """How a chart stands among the versions that are served. Pre-releases count only for who uses one."""
    known = [version for text in versions if (version := semver.parse(text))]
    try:
        used = locked or semver.Range(chart.version or "*").best(each.text for each in known) or chart.version
    except ValueError:
        used = chart.version
    current = semver.parse(used)
    if current is None:
        return Standing(chart.name, chart.chart, used, trouble=f"{used} is no version")
    newer = [each for each in known if each > current and (current.pre or not each.pre)]
    major = _newest(newer)
    minor = _newest(each for each in newer if each.major == current.major)
    patch = _newest(each for each in newer if (each.major, each.minor) == (current.major, current.minor))
    return Standing(
        chart.name,
        chart.chart,
        used,
        patch=patch,
        minor=minor if minor != patch else "",
        major=major if major != minor else "",
    )


def _newest(versions: Iterable[semver.Version]) -> str:
    return max(versions).text if (versions := list(versions)) else ""
