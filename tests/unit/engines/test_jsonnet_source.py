"""What is put into a Jsonnet file, and that nobody sees it: not the program, not its errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.engines.jsonnet_source import MARK, PREFIX, Edit, prepare, undo


def marked(code: str) -> str:
    """`code` as the engine gets it, marks shown as `^`."""
    return prepare(code.encode())[0].replace(MARK, b"^").decode()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("importstr 'a.txt'", "importstr 'a.txt^'"),
        ('importbin "a.txt"', 'importbin "a.txt^"'),
        ("importstr @'a'", "importstr @'a^'"),
        ('importstr @"a"', 'importstr @"a^"'),
        ("importstr // why\n  'a'", "importstr // why\n  'a^'"),
        ("importstr /* a */ /* b */ 'a'", "importstr /* a */ /* b */ 'a^'"),
        ("importstr'a'", "importstr'a^'"),
        (r"importstr 'it\'s'", r"importstr 'it\'s^'"),
        ("[importstr 'a', import 'b', importstr 'c']", "[importstr 'a^', import 'b', importstr 'c^']"),
        ("import 'importstr'", "import 'importstr'"),
        ("\"importstr 'a'\"", "\"importstr 'a'\""),
        ("@'importstr ''a'''", "@'importstr ''a'''"),
        ("// importstr 'a'\n1", "// importstr 'a'\n1"),
        ("# importstr 'a'\n1", "# importstr 'a'\n1"),
        ("/* importstr 'a' */ 1", "/* importstr 'a' */ 1"),
        (
            "|||\n  importstr 'a'\n\n  it's\n||| + importstr 'b'",
            "|||\n  importstr 'a'\n\n  it's\n||| + importstr 'b^'",
        ),
        ("|||-\n\timportstr 'a'\n|||", "|||-\n\timportstr 'a'\n|||"),
        ("{ importstring: 'a', reimportstr: 'b' }", "{ importstring: 'a', reimportstr: 'b' }"),
        ("importstr 'unfinished", "importstr 'unfinished"),
    ],
)
def test_the_path_of_importstr_and_importbin_is_marked_and_nothing_else(code: str, expected: str) -> None:
    assert marked(code) == expected


def test_a_file_that_mentions_natives_gets_a_std_of_its_own() -> None:
    data, edits = prepare(b"std.native('x')")
    assert data == PREFIX + b"std.native('x')"
    assert edits == (Edit(1, 1, len(PREFIX)),)


def test_any_other_file_stays_as_it_is() -> None:
    assert prepare(b"{ a: import 'x' }") == (b"{ a: import 'x' }", ())


FILE = "/p/a.jsonnet"


def shown(place: str, code: str) -> str:
    """`place` in the prepared `code`, as it is told to the user."""
    return undo(f"/p/a.jsonnet:{place}\tfunction", {FILE: prepare(code.encode())[1]}).removesuffix(
        "\tfunction"
    )


def test_positions_are_given_back() -> None:
    code = "[importstr 'a', std.native('b'),\n importstr 'c', 4]"
    moved = len(PREFIX)
    assert shown(f"1:{moved + 1}", code) == f"{FILE}:1:1"
    assert shown(f"1:{moved + 2}-{moved + 16}", code) == f"{FILE}:1:2-15"
    assert shown(f"1:{moved + 18}-{moved + 33}", code) == f"{FILE}:1:17-32"
    assert shown("2:18-19", code) == f"{FILE}:2:17-18"
    assert shown(f"(1:{moved + 1})-(2:20)", code) == f"{FILE}:(1:1)-(2:19)"
    assert shown("3:5", code) == f"{FILE}:3:5"


def test_columns_are_counted_in_bytes_as_the_engine_does() -> None:
    code = "'äöü' + importstr 'a' + x"
    column = len(code.encode())
    assert shown(f"1:{column + 1}", code) == f"{FILE}:1:{column}"


def test_other_files_and_what_looks_like_a_place_stay() -> None:
    edits = {FILE: prepare(b"std.native('x')")[1]}
    assert undo("/p/b.jsonnet:1:99\tx http://host:1:2", edits) == "/p/b.jsonnet:1:99\tx http://host:1:2"


@given(st.lists(st.sampled_from(["importstr 'a'", "native", "\n", "x", "'", "|||\n", "é", " "])).map("".join))
def test_every_place_of_a_file_is_found_again(code: str) -> None:
    data, edits = prepare(code.encode())
    written = code.split("\n")
    for number, line in enumerate(data.decode().split("\n"), 1):
        bare = line.replace(PREFIX.decode(), "", 1).replace(MARK.decode(), "")
        assert bare == written[number - 1]
        put_before = len(PREFIX) if number == 1 and data.startswith(PREFIX) else 0
        engine, user = line.encode(), written[number - 1].encode()
        for column in range(put_before + 1, len(engine) + 1):
            if engine[column - 1 : column] != MARK:
                place = undo(f"{FILE}:{number}:{column}", {FILE: edits}).rpartition(":")[2]
                assert user[int(place) - 1] == engine[column - 1]
