"""The chart grants what `permissions` says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import yaml

from cirahub_operator.permissions import RULES, Rule, Scope, manifests
from cirahub_operator.permissions.manifests import AGGREGATED

from .rendering import GUESTS, SETS, TEAM, Manifest, Rendered

Of = Callable[[str], Rendered]


def rules(*scopes: Scope, lease: str = "cirahub-operator") -> list[dict[str, Any]]:
    """As they stand in a role."""
    return [
        _rule(rule, [lease] if rule.scope is Scope.OWN else rule.names)
        for rule in RULES
        if rule.scope in scopes and not rule.opt_in
    ]


def opted(keys: set[str], names: Sequence[str]) -> list[dict[str, Any]]:
    return [_rule(rule, names) for rule in RULES if rule.key in keys]


def _rule(rule: Rule, names: Sequence[str]) -> dict[str, Any]:
    made = {"apiGroups": [rule.group], "resources": list(rule.resources), "verbs": list(rule.verbs)}
    return {**made, "resourceNames": list(names)} if rule.names else made


def granted(found: Rendered, subject: str = "cirahub-operator") -> dict[str, list[Any]]:
    """By namespace (blank: everywhere), what is bound to the operator's account, in the order of
    the roles' names."""
    roles = {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one
        for kind in ("Role", "ClusterRole")
        for one in found.of(kind)
    }
    made: dict[str, list[Any]] = {}
    bindings = [*found.of("RoleBinding"), *found.of("ClusterRoleBinding")]
    for binding in sorted(bindings, key=lambda one: str(one["metadata"]["name"])):
        where = binding["metadata"].get("namespace", "")
        role = roles.pop((binding["roleRef"]["kind"], where, binding["roleRef"]["name"]))
        made.setdefault(where, []).extend(role["rules"])
        (account,) = binding["subjects"]
        assert account["name"] == subject
    left = {name for _, _, name in roles}
    assert all(name.endswith(("-view", "-edit")) for name in left), "bound to nobody"
    return made


def test_an_operator_of_all_namespaces_has_the_rules_and_no_opting_in(rendered: Of) -> None:
    assert granted(rendered("as it comes")) == {
        "": [*rules(Scope.SERVED), *rules(Scope.CLUSTER)],
        "cirahub-system": rules(Scope.OWN),
        "kube-system": rules(Scope.KUBE_SYSTEM),
    }


def test_an_operator_with_workers_may_make_jobs_where_it_is_and_nowhere_else(
    rendered: Of,
) -> None:
    assert granted(rendered("jobs")) == {
        "": [*rules(Scope.SERVED), *rules(Scope.CLUSTER)],
        "cirahub-system": [*rules(Scope.OWN), *rules(Scope.WORKERS)],
        "kube-system": rules(Scope.KUBE_SYSTEM),
    }


def test_an_operator_of_some_namespaces_has_no_rule_anywhere_else(rendered: Of) -> None:
    assert granted(rendered("some namespaces")) == {
        "cirahub-system": rules(Scope.OWN),
        TEAM: [
            *rules(Scope.SERVED),
            *opted({"account", "token"}, ["cirahub-sync", "cirahub-other"]),
        ],
        GUESTS: [*rules(Scope.SERVED), *opted({"secret"}, ["graph-client-secret"])],
    }


@pytest.mark.parametrize("name", SETS)
def test_secrets_and_tokens_are_granted_by_name_only_and_when_asked_for(
    rendered: Of, name: str
) -> None:
    asked = SETS[name].get("rbac", {}).get("signIn", [])
    names = {
        one
        for entry in asked
        for kind in ("serviceAccounts", "secrets")
        for one in entry.get(kind, ())
    }
    sensitive = [
        rule
        for role in (*rendered(name).of("Role"), *rendered(name).of("ClusterRole"))
        for rule in role["rules"]
        if {"secrets", "serviceaccounts", "serviceaccounts/token"} & set(rule["resources"])
    ]
    assert {one for rule in sensitive for one in rule["resourceNames"]} == names
    assert all(rule["resourceNames"] for rule in sensitive)


def test_the_lease_is_the_one_that_the_operator_is_told_of(rendered: Of) -> None:
    found = rendered("everything")
    name = found.one("Deployment")["metadata"]["name"]
    assert f"--lease-name={name}" in found.arguments
    own = granted(found, subject="cirahub")["cirahub-system"]
    assert own == rules(Scope.OWN, Scope.WORKERS, lease=name)


def test_people_get_the_same_roles_as_from_the_manifests(rendered: Of) -> None:
    def shape(role: Manifest) -> tuple[set[str], Any]:
        labels = role["metadata"]["labels"]
        return {one for one in labels if "aggregate-to" in one}, role["rules"]

    plain = yaml.safe_load_all(manifests.files()["people.yaml"])
    committed = {one["metadata"]["name"].rpartition("-")[2]: shape(one) for one in plain}
    found = {
        one["metadata"]["name"].rpartition("-")[2]: shape(one)
        for one in rendered("as it comes").of("ClusterRole")
        if one["metadata"]["name"].endswith(("-view", "-edit"))
    }
    assert found == committed
    assert set(found) == set(AGGREGATED)


def test_none_is_made_where_somebody_else_makes_them(rendered: Of) -> None:
    found = rendered("nothing that can be left out")
    kinds = {one["kind"] for one in found.manifests}
    assert not {kind for kind in kinds if "Role" in kind or kind == "ServiceAccount"}
    assert found.pod["spec"]["serviceAccountName"] == "theirs"
