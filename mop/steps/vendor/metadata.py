"""Chart.yaml of a folder that was just unpacked: is it the chart that was asked for?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mop import semver
from mop.engines.protocols import ChartSource
from mop.errors import VendorError


def read(folder: Path, file: str = "Chart.yaml") -> dict[str, Any]:
    """The mapping in `file` of a chart, as Helm reads it; {} if there is no such file. Raises VendorError."""
    from mop import goyaml  # with PyYAML, which a run that vendors nothing does without

    try:
        documents = goyaml.load_all_v2((folder / file).read_bytes())
    except FileNotFoundError:
        return {}
    except goyaml.YamlError as error:
        raise VendorError(f"{file} of the chart is no YAML: {error}") from None
    found = documents[0] if documents else None
    if not isinstance(found, dict):
        raise VendorError(f"{file} of the chart holds no mapping")
    return found


def verify(folder: Path, source: ChartSource, version: str, name: str) -> None:
    """Raises VendorError if the files are another chart, or another version, than `source` promised."""
    found = read(folder)
    if not found:
        raise VendorError(f"the chart {name} of {source.url} has no Chart.yaml")
    if source.name and found.get("name") != source.name:
        raise VendorError(
            f"{source.url} gave another chart: expected {source.name}, found {found.get('name')!r} in Chart.yaml",
            hint="the repository is wrong, or somebody replaced the archive",
        )
    inside = str(found.get("version"))
    parsed = semver.parse(inside)
    if inside != version and (parsed is None or parsed != semver.parse(version)):
        raise VendorError(
            f"{source.url} gave another version of {name}: expected {version}, found {inside} in Chart.yaml",
            hint="the repository is wrong, or somebody replaced the archive",
        )
