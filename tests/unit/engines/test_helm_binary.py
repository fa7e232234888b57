"""The helm program as an engine; a program that plays Helm's recorded answers stands for it.

tests/peers/test_helm_binary.py asks the real one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mop.engines.helm_binary import HelmBinary, _as_yaml
from mop.engines.helm_output import objects, split_stream
from mop.errors import ChartError, ToolError
from tests.unit.engines.helm_cases import CASES, CHART, GOLDEN, request


class Program:
    """A helm that answers what it was told to, and remembers how it was asked."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "helm"
        self._asked = folder / "asked.json"

    def answers(self, out: str = "", error: str = "", code: int = 0, then: str = "") -> HelmBinary:
        self.path.write_text(
            f"#!{sys.executable}\n"
            "import json, os, sys\n"
            "asked = {'arguments': sys.argv[1:], 'environment': dict(os.environ), 'input': sys.stdin.read(),"
            " 'home': os.listdir(os.environ['HOME'])}\n"
            f"open({str(self._asked)!r}, 'w').write(json.dumps(asked))\n"
            f"sys.stdout.write({out!r}); sys.stderr.write({error!r})\n{then}\nsys.exit({code})\n",
            encoding="utf-8",
        )
        self.path.chmod(0o755)
        return HelmBinary(self.path, timeout=30)

    @property
    def asked(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._asked.read_text())
        return found


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_what_helm_prints_becomes_objects(program: Program, name: str) -> None:
    golden = (GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")
    assert program.answers(golden).template(CASES[name]) == objects(split_stream(golden))


def test_a_chart_without_objects_gives_none(program: Program) -> None:
    assert program.answers("\n").template(request()) == ()


def test_everything_of_the_request_reaches_helm(program: Program) -> None:
    asked = request(
        {"a": 1}, api_versions=("a/v1", "b/v1"), include_crds=True, skip_tests=True, no_hooks=True
    )
    program.answers().template(asked)
    assert program.asked["arguments"] == [
        "template", "--values=-", "--namespace=telemetry", "--kube-version=v1.34.0", "--api-versions=a/v1",
        "--api-versions=b/v1", "--include-crds", "--skip-tests", "--no-hooks", "--", "demo", str(CHART),
    ]  # fmt: skip
    assert json.loads(program.asked["input"]) == {"a": 1}
    program.answers().template(request(include_crds=False))
    assert not [flag for flag in program.asked["arguments"] if "crds" in flag or "hooks" in flag]


def test_nothing_of_the_callers_environment_reaches_helm(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBECONFIG", "HELM_NAMESPACE", "HELM_PLUGINS", "HELM_REPOSITORY_CONFIG", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "/of/the/user")
    program.answers().template(request())
    seen = program.asked["environment"]
    assert "/of/the/user" not in seen.values()
    home = Path(seen["HOME"])
    assert program.asked["home"] == [], "its home is empty"
    assert not home.exists(), "and gone afterwards"
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "KUBECONFIG"):
        assert Path(seen[name]).parent == home


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_values_are_yaml_that_means_the_same_as_json(value: Any) -> None:
    text = _as_yaml(request({"value": value}))
    assert yaml.load(text, yaml.CSafeLoader) == json.loads(text) == {"value": value}


def test_an_error_of_helm_is_the_charts(program: Program) -> None:
    warning = 'level=WARN msg="this chart is deprecated"\n'
    error = "Error: execution error at (relay/templates/a.yaml:2:6): no\n"
    helm = program.answers(error=warning + error, code=1)
    with pytest.raises(ChartError) as caught:
        helm.template(request())
    assert caught.value.message == "chart relay, template relay/templates/a.yaml line 2: no"


def test_the_version_is_helms_own_word(program: Program) -> None:
    assert program.answers("v4.2.3\n").version == "v4.2.3"
    assert program.asked["arguments"] == ["version", "--template", "{{.Version}}"]


@pytest.mark.parametrize("answer", [{"out": "hello"}, {"error": "no such command", "code": 1}, {}])
def test_a_program_that_is_no_helm_is_told(program: Program, answer: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="MOP_HELM") as caught:
        _ = program.answers(**answer).version
    assert "helm version" in caught.value.message
    assert "MOP_HELM" in caught.value.hint


def test_a_program_that_is_not_there_or_not_to_be_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="No such file"):
        HelmBinary(tmp_path / "nothing").template(request())
    (tmp_path / "text").write_text("no program")
    with pytest.raises(ToolError, match="Permission denied"):
        HelmBinary(tmp_path / "text").template(request())


def test_a_program_that_hangs_is_ended(program: Program) -> None:
    program.answers(then="import time; time.sleep(600)")
    with pytest.raises(ToolError, match="did not end within"):
        HelmBinary(program.path, timeout=0.5).template(request())
