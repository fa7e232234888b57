"""`diff --save`, `diff --html` and `apply --plan` against a real API server."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mop.engines.protocols import Cluster
from mop.manifest import ObjectRef
from tests.cli.conftest import WEB, Mop, mop, platform, write
from tests.cluster.test_program import deployed

__all__ = ["deployed", "mop", "platform"]  # fixtures

KEY = {"MOP_PLAN_KEY": "three words long"}


def replicas(cluster: Cluster, namespace: str) -> int | None:
    live = cluster.get(ObjectRef("apps/v1", "Deployment", namespace, "web"))
    return live["spec"]["replicas"] if live else None


@pytest.mark.parametrize("environ", [{}, KEY], ids=["rendered anew", "encrypted"])
def test_a_plan_is_carried_out_as_it_was_saved(
    environ: dict[str, str], deployed: Path, mop: Mop, cluster: Cluster, namespace: str
) -> None:
    assert mop(deployed, "diff", "--save", "plan.json", environ=environ).code == 0
    text = (deployed / "plan.json").read_text()
    assert "correct-horse" not in text
    assert "Y29ycmVjdC1ob3JzZQ" not in text
    assert stat.S_IMODE((deployed / "plan.json").stat().st_mode) == 0o600
    write(deployed, {"lib/web.libsonnet": WEB.replace("replicas: 2", "replicas: 5")})

    done = mop(deployed, "apply", "--plan", "plan.json", "--no-wait", environ=environ)

    assert done.code == 0, done.err
    assert replicas(cluster, namespace) == 2, "what was saved, and not what is rendered now"
    secret = cluster.get(ObjectRef("v1", "Secret", namespace, "web"))
    assert secret is not None
    assert secret["data"] == {"password": "Y29ycmVjdC1ob3JzZQ=="}


def test_a_plan_is_refused_where_the_live_side_moved_and_names_what(
    deployed: Path, mop: Mop, cluster: Cluster, namespace: str
) -> None:
    assert mop(deployed, "apply", "--yes", "--no-wait").code == 0
    write(deployed, {"lib/web.libsonnet": WEB.replace("replicas: 2", "replicas: 3")})
    assert mop(deployed, "diff", "--save", "plan.json").code == 0
    cluster.delete(ObjectRef("v1", "Secret", namespace, "web"))
    refused = mop(deployed, "apply", "--plan", "plan.json")
    assert refused.code == 1
    assert f"Secret/{namespace}/web: was unchanged, and is to be added now" in refused.err
    assert "Deployment" not in refused.err
    assert replicas(cluster, namespace) == 2


def test_a_plan_is_refused_where_its_secrets_are_others_now(deployed: Path, mop: Mop) -> None:
    assert mop(deployed, "diff", "--save", "plan.json").code == 0
    write(deployed, {"lib/web.libsonnet": WEB.replace("correct-horse", "battery-staple")})
    refused = mop(deployed, "apply", "--plan", "plan.json")
    assert refused.code == 1
    assert "secret values differ" in refused.err
    assert "battery-staple" not in refused.err


def test_another_key_opens_no_plan(deployed: Path, mop: Mop) -> None:
    assert mop(deployed, "diff", "--save", "plan.json", environ=KEY).code == 0
    refused = mop(deployed, "apply", "--plan", "plan.json", environ={"MOP_PLAN_KEY": "something else"})
    assert refused.code == 1
    assert "another MOP_PLAN_KEY" in refused.err


def test_what_is_no_plan_is_said(deployed: Path, mop: Mop) -> None:
    refused = mop(deployed, "apply", "--plan", "mop.yaml")
    assert refused.code == 1
    assert "expected a plan" in refused.err
    assert "cannot be read" in mop(deployed, "apply", "--plan", "nowhere").err


def test_the_diff_as_a_page_shows_fingerprints_alone(deployed: Path, mop: Mop) -> None:
    assert mop(deployed, "diff", "--html", "diff.html").code == 0
    page = (deployed / "diff.html").read_text()
    assert '<span class="green">' in page
    assert "&lt;sha:" in page
    assert "correct-horse" not in page
