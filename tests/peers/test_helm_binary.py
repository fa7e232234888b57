"""The `helm` program against the library in this process and against the golden files. MOP_HELM names the program.

With MOP_GOLDEN=write the golden files are written anew, from what the program prints and nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mop.engines.helm_binary import HelmBinary, _arguments, _as_yaml
from mop.engines.helm_cache import CachedCharts
from mop.engines.helm_sdk import HelmSdk
from mop.errors import ChartError
from mop.files import Digests
from tests.unit.engines.helm_cases import CASES, CHART, GOLDEN, request

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def program() -> Path:
    """The helm program, of the version that the library is."""
    found = os.environ.get("MOP_HELM") or shutil.which("helm")
    if not found:
        pytest.skip("no helm program: MOP_HELM names none, and none is on the PATH")
    version = HelmBinary(Path(found)).version
    if version != HelmSdk().version.partition("+")[0]:
        pytest.skip(f"the helm program is {version}; compared is with {HelmSdk().version}")
    return Path(found)


@pytest.mark.parametrize("name", CASES)
def test_the_golden_files_are_what_helm_prints(program: Path, name: str) -> None:
    golden = GOLDEN / f"{name}.yaml"
    done = subprocess.run(
        [program, *_arguments(CASES[name])],
        input=_as_yaml(CASES[name]), capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    if os.environ.get("MOP_GOLDEN") == "write":
        golden.write_text(done.stdout, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == done.stdout


@pytest.mark.parametrize("name", CASES)
def test_both_engines_give_equal_objects_in_one_order(program: Path, name: str) -> None:
    assert HelmBinary(program).template(CASES[name]) == HelmSdk().template(CASES[name])


def test_names_and_traps_are_asked_of_the_program_too(program: Path, tmp_path: Path) -> None:
    charts = CachedCharts(
        lambda: HelmBinary(program),
        Digests(CHART),
        unstable_folder=tmp_path / "u",
        shared_folder=tmp_path / "s",
    )
    render = charts.render(request({"secret": True}), "{{ .kind | lower }}.{{ .metadata.name }}")
    assert "secret.demo" in json.loads(render.text)
    assert render.random == ("relay: relay/templates/secret.yaml: randAlphaNum (Secret/demo data.password)",)
    with pytest.raises(ChartError, match="calls `tpl` on itself"):
        charts.render(request({"greeting": "{{ tpl .Values.greeting . }}"}), None)
