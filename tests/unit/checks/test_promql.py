"""PromQL as Prometheus reads it, with Grafana's variables in it, and LogQL left alone."""

from __future__ import annotations

import pytest

from mop.checks.promql import fault


@pytest.mark.parametrize(
    "expression",
    [
        'sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / ignoring(code) group_left sum(up)',
        "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))",
        "max_over_time((a + b)[1h:5m] offset 1d)",
        "holt_winters(x[5m], 0.5, 0.5)",
        '{"a.b.c"}',
        'sum(rate({app="web"} |= "error" | json [5m]))',
        '{app="web"} != "health"',
    ],
)
def test_what_an_engine_takes(expression: str) -> None:
    assert fault(expression) == ""


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("sum(rate(x[5m])", "unclosed left parenthesis"),
        ("rate(x)", "expected type matrix"),
        ("no_such_function(x)", "unknown function"),
        ("sum by job (x)", "invalid promql query"),
        ("rate(x[$__rate_interval])", "unexpected character"),
    ],
)
def test_what_it_does_not_take(expression: str, reason: str) -> None:
    assert reason in fault(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(x[$__rate_interval])",
        "rate(x[${interval}s])",
        "rate(x[[[old]]])",
        "$query",
        'x{job="$job", a=~"${b:regex}"}',
        "topk($k, x) by ($labels)",
        "quantile_over_time($q, $metric[$__range]) > $limit",
        "x offset $offset",
    ],
)
def test_variables_stand_for_whatever_fits(expression: str) -> None:
    assert fault(expression, grafana=True) == ""


def test_a_variable_does_not_hide_a_mistake() -> None:
    assert fault("sum(rate($metric[5m])", grafana=True) == "unclosed left parenthesis"
    assert "matrix" in fault("rate($metric)", grafana=True)
