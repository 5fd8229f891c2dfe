"""What is taken out of what GitOps tools are told."""

from __future__ import annotations

from prove.breakage import Breakage

GITOPS = "GitOps"
_HEALTH = "examples/gitops/argocd-health.yaml"
_TESTS = "tests/gitops"
_TABLE = f"{_TESTS}/test_health.py::test_tools_tell_each_state_as_the_table_says"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=GITOPS,
        what="what nobody has looked at since it changed counts as healthy",
        file=_HEALTH,
        old="if obj.status.observedGeneration ~= obj.metadata.generation then",
        new="if false then",
        tests=f"{_TABLE}[changed]",
    ),
    Breakage(
        guards=GITOPS,
        what="what waits for a person counts as progressing",
        file=_HEALTH,
        old=" or is.DeletionGuarded",
        new="",
        tests=f"{_TABLE}[guarded]",
    ),
    Breakage(
        guards=GITOPS,
        what="a status says that it is about a generation that nobody looked at",
        file="operator/cirahub_operator/summary.py",
        old='        update={"conditions": conditions_of(hub.metadata, hub.status.conditions, '
        "statements, now)}\n",
        new='        update={"observed_generation": hub.metadata.generation, "conditions": '
        "conditions_of(hub.metadata, hub.status.conditions, statements, now)}\n",
        tests=f"{_TABLE}[first-pass]",
    ),
)
