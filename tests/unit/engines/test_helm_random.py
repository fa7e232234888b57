from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.engines.helm_probe import mentioned, mentions
from mop.engines.helm_random import Prober
from mop.engines.helm_sdk import HelmSdk
from mop.engines.protocols import HelmObject, HelmRequest
from mop.errors import ChartError
from mop.files import Digests
from tests.unit.engines.helm_cases import CASES, CHART, request


class Counting:
    """Helm, and how often it was asked."""

    version = "v4"

    def __init__(self) -> None:
        self.renders = 0

    def template(self, request: HelmRequest) -> tuple[HelmObject, ...]:
        self.renders += 1
        return HelmSdk().template(request)


Write = Callable[..., Path]


@pytest.fixture
def chart_of(tmp_path: Path) -> Write:
    """Makes a chart of the files given by name."""

    def write(**files: str) -> Path:
        chart = tmp_path / "dice"
        shutil.rmtree(chart, ignore_errors=True)
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: dice\nversion: 1.0.0\n")
        for name, text in files.items():
            where = chart if name == "values" else chart / "templates"
            (where / f"{name}.{'tpl' if name.startswith('_') else 'yaml'}").write_text(text)
        return chart

    return write


def rendered(
    chart: Path, values: dict[str, object] | None = None, helm: Counting | None = None
) -> tuple[str, ...]:
    """What is random in the chart."""
    digest = Digests(chart).tree(chart)
    assert digest
    return Prober(Path(tempfile.gettempdir())).template(
        helm or Counting(), request(dict(values or {}), chart=chart), digest
    )[1]


def config(body: str) -> str:
    return f"kind: ConfigMap\nmetadata: {{name: x}}\ndata:\n  it: {body}\n"


@pytest.mark.parametrize("name", CASES)
def test_a_chart_with_traps_that_none_reaches_renders_as_it_does_without(name: str) -> None:
    digest = Digests(CHART).tree(CHART)
    assert digest
    helm = Counting()
    objects, random = Prober(Path(tempfile.gettempdir())).template(helm, CASES[name], digest)
    assert objects == HelmSdk().template(CASES[name])
    assert random == ()
    drawn_and_thrown_away = name == "secret"  # `default (randAlphaNum 16) "given"` draws before it chooses
    assert helm.renders == (6 if drawn_and_thrown_away else 1)


def test_what_is_drawn_is_named_with_template_function_object_and_field() -> None:
    digest = Digests(CHART).tree(CHART)
    assert digest
    _, random = Prober(Path(tempfile.gettempdir())).template(Counting(), request({"secret": True}), digest)
    assert random == ("relay: relay/templates/secret.yaml: randAlphaNum (Secret/demo data.password)",)


def test_what_reads_the_clock_is_random_though_two_renders_agree() -> None:
    digest = Digests(CHART).tree(CHART)
    assert digest
    _, random = Prober(Path(tempfile.gettempdir())).template(Counting(), request({"stamp": True}), digest)
    assert random == ("relay: templates/deployment.yaml: date, now",)


def test_a_chart_that_mentions_nothing_is_rendered_once(chart_of: Write) -> None:
    helm = Counting()
    assert rendered(chart_of(a=config("{{ .Release.Name }} now")), helm=helm) == ()
    assert helm.renders == 1


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("{{ if .Values.draw }}{{ randAlphaNum 8 }}{{ else }}fixed{{ end }}", ""),
        ("{{ tpl .Values.used $ }} {{ .Values.unused | quote }}",
         "used: '{{ .Release.Name }}'\nunused: '{{ randAlphaNum 8 }}'"),
        ("{{ .Values.unused | toYaml | sha256sum }}", "unused: '{{ randAlphaNum 8 }}'"),
        ("{{ tpl .Values.outer . }}", "outer: '{{ tpl .Values.inner . }}'\ninner: a\nunused: '{{ uuidv4 }}'"),
        ("{{ tpl (toYaml .Values.map) $ | quote }}", "map: {a: '{{ .Chart.Name }} now'}\nunused: '{{ now }}'"),
        ('{{ tpl "now" . }} {{ tpl `tpl x y` . }}', "unused: '{{ now }}'"),
    ],
)  # fmt: skip
def test_what_is_only_mentioned_is_stable(chart_of: Write, template: str, values: str) -> None:
    chart = chart_of(a=config(template), values=values)
    digest = Digests(chart).tree(chart)
    assert digest
    objects, random = Prober(Path(tempfile.gettempdir())).template(Counting(), request(chart=chart), digest)
    assert random == ()
    assert objects == HelmSdk().template(request(chart=chart))


