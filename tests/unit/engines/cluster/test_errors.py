"""What the server refuses is told in its own words, with who, what and why; never with a secret."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest

from mop.errors import ClusterError, Denied, FieldConflict, Rejected, Unreachable
from mop.manifest import ref
from tests.unit.engines.cluster.server import Answer, Server, status
from tests.unit.objects import NAMESPACE, config_map, secret


def failure(server: Server, code: int, message: str, reason: str = "", **details: object) -> ClusterError:
    server.script = lambda _seen: Answer(code, status(message, reason, **details))
    with pytest.raises(ClusterError) as caught:
        server.cluster().apply(config_map())
    return caught.value


def test_401_says_whose_credentials(server: Server) -> None:
    error = failure(server, 401, "Unauthorized")
    assert isinstance(error, Denied)
    assert "does not accept the credentials of alice (401)" in error.message


def test_401_says_when_credentials_have_expired(server: Server) -> None:
    server.answers = [Answer(401, status("Unauthorized"))]
    cluster = server.cluster(expires=lambda: datetime(2026, 1, 31, 12, tzinfo=UTC))
    with pytest.raises(Denied, match="credentials of alice for test expired on 2026-01-31 12:00 UTC"):
        cluster.get(ref(config_map()))


def test_403_says_who_may_not_do_what_and_where(server: Server) -> None:
    error = failure(
        server,
        403,
        'deployments.apps "web" is forbidden: User "alice@example.com" cannot patch resource "deployments" '
        'in API group "apps" in the namespace "monitoring"',
        "Forbidden",
    )
    assert isinstance(error, Denied)
    assert (
        error.message
        == "alice@example.com may not patch deployments.apps in namespace monitoring on test (403)"
    )
    assert "kubectl auth can-i patch deployments.apps -n monitoring" in error.hint


def test_403_at_cluster_scope(server: Server) -> None:
    error = failure(
        server,
        403,
        'namespaces is forbidden: User "alice" cannot list resource "namespaces" in API group "" at the cluster scope',
    )
    assert error.message == "alice may not list namespaces at cluster scope on test (403)"


def test_403_of_an_admission_rule_is_a_rejection(server: Server) -> None:
    error = failure(server, 403, 'pods "web" is forbidden: violates PodSecurity "restricted"', "Forbidden")
    assert isinstance(error, Rejected)
    assert 'violates PodSecurity "restricted"' in error.problems[0].message


def test_a_namespace_that_goes_away_is_said_so(server: Server) -> None:
    causes = [{"reason": "NamespaceTerminating", "message": "namespace monitoring is being terminated"}]
    error = failure(server, 403, "unable to create new content", "Forbidden", causes=causes)
    assert isinstance(error, Rejected)
    assert "being deleted" in error.hint


def test_a_conflict_names_managers_and_fields(server: Server) -> None:
    causes = [
        {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl" using v1', "field": ".data.a"},
        {"reason": "FieldManagerConflict", "message": 'conflict with "helm"', "field": ".data.b"},
    ]
    error = failure(server, 409, "Apply failed with 2 conflicts", "Conflict", causes=causes)
    assert isinstance(error, FieldConflict)
    assert error.message == f"ConfigMap/{NAMESPACE}/settings: helm, kubectl owns data.a, data.b"
    assert [(p.found, p.path) for p in error.problems] == [("kubectl", "data.a"), ("helm", "data.b")]
    assert "--force-conflicts" in error.hint


def test_a_rejection_is_the_servers_words_about_the_object(server: Server) -> None:
    error = failure(server, 422, 'ConfigMap "settings" is invalid: data: Too long')
    assert isinstance(error, Rejected)
    (problem,) = error.problems
    assert (problem.object, problem.message) == (
        f"ConfigMap/{NAMESPACE}/settings",
        'ConfigMap "settings" is invalid: data: Too long',
    )


@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        (500, "failed to create typed patch object (a/b; v1): .spec.prots: field not declared in schema", "misspelt"),
        (422, 'Deployment "x" is invalid: spec.selector: Invalid value: {}: field is immutable', "cannot change"),
        (404, 'namespaces "elsewhere" not found', "is not there"),
        (500, 'Internal error occurred: failed calling webhook "x": context deadline exceeded', "webhook"),
    ],
)  # fmt: skip
def test_what_can_be_done_is_said(server: Server, code: int, message: str, hint: str) -> None:
    error = failure(server, code, message)
    assert hint in error.hint
    assert "failed to create typed patch object" not in error.message


def test_an_answer_that_is_no_status_is_shown_as_it_is(server: Server) -> None:
    server.answers = [Answer(400, "<html>a proxy's page</html>")]
    with pytest.raises(Rejected, match="a proxy's page"):
        server.cluster().get(ref(config_map()))


def test_no_secret_is_in_an_error_that_quotes_it(server: Server) -> None:
    server.answers = [
        Answer(422, status('Secret "login" is invalid: data[a]: Invalid value: "MARKER-1": no'))
    ]
    with pytest.raises(Rejected) as caught:
        server.cluster().apply(secret(a="MARKER-1"))
    assert "MARKER" not in f"{caught.value.message} {caught.value.problems}"


def test_a_server_that_is_not_there_is_unreachable(server: Server, pauses: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable) as caught:
        server.cluster(server=f"http://127.0.0.1:{port}").kubernetes_version()
    assert f"test (http://127.0.0.1:{port}) gives no answer: connection refused" in caught.value.message
    assert sum(pauses) < 2
