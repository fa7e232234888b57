"""Names of libraries, and jsonnet-bundler's files, as jsonnet-bundler has them."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop import jsonnetfile
from mop.errors import VendorError
from mop.jsonnetfile import Dependency, JsonnetFile


@pytest.mark.parametrize(
    ("text", "path", "remote", "subdir"),
    [
        ("github.com/a/b@v", "github.com/a/b", "https://github.com/a/b.git", ""),
        ("github.com/a/b/c/d@v", "github.com/a/b/c/d", "https://github.com/a/b.git", "c/d"),
        ("https://github.com/a/b.git/c@v", "github.com/a/b/c", "https://github.com/a/b.git", "c"),
        ("https://gitlab.com/a/b/c.git/d@v", "gitlab.com/a/b/c/d", "https://gitlab.com/a/b/c.git", "d"),
        ("ssh://git@example.com/a/b.git@v", "example.com/a/b", "ssh://git@example.com/a/b.git", ""),
        ("git+ssh://git@example.com/a/b.git/c@v", "example.com/a/b/c", "ssh://git@example.com/a/b.git", "c"),
        ("git@example.com:a/b.git/c@v", "example.com/a/b/c", "ssh://git@example.com/a/b.git", "c"),
        ("http://localhost:80/a/b/c@v", "localhost/a/b/c", "http://localhost:80/a/b.git", "c"),
        ("https://me@example.com/a/b@v", "example.com/a/b", "https://me@example.com/a/b.git", ""),
    ],
)
def test_a_name_says_where_it_comes_from_and_where_it_lies(
    text: str, path: str, remote: str, subdir: str
) -> None:
    found = jsonnetfile.library(text)
    assert (found.source.path, found.source.remote, found.source.subdir) == (path, remote, subdir)
    assert found.version == "v"


@pytest.mark.parametrize(
    "text",
    [
        "github.com/a@v",
        "github.com/a/../b@v",
        "github.com/a/b/../../../x@v",
        "github.com/a/b/.git@v",
        "../x/a/b@v",
        "github.com/a/b@--upload-pack=x",
        "github.com/a/b@a..b",
        "github.com/a/b@",
        "github.com/a/b/c\\d@v",
    ],
)
def test_what_names_none_or_leads_away_is_refused(text: str) -> None:
    with pytest.raises(VendorError):
        jsonnetfile.library(text)


def test_a_password_belongs_in_no_file() -> None:
    with pytest.raises(VendorError, match="holds a password") as caught:
        jsonnetfile.library("https://user:geheim@example.com/a/b@v")
    assert "geheim" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("remote", "known"),
    [
        ("https://github.com/a/b.git", True),
        ("ssh://git@example.com/a/b.git", True),
        ("https://gitlab.com/a/b/c.git", True),
        ("http://example.com/a/b.git", False),
        ("https://example.com:8443/a/b.git", False),
        ("https://localhost/a/b.git", False),
        ("ssh://me@example.com/a/b.git", False),
    ],
)
def test_what_jsonnet_bundler_cannot_name_is_known(remote: str, known: bool) -> None:
    assert jsonnetfile.git(remote).known_to_jb is known


def test_the_sum_is_that_of_the_walk_of_go(tmp_path: Path) -> None:
    for name, text in {"b": "4", "a.x": "3", "a/z": "1", "a/é": "2", "Z": "0"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert jsonnetfile.sum_of(tmp_path) == b64encode(sha256(b"01234").digest()).decode()
    (tmp_path / "a.link").symlink_to("a")  # a folder cannot be read: jb stops there, and says nothing
    assert jsonnetfile.sum_of(tmp_path) == b64encode(sha256(b"012").digest()).decode()


def test_the_oldest_format_is_read_too() -> None:
    text = {
        "dependencies": [
            {
                "name": "ksonnet",
                "source": {"git": {"remote": "https://github.com/ksonnet/lib", "subdir": "beta.4"}},
                "version": "master",
            }
        ]
    }
    (found,) = jsonnetfile.parse(json.dumps(text).encode(), "x").dependencies
    assert (found.source.path, found.link) == ("github.com/ksonnet/lib/beta.4", "ksonnet")


def test_it_is_written_as_jsonnet_bundler_writes_it() -> None:
    library = Dependency(jsonnetfile.git("https://github.com/a/b.git", "c"), "v<1>", "sum", True, "x")
    assert jsonnetfile.dump(JsonnetFile((library,), False)) == (
        '{\n  "version": 1,\n  "dependencies": [\n    {\n      "source": {\n        "git": {\n'
        '          "remote": "https://github.com/a/b.git",\n          "subdir": "c"\n        }\n      },\n'
        '      "version": "v\\u003c1\\u003e",\n      "sum": "sum",\n      "single": true,\n      "name": "x"\n'
        '    }\n  ],\n  "legacyImports": false\n}\n'
    )


PARTS = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
SOURCES = st.builds(
    lambda host, owner, name, folder: jsonnetfile.git(f"https://{host}.example.com/{owner}/{name}", folder),
    st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True),
    PARTS,
    PARTS,
    st.lists(PARTS, max_size=2).map("/".join),
)
LIBRARIES = st.builds(
    Dependency, SOURCES, st.sampled_from(["main", "v1.0", "release/2"]), PARTS | st.just(""), st.booleans()
)


@given(st.lists(LIBRARIES, max_size=4, unique_by=lambda each: each.source.path), st.booleans())
def test_what_is_written_is_read_back(libraries: list[Dependency], legacy: bool) -> None:
    file = JsonnetFile(tuple(sorted(libraries, key=lambda each: each.source.path)), legacy)
    assert jsonnetfile.parse(jsonnetfile.dump(file, "note").encode(), "x") == file


@given(SOURCES)
def test_a_source_keeps_its_name(source: jsonnetfile.Source) -> None:
    from mop.importing import library_name

    assert jsonnetfile.library(f"{library_name(source)}@main").source == source
    assert source.known_to_jb