@pytest.mark.parametrize(
    ("template", "values", "function"),
    [
        ("{{ randAlphaNum 8 }}", "", "randAlphaNum"),
        ("{{ 8 | randAlphaNum | b64enc }}", "", "randAlphaNum"),
        ('{{ htpasswd "user" "word" | quote }}', "", "htpasswd"),
        ('{{ (genCA "x" 1).Cert | quote }}', "", "genCA"),
        ("{{ uuidv4 | sha256sum }}", "", "uuidv4"),
        ("{{ tpl .Values.text . }}", "text: '{{ randAlphaNum 8 }}'", "randAlphaNum"),
        ("{{ tpl .Values.outer . }}", "outer: '{{ tpl .Values.inner . }}'\ninner: '{{ uuidv4 }}'", "uuidv4"),
        ("{{ tpl .Values.outer . }}",
         "outer: '{{ tpl (tpl .Values.inner .) . }}'\ninner: '{{ uuidv4 }}'", "uuidv4"),
        ("{{ .Values.list | toJson | fromJson | len }} {{ include \"d\" . }}", "list: {}", "randInt"),
    ],
)  # fmt: skip
def test_what_is_reached_is_random(chart_of: Write, template: str, values: str, function: str) -> None:
    helpers = '{{ define "d" }}{{ randInt 0 1000000000 }}{{ end }}' if function == "randInt" else ""
    (found,) = rendered(chart_of(a=config(template), _h=helpers, values=values))
    assert found == f"dice: dice/templates/a.yaml: {function} (ConfigMap/x data.it)"


#: Pieces of templates and of values; what draws sits in branches, strings, comments, helpers, and texts for `tpl`.
_PIECES = st.sampled_from(
    [
        "plain now ",
        "{{ .Release.Name }}",
        "{{/* randAlphaNum 8 */}}",
        '{{ "randAlphaNum 8 }} {{ tpl" | quote }}',
        "{{ `{{ uuidv4 }}` }}",
        "{{ randAlphaNum 8 }}",
        "{{ if .Values.flag }}{{ uuidv4 }}{{ else }}even{{ end }}",
        '{{ default (randAlphaNum 8) "given" }}',
        "{{ tpl .Values.one . }}",
        "{{- tpl (.Values.two | trim) $ | upper }}",
        "{{ tpl (printf `%s` .Values.one) (dict `Values` .Values `Template` .Template `Release` .Release) }}",
        "{{ .Values.one | sha256sum }}",
        "{{ with .Values.two }}{{ tpl . $ }}{{ end }}",
        '{{ include "helper" . }}',
    ]
)
_TEXTS = st.lists(_PIECES, max_size=3).map(" ".join)
_LAST = _TEXTS.filter(
    lambda text: ".Values.one" not in text and ".Values.two" not in text and "helper" not in text
)
_NEXT = _TEXTS.filter(lambda text: ".Values.two" not in text and "helper" not in text)


@given(body=_TEXTS, helper=_TEXTS, one=_LAST, two=_NEXT, flag=st.booleans())
def test_what_is_called_stable_is_the_same_each_time_and_the_charts_own(
    body: str, helper: str, one: str, two: str, flag: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder, "dice")
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: dice\nversion: 1.0.0\n")
        (chart / "values.yaml").write_text(json.dumps({"one": one, "two": two, "flag": flag}))
        once = helper.replace('{{ include "helper" . }}', "").replace(".Values.one", "`x`")
        (chart / "templates" / "_h.tpl").write_text(f'{{{{ define "helper" }}}}{once}{{{{ end }}}}')
        (chart / "templates" / "a.yaml").write_text(
            f"it: |-\n  _{{{{ (include `all` .) | quote }}}}\n{{{{ define `all` }}}}{body}{{{{ end }}}}"
        )
        digest = Digests(chart).tree(chart)
        assert digest
        try:
            objects, random = Prober(Path(tempfile.gettempdir())).template(
                HelmSdk(), request(chart=chart), digest
            )
        except ChartError:
            with pytest.raises(ChartError):
                HelmSdk().template(request(chart=chart))
            return
        if not random:
            again = [HelmSdk().template(request(chart=chart)) for _ in range(2)]
            assert [objects, objects] == again


