"""A Connection's life on a real API server, with the engine scripted."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from cirahub_sync.configuration import ItemKind, Listed
from cirahub_sync.engine.report import PassReport, Problem
from cirahub_sync.errors import CredentialError, EndpointUnavailableError
from cirahub_sync.identity.base import Credential, SignIn
from cirahub_sync.needs import Needs

from .conftest import QUICK, Operate
from .scripted import SIGNED_IN, ScriptedEngine
from .stage import CLIENT, Stage, connection, hub, spoke


async def test_a_refused_sign_in_stalls_with_its_reason_and_recovers(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.check_error = CredentialError("the secret has expired", reason="SecretExpired")
    async with operate():
        await stage.apply(connection())
        await stage.comes("connection", "contoso", "True", "SecretExpired", of="Stalled")
        await stage.comes("connection", "contoso", "False", "SecretExpired", of="CredentialsReady")
        engine.check_error = None
        await stage.comes("connection", "contoso", "True", "SignedIn")
        assert await stage.condition("connection", "contoso", of="Stalled") == ("", "")


async def test_a_service_that_does_not_answer_is_tried_again(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.check_error = EndpointUnavailableError("login.microsoftonline.com does not answer")
    async with operate():
        await stage.apply(connection())
        await stage.comes("connection", "contoso", "True", "Retrying", of="Reconciling")
        await stage.until(lambda: len(engine.checked) >= 3)
        engine.check_error = None
        await stage.comes("connection", "contoso", "True", "SignedIn")


async def test_sign_in_is_checked_when_the_connection_changes_and_when_asked(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection())
        await stage.comes("connection", "contoso", "True", "SignedIn")
        assert len(engine.checked) == 1
        await stage.annotate("connection", "contoso", "reconcile.cirahub.io/requestedAt=now")
        await stage.until(lambda: len(engine.checked) == 2)
        auth = {"workloadIdentity": {"clientID": CLIENT, "serviceAccountName": "another"}}
        await stage.apply(connection(auth=auth))
        await stage.until(lambda: len(engine.checked) == 3)
    assert engine.checked[-1].auth.service_account.endswith("/another")  # type: ignore[union-attr]


async def test_sign_in_is_checked_on_its_own_clock(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate(timing=replace(QUICK, check_interval=0.3)):
        await stage.apply(connection())
        await stage.until(lambda: len(engine.checked) >= 3)


async def test_the_operators_own_identity_is_not_lent_out(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(
            connection(auth={"workloadIdentity": {"clientID": CLIENT}}), hub(), spoke()
        )
        await stage.comes("connection", "contoso", "True", "OwnIdentityNotAllowed", of="Stalled")
        await stage.comes("spoke", "ann", "True", "OwnIdentityNotAllowed", of="Stalled")
    assert engine.checked == []


async def test_a_connection_that_recovers_has_its_hubs_passed_over_at_once(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.check_error = CredentialError("the secret has expired", reason="SecretExpired")
    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("connection", "contoso", "True", "SecretExpired", of="Stalled")
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.annotate("hub", "staff", "reconcile.cirahub.io/requestedAt=now")
        await stage.until(lambda: len(engine.passes) >= 2)
        count = len(engine.passes)
        engine.check_error = None
        await stage.until(lambda: len(engine.passes) > count)


async def test_a_pass_that_is_refused_has_its_connection_looked_at(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    """Not only when the hour until the next check is over."""

    def refused(report: PassReport) -> None:
        for one in report.spokes.values():
            one.problem = Problem("AccessDenied", "403", stalled=True, access=True)

    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("hub", "staff", "True", "Synced")
        checks = len(engine.checked)
        engine.shape = refused
        engine.signed_in = SignIn(credential=Credential("workloadIdentity"), missing=("A",))
        await stage.until(lambda: len(engine.passes) >= 1)
        # A check of a moment ago would not be repeated.
        await asyncio.sleep(QUICK.retry_first)
        await stage.annotate("hub", "staff", "reconcile.cirahub.io/requestedAt=now")
        await stage.comes("connection", "contoso", "False", "PermissionMissing")
        assert len(engine.checked) > checks
        engine.shape = lambda report: None
        engine.signed_in = SIGNED_IN
        await stage.comes("connection", "contoso", "True", "SignedIn")
        await stage.comes("hub", "staff", "True", "Synced")


async def test_what_comes_to_be_needed_is_compared_at_once(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    contacts = frozenset({ItemKind.CONTACT})
    reads, writes = Needs(contacts), Needs(contacts, contacts)
    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("hub", "staff", "True", "Synced")
        assert engine.needs[-1] == reads
        await stage.apply(spoke("bob", direction="Receive"))
        await stage.until(lambda: engine.needs[-1] == writes)
        checks = len(engine.checked)
        await stage.synced(spoke("cora", direction="Receive"))
        await asyncio.sleep(3 * QUICK.retry_first)
        assert len(engine.checked) == checks, "one more of a kind needs nothing more"
        await stage.delete("spoke", "bob")
        await stage.delete("spoke", "cora")
        await stage.until(lambda: engine.needs[-1] == reads)


async def test_what_is_in_calendars_takes_permissions_of_its_own(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    events = hub(itemKind="Event")
    events["metadata"]["name"] = "rota"
    rota = spoke("rota", hubRef={"name": "rota"}, mailbox=None, calendar={"address": "a@x.example"})
    async with operate():
        await stage.apply(connection(), hub(), spoke(), events, rota)
        await stage.comes("hub", "rota", "True", "Synced")
        both = Needs(frozenset({ItemKind.CONTACT, ItemKind.EVENT}), frozenset())
        await stage.until(lambda: engine.needs[-1:] == [both])


async def test_what_an_address_list_lists_is_known_to_the_check(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    listed = spoke("gal", mailbox=None, globalAddressList={"include": ["Users", "Groups"]})
    async with operate():
        await stage.synced(connection(), hub(), listed)
        lists = frozenset({Listed.USERS, Listed.GROUPS})
        wanted = Needs(reads=frozenset(), lists=lists)
        await stage.until(lambda: engine.needs[-1:] == [wanted])


async def test_what_ends_soon_is_an_event_and_a_series_that_goes_with_the_connection(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    ends = float(int(time.time()) + 86_400)
    engine.signed_in = SignIn(credential=Credential("clientSecret", ends), missing=())
    series = "cirahub_connection_credential_expiry_timestamp_seconds{"
    async with operate() as operation:
        await stage.apply(connection())
        await stage.comes("connection", "contoso", "True", "ExpiresSoon", of="CredentialsExpiring")
        assert await stage.condition("connection", "contoso") == ("True", "SignedIn")
        await stage.meters(operation.metrics, series)
        await stage.told("CredentialsExpiring", "Connection")
        await stage.leaves("connection", "contoso")
        await stage.meters(operation.metrics, absent=series)


async def test_whether_filters_ask_for_groups_is_known_to_the_check(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    group = {"field": "group", "operator": "In", "values": ["team@contoso.com"]}
    receives = {"filter": {"all": [{**group, "connectionRef": {"name": "directory"}}]}}
    async with operate():
        await stage.apply(connection(), connection("directory"), hub())
        await stage.apply(spoke(direction="Receive", receives=receives))
        await stage.comes("hub", "staff", "True", "Synced")
        contacts = frozenset({ItemKind.CONTACT})
        wanted = {
            "contoso": Needs(contacts, contacts),
            "directory": Needs(frozenset(), frozenset(), groups=True),
        }

        def known() -> dict[str, Needs]:
            both = zip(engine.checked, engine.needs, strict=True)
            return {one.name.partition("/")[2]: needs for one, needs in both}

        await stage.until(lambda: known() == wanted)
