"""A chart folder and the archive made of it are one chart to Helm, whatever its .helmignore says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mop.engines.gotemplate import NotUnderstood
from mop.engines.helm_archive import IGNORE_FILE, archive, chart_files, loaded
from mop.engines.helm_sdk import HelmSdk
from mop.engines.protocols import HelmObject, HelmRequest

#: Lists what `.Files` holds; Helm renders one object for each template that it loads.
SEEN = """kind: Seen
files: {{ range $name, $ := .Files.Glob "**" }}
- {{ $name | quote }}{{ end }}
"""
FILES = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.0.0}\n",
    "values.yaml": "a: 1\n",
    "templates/seen.yaml": SEEN,
    "templates/a.yaml": "kind: A\n",
    "templates/.hidden.yaml": "kind: Hidden\n",
    "templates/deep/a.yaml": "kind: Deep\n",
    "charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
    "charts/db/templates/a.yaml": "kind: Database\n",
    "charts/db/.helmignore": "templates/\n",
    "a.yaml": "a",
    "b.txt": "b",
    "deep/a.yaml": "a",
    "deep/er/b.txt": "b",
    "ci/Ünïcode.txt": "u",
}
PARTS = st.sampled_from(
    ["a.yaml", "b.txt", "deep", "er", "*", "*.yaml", "?.txt", ".*", "d*", "db", "Ü*.txt", "ci"]
)
RULE = st.builds(
    lambda start, parts, end: f"{start}{'/'.join(parts)}{end}",
    st.sampled_from(["", "", "/", "templates/", "charts/", " "]),
    st.lists(PARTS, min_size=1, max_size=2),
    st.sampled_from(["", "/", " "]),
)


def rendered(chart: Path) -> list[HelmObject]:
    return list(HelmSdk().template(HelmRequest(chart, "web", "default", {}, "v1.34.0")))


def write(folder: Path, ignoring: str) -> Path:
    chart = folder / "some folder"
    for name, text in {**FILES, IGNORE_FILE: ignoring}.items():
        (chart / name).parent.mkdir(parents=True, exist_ok=True)
        (chart / name).write_text(text)
    (chart / "link.txt").symlink_to("b.txt")
    return chart


@settings(max_examples=60, deadline=None)
@given(st.lists(RULE | st.just("# b.txt"), max_size=4))
@example(["templates/deep/", "*.txt"])
@example(["deep", "/a.yaml"])
@example(["\ufeffdeep"])
def test_the_archive_renders_as_the_folder(rules: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chart = write(Path(folder), "\n".join(rules))
        files = {name: Path(path).read_bytes() for name, path in chart_files(chart)}
        packed = Path(folder, "packed.tgz")
        packed.write_bytes(archive({name: files[name] for name in loaded(files, files[IGNORE_FILE])}))
        assert outcome(packed) == outcome(chart)


def outcome(chart: Path) -> list[HelmObject] | type[Exception]:
    """What comes out, or the kind of error: `db` may be ignored, and Chart.yaml needs it."""
    try:
        return rendered(chart)
    except Exception as error:  # noqa: BLE001 - both must fail alike
        return type(error)


def test_files_come_in_helms_order() -> None:
    names = ["b/c", "b.txt", "a/z/a", "a/b", "B", "b/a/x"]
    assert list(loaded(names, b"")) == ["B", "a/b", "a/z/a", "b/a/x", "b/c", "b.txt"]


@pytest.mark.parametrize("line", ["!a.yaml", "[ab].yaml", r"\*.yaml", "//a.yaml"])
def test_rules_of_another_kind_are_refused(line: str) -> None:
    with pytest.raises(NotUnderstood):
        list(loaded(["a.yaml"], line.encode()))


def test_a_backslash_in_a_name_is_refused() -> None:
    with pytest.raises(NotUnderstood):
        archive({"templates\\a.yaml": b""})
