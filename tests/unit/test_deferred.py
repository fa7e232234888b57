"""A run imports none of what it does not use, and whoever uses it gets the real thing."""

from __future__ import annotations

import subprocess
import sys


def said(code: str) -> str:
    """What a fresh interpreter prints for `code`, once imports are deferred."""
    code = f"from mop import deferred; deferred.install()\n{code}"
    return subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_invoke_comes_without_asyncio_tls_and_its_yaml() -> None:
    assert said("import invoke, sys; print({'asyncio', 'ssl', 'unittest'} & sys.modules.keys())") == "set()"


def test_unittest_is_whole_for_those_who_import_it_later() -> None:
    assert said("import invoke, unittest.mock as m; print(m.patch.__name__, m.Mock.__name__)") == "patch Mock"


def test_contexts_for_tests_still_mock() -> None:
    code = "import invoke; c = invoke.MockContext(run=invoke.Result('out')); print(c.run('x').stdout, c.run.called)"
    assert said(code) == "out True"


def test_the_debugger_is_there_when_asked_for() -> None:
    assert said("import pdb; print(pdb.Pdb.__name__)") == "Pdb"
