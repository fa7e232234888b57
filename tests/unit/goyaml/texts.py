# ruff: noqa: SIM905
"""Strategies for texts, numbers and structures that YAML libraries disagree about."""

from __future__ import annotations

from hypothesis import strategies as st

#: What somebody, somewhere, takes for something else than a text.
TRAPS = [
    *"y Y n N yes Yes YES no No NO on On ON off Off OFF true True TRUE false False FALSE null Null NULL ~".split(),
    *"= << - ? : , .nan .NaN .inf -.inf +.inf .Inf NaN Inf 1e3 1E3 1e+3 1e400 12e4567 0777 0o17 0O17 -0o7".split(),
    *"0b101 0B1 -0b1 0x1F 0X1f -0x1f 0b-1 0o+7 08 09 0_8 1_000 1__0 _1 1_ +1 -1 +0 -0 -0.0 .5 .5e3 5. 5.e2".split(),
    *"1.5 1.5E-3 +.5 -.5 ._5 12:30:45 190:20:30 1:2 0.1 18446744073709551615 18446744073709551616".split(),
    *"9223372036854775807 -9223372036854775808 -9223372036854775809 2001-01-01 2001-1-2 2001-02-30 1-1-1".split(),
    *"2001-12-14t21:59:43.10-05:00 2001-12-14T21:59:43Z 2001-12-14T1:2:3+24:00 2001-12-14T21:59:43,5Z".split(),
    *"2001-12-14T21:59:43.1234567891Z 0000-01-01 2001-12-14T21:59:60Z 2001-01-01T 2001-12-14T1:2:3+00:60".split(),
    *"--- ... ---a ...a %YAML !tag !!str !!int &a *a | > |- >+ # #a a# a#b @a `a {} [] {a [a }a ]a".split(),
    *"'a a' \"a a\" a, a: a:b :a -a ?a ?b 5m 100m 1Gi 1E 1Ei 1M 10k 0.5m 1h30m0s 1m0s 1e 0x 0xg 0b2 0o8".split(),
    *"1.2.3 1.2.3.4 v1.2 10.0.0.0/8 1/2 1-2 1+2 a\\b a'b a\"b \u00e9 \u65e5\u672c \U0001f642 a\U0001f642".split(),
    *[
        "",
        " ",
        "a b",
        " a",
        "a ",
        "a: b",
        "a :b",
        "a #b",
        "- a",
        "? a",
        "-- a",
        "1 000",
        "2001-12-14 21:59:43",
    ],
    *[
        "2001-12-14  1:2:3.5",
        "2001-12-14 21:59:43.10 -5",
        "a\tb",
        "\ta",
        "a\t",
        "\r",
        "a\rb",
        "a\r\nb",
        "\x7f",
        "\x00",
    ],
    *[
        "\u2028",
        "a\u2028b",
        "a\u0085b",
        "\ufeffa",
        "a\ufeff",
        "\u00a0",
        "\u200b",
        "\uffff",
        "\ufffe",
        "\U0001fffe",
    ],
    *["a\x00b", "\x1b[0m"],
]

#: Pieces of YAML; put together at random they are mostly wrong.
SCRAPS = [
    *[
        "a",
        "b: ",
        "- ",
        "&x ",
        "*x",
        "<<: ",
        "? ",
        ": ",
        "\n",
        "\n  ",
        "\n    ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "'",
        '"',
    ],
    *[
        "|\n",
        "|2-\n",
        ">-\n",
        "#",
        "---\n",
        "...\n",
        "!!str ",
        "!x ",
        "1",
        "null",
        "\t",
        " ",
        "%YAML 1.1\n",
        "\u00e9",
    ],
    *["\\", "\r", "\u2028", "@", "%"],
]

_CHARACTERS = st.characters(exclude_categories=["Cs", "Cn"])
_LINES = st.lists(
    st.sampled_from(
        [
            "",
            " ",
            "  ",
            "\t",
            "a",
            " a",
            "  a",
            "\ta",
            "a ",
            "a: b",
            "- a",
            "# a",
            "---",
            "...",
            "{{ x }}",
            "é",
            "🙂",
            "\u2028",
        ]
    ),
    max_size=6,
).map("\n".join)
texts = st.one_of(
    st.sampled_from(TRAPS),
    st.text(alphabet="0123456789+-._:eExXobBOinfaNT ZtyYnNsro~<=", max_size=12),
    st.text(alphabet="ab:#-?,[]{}&*!|>'\"%@` \t\n\\", max_size=12),
    _LINES,
    st.tuples(_LINES, st.sampled_from(["", "\n", "\n\n", "\n\n\n"])).map("".join),
    st.text(alphabet=_CHARACTERS, max_size=20),
    st.text(alphabet="ab :", min_size=100, max_size=1200),
)
numbers = st.one_of(
    st.integers(min_value=-(1 << 63), max_value=(1 << 64) - 1),
    st.integers(min_value=-20, max_value=2000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [0.1, -0.0, 1e-7, 1e21, 1e22, 1e100, 5e-324, 1.7976931348623157e308, 1000000, 1e6, 123456.7, 1e-5]
    ),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
