"""The manifests that are made from the rules."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from tests.operator.conftest import ROOT
from tests.operator.stage import POLL, WITHIN

from cirahub_operator.api import KINDS
from cirahub_operator.permissions import RULES, manifests
from cirahub_operator.permissions.generate import files, main
from cluster import Cluster, ControlPlane, KubectlFailedError

READERS_AND_WRITERS = {
    "view": (("get", "list", "watch"), ("create", "patch", "delete")),
    "edit": (("get", "create", "patch", "delete", "deletecollection"), ()),
    "admin": (("get", "create", "patch", "delete", "deletecollection"), ()),
}


def test_what_is_committed_is_what_the_rules_say() -> None:
    for path, text in files().items():
        assert (ROOT / path).read_text() == text, "run `make generate`"


def test_drift_is_found_and_mended(tmp_path: Path) -> None:
    run = CliRunner().invoke
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/written-by-hand.md").touch()
    assert run(main, ["--root", str(tmp_path), "--check"]).exit_code == 1
    assert run(main, ["--root", str(tmp_path)]).exit_code == 0
    assert run(main, ["--root", str(tmp_path), "--check"]).exit_code == 0
    page = tmp_path / "docs/permissions.md"
    page.write_text(page.read_text().replace("TokenRequest", "Token"))
    drifted = run(main, ["--root", str(tmp_path), "--check"])
    assert drifted.exit_code == 1
    assert "docs/permissions.md differs" in drifted.stderr


def test_no_rule_is_wider_than_it_looks() -> None:
    for rule in RULES:
        assert "*" not in {rule.group, *rule.resources, *rule.verbs}
        kinds = {resource.partition("/")[0] for resource in rule.resources}
        assert rule.opt_in == bool(kinds & {"secrets", "serviceaccounts"})
        assert rule.names or not rule.opt_in
        assert rule.why.endswith(".")
        assert rule.without.endswith(".")


def test_no_key_is_given_twice_and_no_action_granted_twice() -> None:
    keys = [rule.key for rule in RULES]
    actions = [action for rule in RULES for action in rule.actions]
    assert len(set(keys)) == len(keys)
    assert len(set(actions)) == len(actions)


@pytest.mark.parametrize("name", manifests.files())
def test_each_file_is_taken_as_it_is(
    own_control_plane: ControlPlane, namespace: str, name: str
) -> None:
    """But for `cirahub-system`, which is made first. Not on a cluster that we were handed: there it
    may be in use."""
    office = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": manifests.NAMESPACE}}
    own_control_plane.kubectl("apply", "-f", "-", input=yaml.safe_dump(office))
    path = ROOT / "charts/cirahub-operator/generated/rbac" / name
    options = () if _fixed(path) else ("-n", namespace)
    told = own_control_plane.kubectl(*options, "apply", "--dry-run=server", "-f", path)
    assert told.count("server dry run") == len(list(yaml.safe_load_all(path.read_text())))


@pytest.mark.parametrize("served", [manifests.NAMESPACE, "kube-system"])
def test_a_role_for_serving_replaces_none_of_the_operator_s_own(served: str) -> None:
    """`kubectl apply -n NAMESPACE` takes what has the same kind and name for the same object."""
    own = _named(manifests.files()["operator.yaml"], served)
    serving = _named(manifests.files()["served-namespace.yaml"], served)
    assert own
    assert not own & serving


def _named(text: str, default: str) -> set[tuple[str, str]]:
    """Kinds and names of what is in a namespace."""
    return {
        (one["kind"], one["metadata"]["name"])
        for one in yaml.safe_load_all(text)
        if one["metadata"].get("namespace", default) == default and "Cluster" not in one["kind"]
    }


def _fixed(path: Path) -> bool:
    """Whether its objects say which namespace they belong to."""
    return any("namespace" in one["metadata"] for one in yaml.safe_load_all(path.read_text()))


@pytest.mark.parametrize("role", READERS_AND_WRITERS)
def test_the_roles_of_kubernetes_take_ours_in(
    own_control_plane: ControlPlane, definitions: None, namespace: str, role: str
) -> None:
    control_plane = own_control_plane
    if not control_plane.has_controllers:
        pytest.skip("needs kube-controller-manager, which adds roles up")
    people = ROOT / "charts/cirahub-operator/generated/rbac/people.yaml"
    control_plane.kubectl("apply", "-f", people)
    who = f"{role}-of-{namespace}"
    control_plane.kubectl(
        "-n", namespace, "create", "rolebinding", who, f"--clusterrole={role}", f"--user={who}"
    )
    may, may_not = READERS_AND_WRITERS[role]
    deadline = time.monotonic() + WITHIN
    while not _can(control_plane, namespace, who, may[-1], "hubs.cirahub.io"):
        assert time.monotonic() < deadline, "the roles were not added up"
        time.sleep(POLL)
    for kind in KINDS:
        resource = f"{kind.definition.plural}.cirahub.io"
        for verb in may:
            assert _can(control_plane, namespace, who, verb, resource), (verb, resource)
        for verb in may_not:
            assert not _can(control_plane, namespace, who, verb, resource), (verb, resource)
        for verb in ("patch", "update"):
            assert not _can(control_plane, namespace, who, verb, f"{resource}/status")


def _can(plane: Cluster, namespace: str, who: str, verb: str, what: str) -> bool:
    resource, _, subresource = what.partition("/")
    options = ("-n", namespace, f"--as={who}", f"--subresource={subresource}")
    try:
        return plane.kubectl("auth", "can-i", verb, resource, *options).strip() == "yes"
    except KubectlFailedError as error:
        if error.stderr.strip():
            raise
        return False  # that is how it says no
