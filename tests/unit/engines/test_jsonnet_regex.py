"""Go's regular expressions, held to Go's own."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mop.engines import jsonnet_regex
from tests.unit.goyaml.conftest import go  # noqa: F401 - a fixture
from tests.unit.goyaml.judge import Judge, Refused

PATTERNS = st.one_of(
    st.sampled_from(
        ["", "a", "^a", "a$", "^", "$", r"\b", "a*", "a*?", "(a)|b", "(?i)A", "(?m)^a", "(?s)a.b", "."]
    ),
    st.sampled_from(
        [r"\d+", "[[:alpha:]]", r"\p{Greek}", "(?P<name>a+)(b)?", "(?<x>.)(?P<y>.)", "(a)(b)(c)", "é"]
    ),
    st.sampled_from(["(?:)", r"\z", r"\Aa", "x{2,3}", "a|", r"[^\x00-\x7F]", r"\pN", r"\Q.*\E"]),
    st.sampled_from(["(", "a**", r"\1", "(?=a)", "(?<!a)", "[", "a{1001}", r"\Z", "(?P<n>a)(?P<n>b)"]),
    st.text(alphabet="ab.*+?|()[]^$\\d", max_size=8),
)
SUBJECTS = st.text(alphabet="abcxé1 \nΩ🙂.*", max_size=12)
TEMPLATES = st.one_of(
    st.sampled_from(
        ["", "x", "$0", "$1", "$2x", "${1}x", "$name", "${name}", "$$", "$", "$$1", "${", "${}", "${1"]
    ),
    st.sampled_from(["$10", "$01", "$ 1", "$1_", "$é", "<$x$y>", "a$"]),
    st.text(alphabet="$0123{}nameé_ x", max_size=8),
)
MANY = settings(max_examples=1500, deadline=None)


@MANY
@given(PATTERNS, SUBJECTS)
def test_matching(go: Judge, pattern: str, subject: str) -> None:  # noqa: F811
    try:
        expected = json.loads(go.ask("match", pattern, subject))
    except Refused:
        with pytest.raises(jsonnet_regex.BadPattern, match="error parsing regexp"):
            jsonnet_regex.matches(pattern, subject)
    else:
        assert jsonnet_regex.matches(pattern, subject) is expected


@MANY
@given(PATTERNS, SUBJECTS, TEMPLATES)
@example("a*", "baaac", "-")
@example("$", "é", "x")
def test_replacing(go: Judge, pattern: str, subject: str, template: str) -> None:  # noqa: F811
    try:
        expected = go.ask("substitute", pattern, subject, template)
    except Refused:
        with pytest.raises(jsonnet_regex.BadPattern):
            jsonnet_regex.substitute(pattern, subject, template)
    else:
        assert jsonnet_regex.substitute(pattern, subject, template) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_quoting(go: Judge, text: str) -> None:  # noqa: F811
    assert jsonnet_regex.quote(text) == go.ask("quote", text)
    assert jsonnet_regex.matches(f"^{jsonnet_regex.quote(text)}$", text)


def test_patterns_that_re2_would_find_too_big() -> None:
    assert jsonnet_regex.matches(r"((\pL{1,100}){1,9})", "word")
