"""Whoever applies manifests again and again owns what they say, and the operator nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml
from tests.operator.conftest import Operate
from tests.operator.stage import Manifest, Stage, connection, hub, spoke, spoke_set

TOOL = "kustomize-controller"
"""Flux's field manager."""
DECLARED = (connection(), hub(), spoke(), spoke_set())


async def applied(stage: Stage, command: str = "apply") -> str:
    """As Flux does it: server-side, in its own name, whoever else had a hand in it."""
    return await stage.kubectl(
        command,
        "--server-side",
        f"--field-manager={TOOL}",
        "-f",
        "-",
        stdin=yaml.safe_dump_all(DECLARED),
    )


def owned(found: Manifest) -> Iterator[tuple[str, str, list[str]]]:
    """Who owns what of an object: manager, subresource, and paths two levels deep."""
    for entry in found["metadata"]["managedFields"]:
        fields: Mapping[str, Mapping[str, object]] = entry["fieldsV1"]
        paths = [
            f"{outer.removeprefix('f:')}.{inner.removeprefix('f:')}"
            for outer, members in fields.items()
            for inner in members
            if inner != "."
        ]
        yield entry["manager"], entry.get("subresource", ""), paths


async def test_the_operator_owns_the_status_and_its_finalizer_and_nothing_that_git_declares(
    stage: Stage, operate: Operate
) -> None:
    async with operate():
        await applied(stage)
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.comes("spokeset", "everybody", "True", "Synced")
        for (kind, _), found in (await stage.objects()).items():
            others = [one for one in owned(found) if one[0] != TOOL]
            assert others, kind
            for manager, subresource, paths in others:
                if subresource == "status":
                    assert all(path.startswith("status.") for path in paths), (kind, manager)
                else:
                    assert paths == ["metadata.finalizers"], (kind, manager)


async def test_applying_again_meets_no_conflict_and_changes_nothing(
    stage: Stage, operate: Operate
) -> None:
    async with operate():
        await applied(stage)
        await stage.comes("hub", "staff", "True", "Synced")
        before = {
            key: one["metadata"]["generation"] for key, one in (await stage.objects()).items()
        }
        assert await applied(stage, "diff") == ""
        await applied(stage)
        after = {key: one["metadata"]["generation"] for key, one in (await stage.objects()).items()}
    assert before == after


async def test_every_field_explains_itself(stage: Stage) -> None:
    for kind in ("connection", "hub", "spoke", "spokeset"):
        told = await stage.kubectl("explain", f"{kind}.spec", "--recursive=false")
        assert "<no description>" not in told, kind
        assert "DESCRIPTION:" in told
