"""What people may set: told, strict, and refused with the name of what is wrong."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
import yaml

from cluster import Helm, HelmFailedError

from .page import PAGE, VALUES, entries, page
from .rendering import CHART, CLIENT, DATABASE, ROOT, SETS, TENANT, Values, leaves, render

DEFAULTS: Values = yaml.safe_load(VALUES.read_text())
SCHEMA: Mapping[str, Any] = json.loads((CHART / "values.schema.json").read_text())


def test_helm_finds_nothing_to_complain_of(helm: Helm) -> None:
    told = helm.run("lint", "--strict", CHART)
    assert "0 chart(s) failed" in told
    assert "WARNING" not in told


@pytest.mark.parametrize("name", SETS)
def test_each_set_of_values_has_the_form_that_the_schema_tells(name: str) -> None:
    jsonschema.validate(_merged(DEFAULTS, SETS[name]), SCHEMA)


@pytest.mark.parametrize(
    "url", [DATABASE, "mssql://cirahub@db.example/cirahub?untested=accepted&login=entra"]
)
def test_a_database_of_each_kind_has_the_form_that_the_schema_tells(url: str) -> None:
    jsonschema.validate(_merged(DEFAULTS, {"database": {"url": url}}), SCHEMA)


def test_the_schema_knows_each_value_and_no_other() -> None:
    assert _closed(SCHEMA) == set(_groups(DEFAULTS))


def test_each_value_has_a_comment() -> None:
    told = entries(VALUES.read_text())
    assert [one.path for one in told if not one.about.endswith(".")] == []
    # What is in a mapping with one comment for all of it is told by that.
    paths = {one.path for one in told}
    silent = [path for path, _ in leaves(DEFAULTS) if not _starts(path, paths)]
    assert silent == []


def test_the_page_of_the_values_is_as_they_are() -> None:
    assert PAGE.read_text() == page(VALUES.read_text()), "run `make generate`"


def test_the_everything_set_has_every_value_but_those_that_exclude_others() -> None:
    """So that a new value is rendered, and looked at by the API server, in some set."""
    set_somewhere = {path for values in SETS.values() for path, _ in leaves(values)}
    never = {path for path, _ in leaves(DEFAULTS) if not _touched(path, set_somewhere)}
    assert never == {
        ("fullnameOverride",),
        ("podDisruptionBudget", "enabled"),
        ("metrics", "serviceMonitor", "interval"),
        ("metrics", "serviceMonitor", "scrapeTimeout"),
        ("networkPolicy", "metricsFrom"),
        *(path for path, _ in leaves(DEFAULTS) if path[0].endswith(("Probe", "ecurityContext"))),
    }


def test_chart_and_operator_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == project["version"]
    kinds = {one["name"] for one in yaml.safe_load(chart["annotations"]["artifacthub.io/crds"])}
    assert {f"{name}.yaml" for name in _files(kinds)} == {
        path.name for path in (ROOT / "crds").iterdir()
    }


def _files(definitions: set[str]) -> set[str]:
    return {"_".join(reversed(one.split(".", 1))) for one in definitions}


REFUSED: dict[str, tuple[Values, str]] = {
    "a value that there is not": ({"replicas": 2}, r"'replicas' not allowed"),
    "a misspelt one below": ({"image": {"tags": "1"}}, r"/image.*'tags' not allowed"),
    "another type": ({"replicaCount": "two"}, r"/replicaCount.*want integer"),
    "no such choice": ({"log": {"format": "xml"}}, r"/log/format.*'json', 'console'"),
    "no duration": ({"eraseTimeout": "an hour"}, r"/eraseTimeout.*'an hour'"),
    "no digest": ({"image": {"digest": "latest"}}, r"/image/digest.*'latest'"),
    "no namespace": ({"namespaces": ["Team A"]}, r"/namespaces/0.*'Team A'"),
    "a namespace twice": ({"namespaces": ["a", "a"]}, r"/namespaces.*equal"),
    "an access mode for many": (
        {"persistence": {"accessModes": ["ReadWriteMany"]}},
        r"/persistence/accessModes/0.*ReadWriteOnce",
    ),
    "our own label": (
        {"podLabels": {"app.kubernetes.io/name": "x"}},
        r"podLabels: app.kubernetes.io/name is for the chart to set",
    ),
    "no origin": (
        {"endpoints": {"origins": {"graph.microsoft.com": "https://relay.example"}}},
        r"/endpoints/origins.*'graph.microsoft.com' not allowed",
    ),
    "an argument without dashes": ({"extraArgs": ["debug"]}, r"/extraArgs/0.*'debug'"),
    "sign-in with nothing": (
        {"rbac": {"signIn": [{"namespace": "team-a"}]}},
        r"/rbac/signIn/0.*serviceAccounts",
    ),
    "all Secrets of a namespace": (
        {"rbac": {"signIn": [{"namespace": "team-a", "secrets": []}]}},
        r"/rbac/signIn/0/secrets.*minItems",
    ),
    "replicas on one file": ({"replicaCount": 2}, r"replicaCount is 2.*database.existingSecret"),
    "two stores": (
        {
            "database": {"existingSecret": {"name": "postgres"}},
            "persistence": {"existingClaim": "store"},
        },
        r"persistence.existingClaim and database.existingSecret.name",
    ),
    "a password for all to see": (
        {"database": {"url": "postgresql://cirahub:s3cret@db.example/cirahub"}},
        r"/database/url.*does not match pattern",
    ),
    "a password among the parameters": (
        {"database": {"url": "postgresql://cirahub@db.example/cirahub?password=s3cret"}},
        r"/database/url",
    ),
    "two databases": (
        {"database": {"url": DATABASE, "existingSecret": {"name": "postgres"}}},
        r"database.existingSecret.name and database.url are two databases",
    ),
    "a claim beside a database": (
        {"database": {"url": DATABASE}, "persistence": {"existingClaim": "store"}},
        r"persistence.existingClaim and database.url are two stores",
    ),
    "a password for no URL": (
        {"database": {"existingSecret": {"name": "a"}, "passwordSecret": {"name": "b"}}},
        r"database.passwordSecret.name is for database.url",
    ),
    "a token and a password": (
        {"database": {"url": f"{DATABASE}?login=entra", "passwordSecret": {"name": "b"}}},
        r"login=entra, and database.passwordSecret.name is another way",
    ),
    "a token for nobody": (
        {"database": {"url": f"{DATABASE}?login=entra"}},
        r"login=entra, and the operator has no identity.*workloadIdentity.enabled",
    ),
    "a token of half an identity": (
        {
            "database": {"url": f"{DATABASE}?login=entra"},
            "workloadIdentity": {"enabled": True, "projectToken": True, "clientID": CLIENT},
        },
        r"login=entra: set workloadIdentity.clientID and workloadIdentity.tenantID",
    ),
    "two keys": (
        {"encryptionKey": {"existingSecret": {"name": "key"}, "volume": {"emptyDir": {}}}},
        r"encryptionKey.existingSecret.name and encryptionKey.volume",
    ),
    "an identity that the operator has not got": (
        {"ownIdentity": [{"namespace": "team-a", "tenant": TENANT}]},
        r"set workloadIdentity.enabled",
    ),
    "an identity without its id": (
        {"workloadIdentity": {"enabled": True}},
        r"workloadIdentity.clientID is blank",
    ),
    "sign-in where nobody serves": (
        {
            "namespaces": ["team-a"],
            "rbac": {"signIn": [{"namespace": "team-b", "secrets": ["s"]}]},
        },
        r"rbac.signIn names the namespace team-b.*add it to namespaces",
    ),
    "an own identity where nobody serves": (
        {
            "namespaces": ["team-a"],
            "workloadIdentity": {"enabled": True, "clientID": CLIENT},
            "ownIdentity": [{"namespace": "team-b", "tenant": TENANT}],
        },
        r"ownIdentity names the namespace team-b",
    ),
    "an account that has no name": (
        {"serviceAccount": {"create": False}},
        r"serviceAccount.name: name the ServiceAccount",
    ),
    "notifications over plain HTTP": (
        {"notifications": {"url": "http://hub.contoso.example/"}},
        r"/notifications/url.*'http://hub.contoso.example/'",
    ),
    "an ingress to nowhere": (
        {"notifications": {"ingress": {"enabled": True}}},
        r"notifications.url is blank",
    ),
    "a load balancer without TLS": (
        {"notifications": {"url": "https://a.example/", "service": {"type": "LoadBalancer"}}},
        r"notifications.service.type is LoadBalancer.*notifications.tls.existingSecret",
    ),
    "a monitor of no Service": (
        {"metrics": {"service": {"enabled": False}, "serviceMonitor": {"enabled": True}}},
        r"metrics.serviceMonitor.enabled needs metrics.service.enabled",
    ),
    "links that lead nowhere": (
        {"metrics": {"prometheusRule": {"runbookURL": "git.example.com/main"}}},
        r"/metrics/prometheusRule/runbookURL.*'git.example.com/main'",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_value_is_refused_by_its_name(helm: Helm, what: str) -> None:
    values, told = REFUSED[what]
    with pytest.raises(HelmFailedError) as refusal:
        render(helm, values)
    assert re.search(told, refusal.value.stderr.replace("\n", " ")), refusal.value.stderr


def test_a_parent_chart_may_set_values_for_all_of_its_parts(helm: Helm) -> None:
    render(helm, {"global": {"imageRegistry": "registry.example"}})


def test_rules_and_dashboards_are_taken_from_their_folders(helm: Helm) -> None:
    metrics = {
        "prometheusRule": {
            "enabled": True,
            "labels": {"release": "prometheus"},
            "runbookURL": "https://git.example.com/main/",
            "grafanaURL": "https://grafana.example.com/",
        },
        "dashboards": {"enabled": True, "annotations": {"folder": "Mail"}},
    }
    found = render(helm, {"metrics": metrics})
    rules = found.one("PrometheusRule")
    told = yaml.safe_load((CHART / "files/rules/cirahub.yaml").read_text())
    for group in told["groups"]:
        for rule in group["rules"]:
            texts = rule["annotations"]
            texts["runbook_url"] = f"https://git.example.com/main/{texts['runbook_url']}"
            texts["dashboard_url"] = f"https://grafana.example.com/{texts['dashboard_url']}"
    assert rules["spec"] == told
    assert rules["metadata"]["labels"]["release"] == "prometheus"
    made = [one for one in found.of("ConfigMap") if "dashboard" in one["metadata"]["name"]]
    files = {one.name: one.read_text() for one in (CHART / "files/dashboards").iterdir()}
    assert {name: text for one in made for name, text in one["data"].items()} == files
    for one in made:
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert one["metadata"]["annotations"] == {"folder": "Mail"}


def test_without_a_grafana_alerts_lead_to_none(helm: Helm) -> None:
    found = render(helm, {"metrics": {"prometheusRule": {"enabled": True}}})
    for group in found.one("PrometheusRule")["spec"]["groups"]:
        assert all("dashboard_url" not in rule["annotations"] for rule in group["rules"])


@pytest.mark.parametrize(
    ("image", "whole"),
    [
        ({}, "cirahub-operator:0.1.0"),
        ({"tag": "next"}, "cirahub-operator:next"),
        ({"digest": "sha256:" + "1" * 64}, "cirahub-operator@sha256:" + "1" * 64),
        (
            {"tag": "next", "digest": "sha256:" + "1" * 64},
            "cirahub-operator:next@sha256:" + "1" * 64,
        ),
    ],
)
def test_an_image_is_named_by_its_tag_its_digest_or_both(
    helm: Helm, image: Values, whole: str
) -> None:
    assert render(helm, {"image": image}).container["image"] == whole


def _merged(below: Values, above: Values) -> dict[str, Any]:
    """As Helm does it."""
    made = dict(below)
    for name, value in above.items():
        inner = made.get(name)
        both = isinstance(inner, dict) and isinstance(value, dict)
        made[name] = _merged(inner, value) if both and inner is not None else value
    return made


def _closed(schema: Mapping[str, Any], path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Paths of the values in objects that admit no others."""
    if "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    if schema.get("additionalProperties") is not False or "properties" not in schema:
        return set()
    names = {name for name in schema["properties"] if path or name != "global"}
    return {(*path, name) for name in names} | {
        one for name in names for one in _closed(schema["properties"][name], (*path, name))
    } - {(*path, name, "initialDelaySeconds") for name in names}


def _groups(values: Values) -> set[tuple[str, ...]]:
    """Paths of the defaults that are not of a free form."""
    free = {"resources", "podSecurityContext", "securityContext", "labels"}
    found: set[tuple[str, ...]] = set()
    for path, _ in leaves(values):
        cut = next((i + 1 for i, name in enumerate(path) if name in free), len(path))
        found |= {path[: i + 1] for i in range(cut)}
    return found


def _starts(path: tuple[str, ...], paths: set[tuple[str, ...]]) -> bool:
    return any(path[: len(one)] == one for one in paths)


def _touched(path: tuple[str, ...], paths: set[tuple[str, ...]]) -> bool:
    """Whether it, what is in it, or all of what it is in, is set."""
    return _starts(path, paths) or any(one[: len(path)] == path for one in paths)
