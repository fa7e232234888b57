"""Requests as the API server wants them, and its answers as dicts."""

from __future__ import annotations

import pytest

from mop.errors import Rejected
from mop.manifest import ObjectRef, ref
from tests.unit.engines.cluster.server import Answer, Server, status
from tests.unit.objects import NAMESPACE, config_map, namespace, obj, widget

SETTINGS = ObjectRef("v1", "ConfigMap", NAMESPACE, "settings")
PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps/settings"


def test_an_apply_is_server_side_strict_and_ours(server: Server) -> None:
    server.answers = [Answer(body=config_map())]
    server.cluster().apply({**config_map(), "aFieldThatNoModelKnows": {"x": 1}})
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("PATCH", PATH)
    assert seen.query == {"fieldManager": "mop", "fieldValidation": "Strict", "force": "false"}
    assert seen.headers["Content-Type"] == "application/apply-patch+yaml"
    assert seen.body["aFieldThatNoModelKnows"] == {"x": 1}


def test_a_dry_run_says_so(server: Server) -> None:
    server.answers = [Answer(body=config_map())]
    server.cluster().apply(config_map(), dry_run=True, force=True)
    assert server.seen[0].query["dryRun"] == "All"
    assert server.seen[0].query["force"] == "true"


def test_warnings_are_collected_whatever_they_quote(server: Server) -> None:
    headers = {"Warning": '299 - "policy/v1beta1 \\"PodSecurityPolicy\\" is deprecated"'}
    server.answers = [Answer(body=config_map(), headers=headers)]
    assert server.cluster().apply(config_map()).warnings == (
        'policy/v1beta1 "PodSecurityPolicy" is deprecated',
    )


def test_what_is_not_there_is_none(server: Server) -> None:
    server.answers = [Answer(404, status("not found", "NotFound"))]
    assert server.cluster().get(SETTINGS) is None


def test_a_kind_that_is_not_there_is_none_too(server: Server) -> None:
    server.answers = [Answer(404, status("no group"))]
    cluster = server.cluster()
    assert cluster.get(ref(widget())) is None
    assert cluster.knows("example.com/v1", "Widget") is None
    assert [seen.path for seen in server.seen] == ["/apis/example.com/v1"]


def test_discovery_is_asked_once_until_refreshed(server: Server) -> None:
    cluster = server.cluster()
    assert cluster.knows("v1", "ConfigMap") is True
    assert cluster.knows("v1", "Namespace") is False
    assert cluster.knows("apps/v1", "Deployment") is True
    assert server.discovered == ["/api/v1", "/apis/apps/v1"]
    cluster.refresh()
    cluster.knows("v1", "ConfigMap")
    assert server.discovered[2:] == ["/api/v1"]


def test_the_version_that_serves_a_kind_is_the_preferred_one_that_has_it(server: Server) -> None:
    versions = [{"groupVersion": "apps/v2beta1"}, {"groupVersion": "apps/v1"}]
    group = {"versions": versions, "preferredVersion": versions[0]}
    server.answers = [
        Answer(body=group),
        Answer(404, status("no such version")),
        Answer(404, status("no group")),
    ]
    cluster = server.cluster()
    assert cluster.served("apps", "Deployment") == "apps/v1"
    assert cluster.served("", "ConfigMap") == "v1"
    assert cluster.served("nowhere.example.com", "Widget") is None


def test_an_object_of_an_unknown_kind_cannot_be_applied(server: Server) -> None:
    server.answers = [Answer(404, status("no group"))]
    with pytest.raises(Rejected, match=r"no kind Widget of example.com/v1") as caught:
        server.cluster().apply(widget())
    assert "CustomResourceDefinition" in caught.value.hint


def test_an_object_without_its_namespace_is_not_sent(server: Server) -> None:
    with pytest.raises(Rejected, match="has no namespace"):
        server.cluster().apply(obj("v1", "ConfigMap", "settings", ""))
    assert server.seen == []


def test_a_list_follows_its_pages_and_gives_whole_objects(server: Server) -> None:
    first = {"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {"continue": "next"}}
    item = {"metadata": {"name": "a"}}
    server.answers = [
        Answer(body={**first, "items": [item]}),
        Answer(body={**first, "metadata": {}, "items": [item]}),
    ]
    found = server.cluster().list("v1", "ConfigMap", NAMESPACE, "a=b")
    assert found == [{"apiVersion": "v1", "kind": "ConfigMap", **item}] * 2
    assert [seen.query.get("continue") for seen in server.seen] == [None, "next"]
    assert server.seen[0].query["labelSelector"] == "a=b"


def test_a_page_that_expired_starts_the_list_again(server: Server) -> None:
    page = {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}]}
    server.answers = [
        Answer(body={**page, "metadata": {"continue": "next"}}),
        Answer(410, status("too old", "Expired")),
        Answer(body={**page, "metadata": {}}),
    ]
    assert len(server.cluster().list("v1", "ConfigMap", NAMESPACE)) == 1


def test_a_delete_can_be_for_one_very_object(server: Server) -> None:
    server.answers = [Answer(), Answer(404, status("gone")), Answer(409, status("uid differs"))]
    cluster = server.cluster()
    assert cluster.delete(SETTINGS, uid="u-1") is True
    assert cluster.delete(SETTINGS) is False
    assert cluster.delete(SETTINGS, uid="u-1") is False
    assert server.seen[0].body["preconditions"] == {"uid": "u-1"}
    assert server.seen[0].body["propagationPolicy"] == "Background"


def test_a_create_names_the_manager(server: Server) -> None:
    server.answers = [Answer(201, namespace())]
    server.cluster().create(namespace())
    assert (server.seen[0].method, server.seen[0].path) == ("POST", "/api/v1/namespaces")
    assert server.seen[0].query["fieldManager"] == "mop"


def test_names_are_quoted_in_paths(server: Server) -> None:
    server.answers = [Answer(body={})]
    server.cluster().get(ObjectRef("v1", "ConfigMap", NAMESPACE, "a b/c"))
    assert server.seen[0].path.endswith("/configmaps/a%20b%2Fc")


def test_logs_are_their_last_lines_or_nothing(server: Server) -> None:
    server.answers = [Answer(body="one\ntwo\n"), Answer(400, status("container is waiting to start"))]
    cluster = server.cluster()
    assert cluster.logs(NAMESPACE, "web-0", "web", previous=True) == "one\ntwo"
    assert cluster.logs(NAMESPACE, "web-0") == ""
    assert server.seen[0].query == {"tailLines": "20", "container": "web", "previous": "true"}


def test_an_address_is_name_and_url(server: Server) -> None:
    assert server.cluster().address == f"test ({server.url})"
