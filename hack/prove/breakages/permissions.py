"""What is taken out of the operator's roles and of its look at them."""

from __future__ import annotations

from prove.breakage import Breakage

PERMISSIONS = "Permissions"
_ROOM = "operator/cirahub_operator/permissions"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=PERMISSIONS,
        what="every Secret may be read by default",
        file=f"{_ROOM}/rules.py",
        old="        names=(EXAMPLE_SECRET,),\n        opt_in=True,\n",
        new="",
        tests="tests/rbac/test_manifests.py::test_no_rule_is_wider_than_it_looks",
    ),
    Breakage(
        guards=PERMISSIONS,
        what="a token may be asked for of any ServiceAccount",
        file=f"{_ROOM}/rules.py",
        old='        verbs=("create",),\n        names=(EXAMPLE_ACCOUNT,),\n',
        new='        verbs=("create",),\n',
        tests="tests/rbac/test_manifests.py::test_no_rule_is_wider_than_it_looks",
    ),
    Breakage(
        guards=PERMISSIONS,
        what="the roles that are committed are wider than the rules",
        file="charts/cirahub-operator/generated/rbac/served-namespace.yaml",
        old='    resources: ["connections", "hubs", "spokes", "spokesets"]\n    verbs: ["get"]',
        new='    resources: ["*"]\n    verbs: ["get"]',
        tests="tests/rbac/test_manifests.py::test_what_is_committed_is_what_the_rules_say",
    ),
    Breakage(
        guards=PERMISSIONS,
        what="what is opted in to is asked for of everybody",
        file=f"{_ROOM}/review.py",
        old="        if not rule.opt_in and (where := places[rule.scope])",
        new="        if (where := places[rule.scope])",
        tests="tests/rbac/test_review.py::test_what_is_asked_for_follows_the_settings",
    ),
    Breakage(
        guards=PERMISSIONS,
        what="what is missing is not told to the readiness probe",
        file=f"{_ROOM}/review.py",
        old="            if not rule.optional and lacking.get(rule.key) == set(places)",
        new="            if not rule.optional and lacking.get(rule.key, set()) > set(places)",
        tests="tests/rbac/test_review.py::test_what_is_missing_is_logged_once_and_so_is_its_return",
        own_cluster=True,
    ),
    Breakage(
        guards=PERMISSIONS,
        what="one namespace without its role keeps the operator from being ready",
        file=f"{_ROOM}/review.py",
        old="            if not rule.optional and lacking.get(rule.key) == set(places)",
        new="            if not rule.optional and rule.key in lacking",
        tests="tests/rbac/test_review.py::"
        "test_a_namespace_that_lacks_its_role_takes_nothing_from_the_others",
        own_cluster=True,
    ),
    Breakage(
        guards=PERMISSIONS,
        what="one namespace that can't be listed keeps all others waiting",
        file="operator/cirahub_operator/relist.py",
        old="            if scope is None or self._objects.whole:",
        new="            if scope is None or scope:",
        tests="tests/rbac/test_review.py::"
        "test_a_namespace_that_lacks_its_role_takes_nothing_from_the_others",
        own_cluster=True,
    ),
    Breakage(
        guards=PERMISSIONS,
        what="a hub waits for a guest's namespace that can't be listed",
        file="operator/cirahub_operator/objects.py",
        old="[key for key in named if self._listed(key.namespace)]",
        new="[*named]",
        tests="tests/operator/test_objects.py::"
        "test_a_namespace_that_could_not_be_listed_holds_up_no_hub_of_another",
    ),
    Breakage(
        guards=PERMISSIONS,
        what="spokes that can't be listed are not missed",
        file="operator/cirahub_operator/reconcile/hub.py",
        old="        absent += sum(hub.admits(namespace) for namespace in objects.unlisted)\n",
        new="",
        tests="tests/operator/test_admission.py::"
        "test_spokes_of_a_namespace_that_cannot_be_listed_are_missed_in_a_pass",
    ),
    Breakage(
        guards=PERMISSIONS,
        what="it is not asked again what was missing",
        file=f"{_ROOM}/review.py",
        old="            await asyncio.sleep(SOON if self._needed else AGAIN)",
        new="            await asyncio.sleep(AGAIN)",
        tests="tests/rbac/test_review.py::"
        "test_it_is_asked_again_for_as_long_as_something_is_missing",
    ),
    Breakage(
        guards=PERMISSIONS,
        what="what a Connection has to be permitted is looked at when it is checked next, only",
        file="operator/cirahub_operator/wakes.py",
        old="            for connection in dict.fromkeys(through):\n"
        "                self._connections.ring(connection)",
        new="            for connection in ():\n                self._connections.ring(connection)",
        tests="tests/operator/test_connection.py::test_what_comes_to_be_needed_is_compared_at_once",
        own_cluster=True,
    ),
)
