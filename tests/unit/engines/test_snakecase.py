from __future__ import annotations

import json
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.engines.snakecase import snake_case
from tests.unit.engines.go_programs import built


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("ConfigMap_loki", "config_map_loki"),
        ("Deployment_loki-v2", "deployment_loki_v2"),
        ("Deployment_loki-2xx", "deployment_loki_2xx"),
        ("CustomResourceDefinition_alertmanagers.monitoring.coreos.com",
         "custom_resource_definition_alertmanagers.monitoring.coreos.com"),
        ("APIService_v1beta1.metrics", "api_service_v_1beta1.metrics"),
        ("HTTPServer", "http_server"),
        ("NoHTTPS", "no_https"),
        ("GO_PATH", "go_path"),
        ("GO PATH", "go_path"),
        ("http2xx", "http_2xx"),
        ("HTTP20xOK", "http_20x_ok"),
        ("Duration2m3s", "duration_2m3s"),
        ("Bld4Floor3rd", "bld4_floor_3rd"),
    ],
)  # fmt: skip
def test_names_become_snake_case_as_sprig_has_it(text: str, expected: str) -> None:
    assert snake_case(text) == expected


@pytest.fixture(scope="module")
def judge() -> Path:
    """ToSnakeCase itself."""
    return built("snakecase")


#: Letters of every class that the rules tell apart, and any text that this Python's Unicode tables know.
_TELLING = st.text(alphabet="abzABZ019 -_./:+$é中㐀Éσß٣Ⅷ²\ufffdİ\u00a0ǅž¡", max_size=14)
_ANY = st.text(
    alphabet=st.characters(
        blacklist_categories=("Cs", "Cn", "Co"), max_codepoint=0x1FFFF
    ).filter(lambda c: unicodedata.ucd_3_2_0.category(c) == unicodedata.category(c)),
    max_size=14,
)  # fmt: skip


@given(st.lists(_TELLING | _ANY, min_size=1, max_size=50))
def test_every_text_becomes_what_go_makes_of_it(judge: Path, texts: list[str]) -> None:
    asked = "".join(json.dumps(text) + "\n" for text in texts)
    answered = subprocess.run([judge], input=asked, capture_output=True, text=True, check=True).stdout
    assert [snake_case(text) for text in texts] == [json.loads(line) for line in answered.splitlines()]
