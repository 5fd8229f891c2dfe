"""What GitOps tools make of the statuses that the operator writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import yaml
from lupa import lua51
from tests.operator.conftest import ROOT, Operate
from tests.operator.scripted import ScriptedEngine
from tests.operator.stage import Manifest, Stage

from cluster.errors import KubectlFailedError
from cluster.kstatus import Kstatus

from .states import CURRENT, STATES, State

EXAMPLE = ROOT / "examples/gitops/argocd-health.yaml"
PAGE = ROOT / "docs/gitops.md"
SHORTLY = "--timeout=1s"

each_state = pytest.mark.parametrize("state", STATES, ids=lambda one: one.id)


def script() -> str:
    """Argo CD's for all of our kinds."""
    customizations = yaml.safe_load(EXAMPLE.read_text())["data"]["resource.customizations"]
    found: str = yaml.safe_load(customizations)["cirahub.io/*"]["health.lua"]
    return found


def health(found: Manifest) -> tuple[str, str]:
    """What Argo CD shows of an object: status and message. It runs scripts in a Lua 5.1 of its own,
    with the object as `obj`, and takes a table with these two."""
    lua = lua51.LuaRuntime(unpack_returned_tuples=True)
    lua.globals()["obj"] = lua.table_from(found, recursive=True)
    told = lua.execute(script())
    return str(told["status"]), str(told["message"])


@asynccontextmanager
async def brought_about(
    state: State, stage: Stage, engine: ScriptedEngine, operate: Operate
) -> AsyncIterator[None]:
    """While the operator runs, unless the state is one without it."""
    state.script(engine)
    if state.comes is None:
        await stage.apply(*state.manifests)
        yield
        return
    async with operate():
        await stage.apply(*state.manifests)
        type_, *condition = state.comes
        await stage.comes(state.kind, state.name, *condition, of=type_)
        if state.after is None:
            yield
    if state.after is not None:
        await state.after(stage)
        yield


@each_state
async def test_tools_tell_each_state_as_the_table_says(
    state: State, stage: Stage, engine: ScriptedEngine, operate: Operate, kstatus: Kstatus
) -> None:
    async with brought_about(state, stage, engine, operate):
        found = await stage.get(state.kind, state.name)
        assert found is not None
        assert await asyncio.to_thread(kstatus.of, [found]) == [state.kstatus]
        status, message = health(found)
        assert status == state.argo
        assert state.message in message
        waited = stage.kubectl("wait", state.kind, state.name, "--for=condition=Ready", SHORTLY)
        if state.kstatus == CURRENT:
            assert "condition met" in await waited
        else:
            with pytest.raises(KubectlFailedError, match="timed out"):
                await waited


def test_the_page_has_the_table() -> None:
    rows = [f"| {one.means} | {one.kstatus} | {one.argo} |" for one in STATES]
    assert "\n".join(rows) in PAGE.read_text()
