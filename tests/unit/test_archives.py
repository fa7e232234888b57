"""Archives that mean harm, by name; and that good ones come out whole."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.archives import Bounds, unpack
from mop.errors import VendorError
from tests.servers.charts import chart, packed


def link(name: str, kind: bytes, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def special(name: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.devmajor, member.devminor = kind, 1, 3
    return member


def sized(name: str, size: int) -> bytes:
    """An archive whose one file says that it has `size` bytes, and has none."""
    member = tarfile.TarInfo(name)
    member.size = size
    return gzip.compress(member.tobuf(tarfile.PAX_FORMAT))


GOOD = ("web/Chart.yaml", b"name: web\n")

HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a path that climbs": (lambda: packed([GOOD, ("web/../../evil", b"x")]), "leads out of the archive"),
    "a path that is only climbing": (lambda: packed([("../evil", b"x")]), "leads out of the archive"),
    "a hidden climb": (lambda: packed([("web/templates/../../../evil", b"x")]), "leads out of the archive"),
    "an absolute path": (lambda: packed([("/etc/passwd", b"x")]), "absolute path"),
    "a Windows path": (lambda: packed([("web\\..\\..\\evil", b"x")]), "leads out of the archive"),
    "a drive": (lambda: packed([("web/c:/evil", b"x")]), "absolute path"),
    "a link to the outside": (lambda: packed([(link("web/x", tarfile.SYMTYPE, "/etc"), b"")]), "is a link"),
    "a link to the inside": (
        lambda: packed([GOOD, (link("web/x", tarfile.SYMTYPE, "Chart.yaml"), b"")]),
        "is a link",
    ),
    "a hard link": (
        lambda: packed([GOOD, (link("web/x", tarfile.LNKTYPE, "web/Chart.yaml"), b"")]),
        "is a hard link",
    ),
    "a file through a link": (
        lambda: packed([(link("web/x", tarfile.SYMTYPE, "/tmp"), b""), ("web/x/evil", b"x")]),
        "is a link",
    ),
    "a device": (lambda: packed([(special("web/null", tarfile.CHRTYPE), b"")]), "is a device file"),
    "a disk": (lambda: packed([(special("web/sda", tarfile.BLKTYPE), b"")]), "is a device file"),
    "a pipe": (lambda: packed([(special("web/pipe", tarfile.FIFOTYPE), b"")]), "is a pipe"),
    "a sparse file": (lambda: packed([(special("web/x", tarfile.GNUTYPE_SPARSE), b"")]), "sparse|damaged"),
    "two charts": (lambda: packed([GOOD, ("other/Chart.yaml", b"x")]), "holds two charts"),
    "a file beside the chart": (lambda: packed([("Chart.yaml", b"x")]), "outside the chart's folder"),
    "the same file twice": (lambda: packed([GOOD, GOOD]), "is there twice"),
    "names that differ in case": (
        lambda: packed([GOOD, ("web/chart.YAML", b"x")]),
        "one file on some file systems",
    ),
    "folders that differ in case": (
        lambda: packed([("web/a/x", b""), ("web/A/y", b"")]),
        "one file on some file systems",
    ),
    "names that differ in normalisation": (
        lambda: packed([("web/caf\u00e9", b""), ("web/cafe\u0301", b"")]),
        "one file on some file systems",
    ),
    "a file where a folder is": (lambda: packed([("web/a/x", b""), ("web/a", b"")]), "twice|one file"),
    "a folder where a file is": (lambda: packed([("web/a", b""), ("web/a/x", b"")]), "twice|one file"),
    "a name that nobody sees": (lambda: packed([("web/a\u202eb", b"")]), "nobody can see"),
    "a name with a line break": (lambda: packed([("web/a\nb", b"")]), "nobody can see"),
    "a name that is no UTF-8": (
        lambda: gzip.compress(
            tarfile.TarInfo("web/\udcff").tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape")
        ),
        "is no UTF-8",
    ),
    "a git repository": (lambda: packed([("web/.git/hooks/pre-commit", b"evil")]), "git repository"),
    "a long name": (lambda: packed([(f"web/{'a' * 300}", b"")]), "too long"),
    "ten gigabytes in a header": (lambda: sized("web/big", 10 << 30), "are the most"),
    "a damaged header": (lambda: gzip.compress(b"\1" * 1024), "damaged"),
    "no files": (lambda: packed([]), "is empty"),
    "a web page": (lambda: b"<!doctype html><title>Log in</title>", "expected gzip, found '<!doctype"),
    "nothing": (lambda: b"", "expected gzip"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_and_nothing_outside_is_touched(name: str, tmp_path: Path) -> None:
    make, expected = HOSTILE[name]
    target = tmp_path / "inner" / "target"
    target.mkdir(parents=True)
    with pytest.raises(VendorError, match=expected):
        unpack(make(), target, "web-1.0.0.tgz")
    outside = [path for path in tmp_path.rglob("*") if target not in (path, *path.parents) and path.is_file()]
    assert outside == []


def test_a_million_entries_are_refused_before_they_are_written(tmp_path: Path) -> None:
    archive = packed((f"web/{number}", b"") for number in range(300))
    with pytest.raises(VendorError, match="more than 100 entries"):
        unpack(archive, tmp_path, "web.tgz", Bounds(entries=100))
    assert len(list(tmp_path.rglob("*"))) <= 100


def test_a_bomb_stops_at_its_bound(tmp_path: Path) -> None:
    """Each file is small enough, and together they are too much."""
    archive = packed((f"web/{number}", b"\0" * (1 << 20)) for number in range(40))
    assert len(archive) < 60_000
    with pytest.raises(VendorError, match="unpacks to more than 8 MiB"):
        unpack(archive, tmp_path, "web.tgz", Bounds(total=8 << 20))
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 8 << 20


def test_zeros_behind_the_end_count_too(tmp_path: Path) -> None:
    """tar stops at its end mark; what gzip holds behind it is read for its sum, within the same bound."""
    inner = gzip.decompress(packed([GOOD]))
    with pytest.raises(VendorError, match="unpacks to more than 1 MiB"):
        unpack(gzip.compress(inner + b"\0" * (4 << 20)), tmp_path, "web.tgz", Bounds(total=1 << 20))


@given(st.integers(1, 1000))
def test_an_archive_that_is_cut_anywhere_is_damaged(
    tmp_path_factory: pytest.TempPathFactory, part: int
) -> None:
    archive = chart("web", "1.0.0")
    cut = archive[: len(archive) * part // 1001]
    with pytest.raises(VendorError, match=r"damaged|expected gzip"):
        unpack(cut, tmp_path_factory.mktemp("cut"), "web.tgz")


@given(st.integers(20, 10_000), st.integers(1, 255))
def test_a_flipped_byte_is_damage_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    """gzip's sum covers the content; only its header's name and time may change unnoticed."""
    archive = bytearray(chart("web", "1.0.0"))
    archive[10 + place % (len(archive) - 10)] ^= flip
    with pytest.raises(VendorError):
        unpack(bytes(archive), tmp_path_factory.mktemp("flip"), "web.tgz")


@given(
    st.dictionaries(
        st.lists(st.text("abcXYZ0-_", min_size=1, max_size=8), min_size=1, max_size=4).map("/".join),
        st.binary(max_size=100),
        min_size=1,
        max_size=12,
    )
)
def test_what_was_packed_comes_out_or_is_refused_whole(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    target = tmp_path_factory.mktemp("good")
    names = [name.casefold() for name in files]
    folders = {name[:end] for name in files for end in range(len(name)) if name[end] == "/"}
    clash = len(set(names)) < len(names) or {f.casefold() for f in folders} & set(names)
    clash = clash or len({f.casefold() for f in folders}) < len(folders)
    archive = packed((f"web/{name}", data) for name, data in files.items())
    if clash:
        with pytest.raises(VendorError, match=r"one file|twice"):
            unpack(archive, target, "web.tgz")
        return
    unpack(archive, target, "web.tgz")
    found = {p.relative_to(target).as_posix(): p.read_bytes() for p in target.rglob("*") if p.is_file()}
    assert found == {name: data.removeprefix(b"\xef\xbb\xbf") for name, data in files.items()}


def test_files_come_out_as_helm_writes_them(tmp_path: Path) -> None:
    """Without the top folder, 0644 whatever the archive says, without a byte order mark, `\\` as `/`."""
    script = tarfile.TarInfo("./web/run.sh")
    script.mode, script.size = 0o777, 2
    buffer = io.BytesIO(b"hi")
    archive = packed([(script, buffer.getvalue()), ("web\\templates\\a.yaml", b"\xef\xbb\xbfa: 1\n")])
    unpack(archive, tmp_path, "web.tgz")
    assert (tmp_path / "run.sh").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "templates" / "a.yaml").read_bytes() == b"a: 1\n"
