"""mop.yaml → Platform: what a valid file means, and what happens when it is read again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mop import config
from mop.errors import ConfigError
from mop.model import Argument, Check, Platform, Ready, Rollout, Target

#: The shape that the reference shows, with everything in it.
FULL = """\
version: 1
platform: observability
kubernetes: "1.34"

repositories:
  grafana:   {url: https://grafana.github.io/helm-charts}
  community: {url: https://grafana-community.github.io/helm-charts}
  internal:  {url: oci://registry.example.com/charts, credentials: env:REGISTRY}

charts:
  loki:    {chart: community/loki, version: 18.11.0}
  mimir:   {chart: grafana/mimir-distributed, version: 5.7.0}
  tempo:   {chart: community/tempo-distributed, version: 2.26.2}
  grafana: {chart: community/grafana, version: 12.11.1}

libraries:
  k8s: github.com/jsonnet-libs/k8s-libsonnet/1.34@main

components:
  loki:    {charts: [loki], ready: {timeout: 15m, grace: 90s}}
  mimir:   {charts: [mimir], libraries: [k8s]}
  tempo:   {charts: [tempo], needs: [mimir]}
  grafana: {charts: [grafana], needs: [loki, mimir, tempo]}
  logs: {}
  metrics: {}
  traces: {needs: [metrics]}
  dashboards: {needs: [logs, metrics, traces]}

environments:
  local:
    target: embedded
    components: [dashboards, logs, metrics, traces]
  staging:
    namespace: monitoring
    target: {context: staging-eu-1}
    components: [grafana, tempo, loki, mimir]
    order: component-by-component
    tla: {cluster: eu, sizes: {code: "{ ingesters: 3 }"}}
    ext: {region: eu-central-1}
  production:
    namespace: monitoring
    target: {kubeconfig: secrets/kubeconfig, context: prod-eu-1}
    components: [loki, mimir, tempo, grafana]
    kubernetes: "1.33"
    protected: true
    after: staging
    order: component-by-component
    path: environments/eu/production
    rollout:
      loki: {canary: {pods: 2, hold: 1h30m, checks: [{http: "pods:3100/ready"}]}}
      mimir: canary
      tempo: rolling
      grafana: {blue-green: {checks: [{promql: up, service: service/mimir:8080/prometheus, tenant: a}]}}
    validate: {secrets: external, images: pinned}
"""

SMALL = 'version: 1\nplatform: shop\nkubernetes: "1.34"\ncomponents: {logs: {}}\n'


def load(root: Path, text: str) -> Platform:
    (root / "mop.yaml").write_text(text)
    return config.load(root / "mop.yaml")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# ---------------------------------------------------------------- finding it


def test_mop_yaml_is_found_from_any_folder_below_it(tmp_path: Path) -> None:
    write(tmp_path / "mop.yaml", SMALL)
    below = tmp_path / "environments" / "local"
    below.mkdir(parents=True)

    assert config.find(below) == tmp_path / "mop.yaml"
    assert config.find(tmp_path) == tmp_path / "mop.yaml"


def test_the_nearest_mop_yaml_is_the_one(tmp_path: Path) -> None:
    write(tmp_path / "mop.yaml", SMALL)
    write(tmp_path / "inner" / "mop.yaml", SMALL)

    assert config.find(tmp_path / "inner") == tmp_path / "inner" / "mop.yaml"


def test_without_a_mop_yaml_the_way_to_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected mop\.yaml in .* or a folder above it") as raised:
        config.find(tmp_path)

    assert "mop init" in raised.value.hint


def test_mop_yml_is_nearly_right(tmp_path: Path) -> None:
    write(tmp_path / "mop.yml", SMALL)

    with pytest.raises(ConfigError, match=r"found mop\.yml"):
        config.find(tmp_path)


def test_a_folder_called_mop_yaml_is_no_platform(tmp_path: Path) -> None:
    (tmp_path / "mop.yaml").mkdir()

    with pytest.raises(ConfigError, match=r"expected mop\.yaml"):
        config.find(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path / "mop.yaml")


# ---------------------------------------------------------------- what it means


def test_everything_that_the_reference_shows_is_read(tmp_path: Path) -> None:
    platform = load(tmp_path, FULL)

    assert platform.root == tmp_path
    assert platform.name == "observability"
    assert platform.repositories["internal"].url == "oci://registry.example.com/charts"
    assert platform.repositories["internal"].credentials == "REGISTRY"
    assert platform.repositories["grafana"].credentials == ""
    assert (platform.charts["mimir"].chart, platform.charts["mimir"].version) == (
        "grafana/mimir-distributed",
        "5.7.0",
    )
    assert platform.libraries["k8s"].source == "github.com/jsonnet-libs/k8s-libsonnet/1.34@main"
    assert platform.components["loki"].ready == Ready(timeout=900, grace=90)
    assert platform.components["mimir"].ready == Ready(timeout=600, grace=180)
    assert platform.components["mimir"].libraries == ("k8s",)
    assert platform.components["grafana"].needs == ("loki", "mimir", "tempo")


def test_what_an_environment_leaves_out_has_a_default(tmp_path: Path) -> None:
    local = load(tmp_path, FULL).environments["local"]

    assert local.namespace == "observability"
    assert local.kubernetes == "1.34"
    assert local.kube_version == "v1.34.0"
    assert local.path == "environments/local"
    assert local.order == "all-at-once"
    assert (local.protected, local.after, local.whole, local.tanka) == (False, "", False, None)
    assert (local.rollout, local.tla, local.ext) == ({}, {}, {})
    # Of secrets and images nothing is said: the checks have stricter defaults where it is protected.
    assert local.validate == {"unknown-kinds": "error"}


def test_what_an_environment_says_stands(tmp_path: Path) -> None:
    production = load(tmp_path, FULL).environments["production"]

    assert production.namespace == "monitoring"
    assert production.kube_version == "v1.33.0"
    assert production.path == "environments/eu/production"
    assert production.order == "component-by-component"
    assert (production.protected, production.after) == (True, "staging")
    assert production.validate == {"secrets": "external", "images": "pinned", "unknown-kinds": "error"}


def test_validation_as_an_environment_wants_it(tmp_path: Path) -> None:
    said = {
        "images": "digest",
        "checks": {"probes": "error", "availability": "off", "unknown-kinds": "warning"},
        "external": [
            "kafka.kafka:9092",
            "*.kube-system",
            "Secret/monitoring/grafana-*",
            "ClusterRole/system:node",
        ],
    }
    text = FULL.replace("{secrets: external, images: pinned}", json.dumps(said))
    assert load(tmp_path, text).environments["production"].validate == {**said, "unknown-kinds": "error"}


def test_rollouts_by_component(tmp_path: Path) -> None:
    rollout = load(tmp_path, FULL).environments["production"].rollout

    query = Check(promql="up", service="service/mimir:8080/prometheus", tenant="a")
    assert rollout == {
        "loki": Rollout("canary", pods=2, hold=5400, checks=(Check(http="pods:3100/ready"),)),
        "mimir": Rollout("canary", pods=1, hold=300),
        "grafana": Rollout("blue-green", keep=900, checks=(query,)),
    }


@pytest.mark.parametrize(
    ("rollout", "expected"),
    [
        ("rolling", {}),
        ("{}", {}),
        ("canary", {"logs": Rollout("canary"), "metrics": Rollout("canary")}),
        (
            "{canary: {hold: 90s}}",
            {"logs": Rollout("canary", hold=90), "metrics": Rollout("canary", hold=90)},
        ),
        ("{metrics: {blue-green: {keep: 0s}}}", {"metrics": Rollout("blue-green", keep=0)}),
    ],
)
def test_a_rollout_for_all_or_for_one(tmp_path: Path, rollout: str, expected: object) -> None:
    text = f"""{SMALL.replace("{logs: {}}", "{logs: {}, metrics: {}}")}environments:
  local: {{target: embedded, rollout: {rollout}}}
"""

    assert load(tmp_path, text).environments["local"].rollout == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("embedded", Target("embedded")),
        ("in-cluster", Target("in-cluster")),
        ("{context: prod}", Target("context", "prod")),
        ("{context: prod, kubeconfig: k/config}", Target("context", "prod", "k/config")),
        ("{context: prod, kubeconfig: ~/.kube/prod}", Target("context", "prod", "/home/u/.kube/prod")),
    ],
)
def test_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, expected: Target) -> None:
    monkeypatch.setenv("HOME", "/home/u")

    platform = load(tmp_path, f"{SMALL}environments: {{local: {{target: {target}}}}}\n")

    assert platform.environments["local"].target == expected


def test_arguments_are_text_or_code(tmp_path: Path) -> None:
    staging = load(tmp_path, FULL).environments["staging"]

    assert staging.tla == {"cluster": Argument("eu"), "sizes": Argument("{ ingesters: 3 }", code=True)}
    assert staging.ext == {"region": Argument("eu-central-1")}


def test_a_need_stands_before_who_needs_it_and_all_else_as_written(tmp_path: Path) -> None:
    environments = load(tmp_path, FULL).environments

    assert environments["staging"].components == ("mimir", "tempo", "loki", "grafana")
    assert environments["local"].components == ("logs", "metrics", "traces", "dashboards")
    assert environments["production"].components == ("loki", "mimir", "tempo", "grafana")


def test_without_a_list_an_environment_has_all_components(tmp_path: Path) -> None:
    components = "{web: {needs: [store]}, cron: {}, store: {}}"
    text = SMALL.replace("{logs: {}}", components) + "environments: {local: {target: embedded}}\n"

    assert load(tmp_path, text).environments["local"].components == ("store", "web", "cron")


def test_a_chain_of_thousands_is_put_in_order(tmp_path: Path) -> None:
    count = 3000
    chain = "".join(f"  c{i}: {{needs: [c{i + 1}]}}\n" for i in range(count))
    text = (
        f"{SMALL.splitlines()[0]}\nplatform: shop\nkubernetes: '1.34'\ncomponents:\n{chain}  c{count}: {{}}\n"
    )

    components = load(tmp_path, f"{text}environments: {{local: {{target: embedded}}}}\n").environments[
        "local"
    ]

    assert components.components == tuple(f"c{i}" for i in range(count, -1, -1))


def test_anchors_and_merge_keys_are_fine(tmp_path: Path) -> None:
    text = SMALL + (
        "environments:\n"
        "  one: &all {target: embedded, order: component-by-component, kubernetes: '1.33'}\n"
        "  two: {<<: *all, kubernetes: '1.32'}\n"
    )

    two = load(tmp_path, text).environments["two"]

    assert (two.order, two.kubernetes) == ("component-by-component", "1.32")


def test_windows_line_ends_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode()
    (tmp_path / "mop.yaml").write_bytes(data)

    assert config.load(tmp_path / "mop.yaml").environments.keys() == {"local", "staging", "production"}


def test_this_repository_has_a_valid_mop_yaml() -> None:
    platform = config.load(config.find(Path(__file__).parent))

    assert platform.environments["local"].target == Target("embedded")


def test_every_version_with_schemas_is_a_version(tmp_path: Path) -> None:
    from mop.config.environments import kubernetes_versions

    versions = kubernetes_versions()
    assert "1.34" in versions
    assert list(versions) == sorted(versions, key=lambda v: int(v.split(".")[1]))
    for version in versions:
        load(tmp_path, SMALL.replace("1.34", version) + "environments: {local: {target: embedded}}\n")
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, SMALL.replace("1.34", "1.9") + "environments: {local: {target: embedded}}\n")
    [problem] = raised.value.problems
    assert problem.expected == f"a version from {versions[0]} to {versions[-1]}"


# ---------------------------------------------------------------- Tanka environments


WHOLE = (
    'version: 1\nplatform: shop\nkubernetes: "1.34"\nenvironments:\n  dev: {target: embedded, whole: true}\n'
)


def test_a_whole_tanka_environment_is_one_component(tmp_path: Path) -> None:
    write(tmp_path / "environments/dev/main.jsonnet", "{}")
    write(
        tmp_path / "environments/dev/spec.json", '{"spec": {"namespace": "loki-dev", "injectLabels": true}}'
    )

    platform = load(tmp_path, WHOLE)

    dev = platform.environments["dev"]
    assert dev.components == ("dev",)
    assert platform.components["dev"].needs == ()
    assert dev.namespace == "loki-dev"
    assert dev.tanka is not None
    assert dev.tanka.inject_labels
    assert dev.tanka.name == "environments/dev"
    assert dev.tanka.entrypoint == "environments/dev/main.jsonnet"


def test_mop_yaml_may_give_it_another_namespace_charts_and_patience(tmp_path: Path) -> None:
    write(tmp_path / "environments/dev/main.jsonnet", "{}")
    write(tmp_path / "environments/dev/spec.json", '{"spec": {"namespace": "loki-dev"}}')
    components = "components: {dev: {ready: {timeout: 1h}}, logs: {}}\n"
    text = components + WHOLE.replace("whole: true", "whole: true, namespace: mine")
    text += "  other: {target: embedded}\n"

    platform = load(tmp_path, text)

    assert platform.environments["dev"].namespace == "mine"
    assert platform.components["dev"].ready.timeout == 3600
    assert platform.environments["other"].components == ("logs",)


def test_a_spec_without_a_namespace_means_default(tmp_path: Path) -> None:
    write(tmp_path / "environments/dev/main.jsonnet", "{}")
    write(tmp_path / "environments/dev/spec.json", "{}")

    assert load(tmp_path, WHOLE).environments["dev"].namespace == "default"


def test_a_spec_beside_an_ordinary_environment_is_shown_to_it_and_does_not_rule_it(tmp_path: Path) -> None:
    write(tmp_path / "environments/dev/spec.json", '{"spec": {"namespace": "elsewhere"}}')

    dev = load(tmp_path, f"{SMALL}environments: {{dev: {{target: embedded}}}}\n").environments["dev"]

    assert dev.namespace == "shop"
    assert dev.tanka is not None
    assert dev.tanka.document()["spec"]["namespace"] == "elsewhere"


def test_all_fields_of_a_spec_are_read_as_tanka_reads_them(tmp_path: Path) -> None:
    spec = {
        "apiVersion": "tanka.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": "ignored", "namespace": "ignored", "labels": {"team": "logs"}},
        "spec": {
            "apiServer": "10.0.0.1:6443",
            "contextNames": ["dev"],
            "namespace": "loki",
            "diffStrategy": "server",
            "applyStrategy": "client",
            "injectLabels": True,
            "tankaEnvLabelFromFields": [".metadata.labels.team", ".metadata.name"],
            "resourceDefaults": {"annotations": {"a": "1"}, "labels": {"b": "2"}},
            "expectVersions": {"tanka": ">=0.30"},
            "exportJsonnetImplementation": "go",
            "unknown": "ignored, too",
        },
    }
    write(tmp_path / "environments/dev/main.jsonnet", "{}")
    write(tmp_path / "environments/dev/spec.json", json.dumps(spec))

    tanka = load(tmp_path, WHOLE).environments["dev"].tanka

    assert tanka is not None
    spec["spec"]["apiServer"] = "https://10.0.0.1:6443"  # type: ignore[index]
    del spec["spec"]["unknown"]  # type: ignore[attr-defined]
    spec["metadata"] = {
        "name": "environments/dev",
        "namespace": "environments/dev/main.jsonnet",
        "labels": {"team": "logs"},
    }
    assert tanka.document() == spec
    assert len(tanka.label) == 48


@pytest.mark.parametrize(
    ("spec", "server", "namespace", "labels"),
    [
        ({"server": "https://a"}, "https://a", "default", {}),
        ({"server": "https://a", "spec": {"apiServer": "https://b"}}, "https://b", "default", {}),
        ({"namespace": "old", "spec": {"namespace": ""}}, "", "old", {}),
        ({"namespace": "old"}, "", "default", {}),
        ({"team": "logs"}, "", "default", {"team": "logs"}),
        ({"team": "x", "metadata": {"labels": {"team": "logs"}}}, "", "default", {"team": "logs"}),
        ({"spec": None, "metadata": None}, "", "default", {}),
    ],
)
def test_old_fields_of_a_spec_still_count(
    tmp_path: Path, spec: object, server: str, namespace: str, labels: object
) -> None:
    """The rules are those of handleDeprecated in pkg/spec/spec.go."""
    write(tmp_path / "environments/dev/main.jsonnet", "{}")
    write(tmp_path / "environments/dev/spec.json", json.dumps(spec))

    tanka = load(tmp_path, WHOLE).environments["dev"].tanka

    assert tanka is not None
    assert (tanka.api_server, tanka.namespace, tanka.labels) == (server, namespace, labels)


def test_a_folder_name_that_no_file_system_takes_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, WHOLE.replace("whole: true", f"whole: true, path: {'x' * 5000}"))

    assert {problem.message for problem in raised.value.problems} >= {"no Tanka environment there"}


def test_tankas_own_root_is_where_its_marker_files_are(tmp_path: Path) -> None:
    write(tmp_path / "tanka/jsonnetfile.json", "{}")
    write(tmp_path / "tanka/environments/dev/main.jsonnet", "{}")
    write(tmp_path / "tanka/environments/dev/spec.json", "{}")
    text = WHOLE.replace("whole: true", "whole: true, path: tanka/environments/dev/")

    dev = load(tmp_path, text).environments["dev"]
    assert dev.path == "tanka/environments/dev"
    assert dev.tanka is not None
    assert (dev.tanka.name, dev.tanka.entrypoint) == ("environments/dev", "environments/dev/main.jsonnet")

    write(tmp_path / "tanka/environments/tkrc.yaml", "")
    dev = config.load(tmp_path / "mop.yaml").environments["dev"]
    assert dev.tanka is not None
    assert dev.tanka.name == "dev"


# ---------------------------------------------------------------- reading it again


def test_a_valid_file_is_not_checked_again(tmp_path: Path) -> None:
    first = load(tmp_path, FULL)
    script = (
        "import sys; from pathlib import Path; from mop import config;"
        "p = config.load(Path(sys.argv[1])); assert p.name == 'observability';"
        "print([m for m in ('yaml', 'jsonschema', 'graphlib', 'importlib.metadata') if m in sys.modules])"
    )

    again = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "mop.yaml")], capture_output=True, text=True, check=True
    )

    assert again.stdout.strip() == "[]"
    assert config.load(tmp_path / "mop.yaml") == first


def test_an_edited_file_is_checked(tmp_path: Path) -> None:
    load(tmp_path, FULL)

    with pytest.raises(ConfigError, match="1 mistake"):
        load(tmp_path, FULL.replace("after: staging", "after: stagin"))


def test_a_damaged_memory_is_not_believed(tmp_path: Path) -> None:
    platform = load(tmp_path, FULL)
    memory = tmp_path / ".mop" / "mop-yaml.json"
    memory.write_text(memory.read_text().replace("monitoring", "montioring"))

    assert config.load(tmp_path / "mop.yaml") == platform

    memory.write_bytes(b"\xff\xfe")
    assert config.load(tmp_path / "mop.yaml") == platform


def test_a_memory_of_another_file_is_not_believed(tmp_path: Path) -> None:
    load(tmp_path, FULL)
    remembered = (tmp_path / ".mop" / "mop-yaml.json").read_bytes()
    other = load(tmp_path, f"{SMALL}environments: {{local: {{target: embedded}}}}\n")
    (tmp_path / ".mop" / "mop-yaml.json").write_bytes(remembered)

    assert config.load(tmp_path / "mop.yaml") == other


def test_a_spec_that_broke_since_is_told(tmp_path: Path) -> None:
    write(tmp_path / "environments/dev/main.jsonnet", "{}")
    write(tmp_path / "environments/dev/spec.json", '{"spec": {"namespace": "dev"}}')
    load(tmp_path, WHOLE)

    write(tmp_path / "environments/dev/spec.json", "{")
    with pytest.raises(ConfigError) as raised:
        config.load(tmp_path / "mop.yaml")
    assert raised.value.problems[0].file == "environments/dev/spec.json"

    (tmp_path / "environments/dev/spec.json").unlink()
    with pytest.raises(ConfigError) as raised:
        config.load(tmp_path / "mop.yaml")
    assert raised.value.problems[0].message == "a Tanka environment without a namespace"

    write(tmp_path / "environments/dev/spec.json", '{"spec": {"namespace": "new"}}')
    assert config.load(tmp_path / "mop.yaml").environments["dev"].namespace == "new"


def test_what_cannot_be_remembered_is_checked_each_time(tmp_path: Path) -> None:
    (tmp_path / ".mop").write_text("a file where the folder should be")

    platform = load(tmp_path, FULL)

    assert config.load(tmp_path / "mop.yaml") == platform


def test_editors_find_the_schema_beside_the_memory_and_git_finds_neither(tmp_path: Path) -> None:
    load(tmp_path, FULL)

    schema = json.loads((tmp_path / ".mop" / "schema.json").read_text())
    assert schema["title"] == "mop.yaml"
    assert (tmp_path / ".mop" / ".gitignore").read_text() == "*\n"
    assert (tmp_path / ".mop").stat().st_mode & 0o777 == 0o700
