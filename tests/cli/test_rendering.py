"""render, show and validate, as their users run them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.cli.conftest import MOP_YAML, WEB, Mop, write


def test_the_second_render_does_nothing_and_says_so(platform: Path, mop: Mop) -> None:
    first = mop(platform, "render")
    assert first.code == 0, first.err
    files = sorted(p.name for p in (platform / ".mop/rendered/dev/web").iterdir())
    assert files == ["apps-v1.Deployment-web.yaml", "v1.Secret-web.yaml"]
    assert "2 objects" in first.err
    second = mop(platform, "render")
    assert second.code == 0
    assert "nothing to do: 2 tasks are up to date" in second.err


def test_secrets_are_private_on_disk_and_masked_on_the_screen(platform: Path, mop: Mop) -> None:
    shown = mop(platform, "show")
    assert shown.code == 0, shown.err
    assert "correct-horse" not in shown.out + shown.err
    assert 'password: "<sha:' in shown.out
    assert "correct-horse" in mop(platform, "show", "--show-secrets").out
    modes = {
        path.relative_to(platform).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (platform / ".mop").rglob("*")
        if path.is_file() and b"correct-horse" in path.read_bytes()
    }
    assert modes, "the manifests hold it"
    assert set(modes.values()) == {0o600}, modes
    assert stat.S_IMODE((platform / ".mop").stat().st_mode) == 0o700


def test_show_gives_json_in_apply_order(platform: Path, mop: Mop) -> None:
    shown = mop(platform, "show", "--json")
    objects = json.loads(shown.out)
    assert [(o["kind"], o["metadata"]["namespace"]) for o in objects] == [
        ("Secret", "shop"),
        ("Deployment", "shop"),
    ]


def test_commands_work_from_any_folder_below(platform: Path, mop: Mop) -> None:
    assert mop(platform / "environments" / "dev", "render").code == 0
    assert (platform / ".mop/rendered/dev/web/v1.Secret-web.yaml").is_file()


def test_validate_names_object_path_and_nearest_field(platform: Path, mop: Mop) -> None:
    write(platform, {"lib/web.libsonnet": WEB.replace("replicas:", "replcias:")})
    result = mop(platform, "validate")
    assert result.code == 1
    for part in (
        "Deployment/shop/web",
        "replcias",
        "replicas",
        ".mop/rendered/dev/web/apps-v1.Deployment-web.yaml",
    ):
        assert part in result.out
    again = mop(platform, "validate")
    assert (again.code, again.out) == (1, result.out), "what was found is found again"
    assert mop(platform, "validate", "--skip", "schema").code == 0


def test_findings_for_programs(platform: Path, mop: Mop) -> None:
    write(platform, {"lib/web.libsonnet": WEB.replace("replicas:", "replcias:")})
    result = mop(platform, "validate", "--json", "--sarif", "found.sarif", "--junit", "found.xml")
    assert result.code == 1
    assert json.loads(result.out)["problems"][0]["check"] == "schema"
    sarif = json.loads((platform / "found.sarif").read_text())
    assert sarif["runs"][0]["results"][0]["ruleId"] == "schema"
    assert 'failures="1"' in (platform / "found.xml").read_text()


def test_one_component_at_a_time(platform: Path, mop: Mop) -> None:
    write(
        platform,
        {
            "mop.yaml": MOP_YAML.replace("  web: {}", "  web: {}\n  api: {}").replace("[web]", "[web, api]"),
            "environments/dev/main.jsonnet": "{ web: (import 'web.libsonnet'), api: error 'api is not ready yet' }",
        },
    )
    assert mop(platform, "render", "--component", "web").code == 0
    assert sorted(p.name for p in (platform / ".mop/rendered/dev").iterdir()) == ["web"]
    both = mop(platform, "render")
    assert both.code == 1
    assert "api is not ready yet" in both.err


def test_what_mop_yaml_no_longer_declares_goes(platform: Path, mop: Mop) -> None:
    mop(platform, "render")
    renamed = MOP_YAML.replace("dev:", "prod:")
    write(
        platform,
        {"mop.yaml": renamed, "environments/prod/main.jsonnet": "{ web: (import 'web.libsonnet') }"},
    )
    assert mop(platform, "render").code == 0
    assert [p.name for p in (platform / ".mop/rendered").iterdir()] == ["prod"]