@pytest.mark.parametrize(
    "values",
    [
        {"one": "{{ tpl .Values.one . }}"},
        {
            "one": "x {{- tpl .Values.two $ | upper }}",
            "two": "{{ if true }}{{ tpl (.Values.one) . }}{{ end }}",
        },
    ],
)
def test_a_text_that_calls_tpl_on_itself_is_an_error_and_not_the_end_of_the_process(
    chart_of: Write, values: dict[str, str]
) -> None:
    chart = chart_of(a=config("{{ tpl .Values.one . }}"), values="one: plain\ntwo: plain\n")
    assert rendered(chart) == ()
    with pytest.raises(ChartError, match="calls `tpl` on itself") as caught:
        rendered(chart, dict(values))
    assert caught.value.message.startswith("chart dice: ")


def test_values_of_the_user_can_draw_too(chart_of: Write) -> None:
    chart = chart_of(a=config("{{ tpl .Values.text . }}"), values="text: plain")
    assert rendered(chart) == ()
    assert rendered(chart, {"text": "{{ uuidv4 }}"}) == (
        "dice: dice/templates/a.yaml: uuidv4 (ConfigMap/x data.it)",
    )


def test_a_value_that_is_drawn_and_thrown_away_is_no_harm(chart_of: Write) -> None:
    assert rendered(chart_of(a=config('{{ default (randAlphaNum 8) "given" }}'))) == ()


def test_an_object_whose_name_is_drawn_is_told(chart_of: Write) -> None:
    chart = chart_of(a="kind: Job\nmetadata: {name: x-{{ randAlphaNum 8 | lower }}}\n")
    (found,) = rendered(chart)
    assert found.startswith("dice: dice/templates/a.yaml: randAlphaNum (Job/x-")
    assert found.endswith(" metadata.name)")


def test_a_number_of_objects_that_is_drawn_is_told(chart_of: Write) -> None:
    text = "{{ range until (randInt 1 1000 | int) }}---\nkind: Job\nmetadata: {name: x-{{ . }}}\n{{ end }}"
    assert rendered(chart_of(a=text)) == ("dice: the number of objects: randInt",)


def test_an_archive_cannot_be_given_traps_and_is_rendered_twice(chart_of: Write, tmp_path: Path) -> None:
    chart = chart_of(a=config("{{ if .Values.draw }}{{ randAlphaNum 8 }}{{ end }}"), values="draw: false")
    archive = tmp_path / "dice-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as out:
        out.add(chart, "dice")
    found = rendered(archive, {"draw": True})
    assert any("dice/templates/a.yaml" in text and "data.it" in text for text in found)


def test_a_chart_that_fails_by_itself_says_why(chart_of: Write) -> None:
    with pytest.raises(ChartError, match=r"dice/templates/a\.yaml line 4: wanted"):
        rendered(chart_of(a=config('{{ fail "wanted" }}{{ randAlphaNum 8 }}')))


def test_what_was_learnt_of_a_chart_is_forgotten_on_demand(chart_of: Write) -> None:
    prober, helm = Prober(Path(tempfile.gettempdir())), Counting()
    chart = chart_of(a=config("fixed"))
    prober.template(helm, request(chart=chart), "digest")
    (chart / "templates" / "a.yaml").write_text(config("{{ randAlphaNum 8 }}"))
    assert prober.template(helm, request(chart=chart), "digest")[1] == ()
    prober.forget("digest")
    assert prober.template(helm, request(chart=chart), "digest")[1] != ()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"now", set()),
        (b"{{ now }}", {"now"}),
        (b"{{ a }} now", set()),
        (b'{{ dict "}}" (now) }} date', {"now"}),
        (b"{{ randAlphaNumeric }}", set()),
        (b"{{ a }} {{ b | htpasswd x | date }} {{ uuidv4", {"htpasswd", "date", "uuidv4"}),
        (b"tpl {{ tpl .a . }}", {"tpl"}),
    ],
)
def test_functions_are_mentioned_in_actions_only(data: bytes, found: set[str]) -> None:
    assert mentioned(data) == found


def test_mentions_tell_templates_from_other_files(chart_of: Write) -> None:
    chart = chart_of(a="{{ now }} {{ .date }}", values="a: '{{ htpasswd }}'")
    (chart / "files" / "templates").mkdir(parents=True)
    (chart / "files" / "templates" / "b.txt").write_text("{{ uuidv4 }}")
    (chart / "charts" / "sub" / "templates").mkdir(parents=True)
    (chart / "charts" / "sub" / "templates" / "c.yaml").write_text("{{ shuffle }}")
    found = mentions(chart)
    assert found.templates == {"templates/a.yaml": {"now"}, "charts/sub/templates/c.yaml": {"shuffle"}}
    assert found.elsewhere == {"htpasswd", "uuidv4"}
    assert not found.opaque
