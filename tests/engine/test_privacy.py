"""No secret and no personal data in logs, reports, plans and exceptions, and none readable in the
store (invariant 11). Canaries are planted in everything a contact can hold; every kind of fault
happens; then everything that was said and written is searched for them."""

from __future__ import annotations

import base64
import logging
import os
import traceback
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cirahub_simulator.directory import Group, OrgContact
from cirahub_sync.configuration import (
    AddressListTarget,
    Condition,
    Direction,
    Filter,
    Flow,
    Listed,
    MoreAddresses,
    Operator,
    SpokeConfig,
)
from cirahub_sync.endpoints.alias import alias_of
from cirahub_sync.endpoints.base import Stamp
from cirahub_sync.endpoints.graph.permissions import LIST_ROLES
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import CirahubError
from cirahub_sync.worker import Worker

from .conftest import CLIENT, SECRET, TENANT, Scene

CANARIES = (
    "Quetzalina",
    "Zimtstern",
    "quetz.zimtstern",
    "geheimnis-example",
    "5550147",
    "Schnurzelgasse",
    "likes marzipan",
    "Pimpernell",
    "quetzbox",
    SECRET,
)
CONTACT = {
    "displayName": "Quetzalina Zimtstern",
    "givenName": "Quetzalina",
    "surname": "Zimtstern",
    "email": "quetz.zimtstern@geheimnis-example.org",
    "businessPhones": ["+1 425 5550147"],
    "mobilePhone": "+1 425 5550147",
    "homeAddress": {"street": "Schnurzelgasse 3", "city": "Pimpernell"},
    "personalNotes": "likes marzipan",
    "children": ["Pimpernell"],
    "categories": ["Pimpernell"],
    "imAddresses": ["quetz.zimtstern@geheimnis-example.org"],
}
_SIMULATOR = ("cirahub_simulator", "aiohttp", "asyncio")
"""Loggers that are not the engine's: the simulator runs in this process."""


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(*_: object) -> None:
        return None

    monkeypatch.setattr(GraphSession, "_rest", at_once)


def _found(text: str) -> list[str]:
    folded = text.casefold()
    return [canary for canary in CANARIES if canary.casefold() in folded]


def _logged(said: pytest.LogCaptureFixture) -> str:
    formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")
    return "\n".join(
        formatter.format(record)
        for record in said.records
        if not record.name.startswith(_SIMULATOR)
    )


def _stored(scene: Scene) -> str:
    files = [Path(f"{scene.database}{suffix}") for suffix in ("", "-wal", "-shm")]
    return "\n".join(path.read_bytes().decode("latin-1") for path in files if path.exists())


def _people(scene: Scene) -> list[str]:
    spoke = scene.connect("quetzbox", Direction.TWO_WAY)
    scene.spokes["quetzbox"] = msgspec.structs.replace(spoke, uid="spoke-q", name="default/q")
    scene.connect("ben", Direction.TWO_WAY)
    scene.connect(
        "cy",
        Direction.RECEIVE,
        receives=Flow(
            filter=Filter(none=(Condition("category", Operator.IN, ("Pimpernell-not",)),))
        ),
    )
    people = [scene.add("quetzbox", **CONTACT)]
    people += [
        scene.add("quetzbox", displayName=f"Zimtstern {n}", email=f"quetz.zimtstern{n}@x.example")
        for n in range(5)
    ]
    scene.add("ben", **{**CONTACT, "jobTitle": "Pimpernell"})
    return people


async def test_a_pass_says_nothing_of_what_it_carries(
    scene: Scene, said: pytest.LogCaptureFixture
) -> None:
    lines: list[str] = []
    people = _people(scene)
    plan = await scene.worker.plan(scene.hub, list(scene.spokes.values()), progress=lines.append)
    reports = [await scene.sync(progress=lines.append)]
    scene.edit("quetzbox", people[0], jobTitle="Pimpernell one", surname="Zimtstern-1")
    scene.edit("ben", scene.held("ben")[0]["id"], jobTitle="Pimpernell two")
    reports.append(await scene.sync(progress=lines.append))
    scene.remove("quetzbox", people[1])
    reports.append(await scene.sync(progress=lines.append))
    erasure = await scene.erase("quetzbox")
    assert reports[1].conflicts or reports[0].conflicts, "the conflict's value is sealed too"
    assert scene.held("cy"), "something was carried"
    for told in (*reports, plan, erasure):
        assert _found(msgspec.json.encode(told).decode()) == []
    assert _found("\n".join(lines)) == []
    assert _found(_logged(said)) == []
    assert _found(_stored(scene)) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "status", "status": 400, "method": "POST", "path": "/contacts$"},
        {"kind": "status", "status": 400, "method": "GET", "path": "/contacts/AA"},
        {"kind": "status", "status": 403, "path": "contactFolders"},
        {"kind": "status", "status": 404, "path": "/users/"},
        {"kind": "status", "status": 410, "path": "delta"},
        {"kind": "status", "status": 412, "method": "PATCH"},
        {"kind": "status", "status": 429, "path": "contacts", "retry_after": 500},
        {"kind": "status", "status": 500, "moment": "after"},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 504, "moment": "after", "method": "POST"},
        {"kind": "drop"},
        {"kind": "drop", "moment": "after", "method": "POST"},
        {"kind": "truncate", "keep_bytes": 300},
        {"kind": "status", "status": 401, "service": "graph"},
        {"kind": "status", "status": 400, "service": "entra"},
    ],
    ids=lambda rule: "-".join(str(value) for value in rule.values()),
)
async def test_what_goes_wrong_is_told_without_content(
    scene: Scene, said: pytest.LogCaptureFixture, rule: dict[str, object]
) -> None:
    people = _people(scene)
    kind = str(rule.pop("kind"))
    told: list[object] = []
    for skip in (0, 3, 9):
        made = scene.admin.add_rule(kind, skip=skip, count=6, **rule)
        scene.edit("quetzbox", people[0], jobTitle=f"Pimpernell {skip}")
        told.append(await scene.sync())
        told.append(await scene.worker.plan(scene.hub, list(scene.spokes.values())))
        scene.admin.remove_rule(made)
    scene.admin.add_rule(kind, skip=1, count=4, **rule)
    told.append(await scene.erase("quetzbox"))
    for one in told:
        assert _found(msgspec.json.encode(one).decode()) == []
    assert _found(_logged(said)) == []
    assert _found(_stored(scene)) == []


async def test_an_unexpected_error_is_told_by_its_type_and_place_alone(
    scene: Scene, said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("Quetzalina Zimtstern, likes marzipan")

    _people(scene)
    monkeypatch.setattr("cirahub_sync.engine.natives.contact_digests", broken)
    report = await scene.sync()
    problem = report.spokes["spoke-q"].problem
    assert problem is not None
    assert problem.reason == "InternalError"
    assert "ValueError" in problem.message
    assert _found(msgspec.json.encode(report).decode()) == []
    assert _found(_logged(said)) == []


async def test_a_store_that_refuses_says_so_without_content(
    scene: Scene, said: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    _people(scene)
    await scene.settle()
    errors: list[CirahubError] = []
    key = tmp_path / "key"
    right = key.read_bytes()
    for content in (base64.b64encode(os.urandom(32)), b"Quetzalina", b"AAAA"):
        await scene.worker.close()
        key.write_bytes(content)
        with pytest.raises(CirahubError) as refused:
            scene._open()
        errors.append(refused.value)
    key.write_bytes(right)
    scene.worker = scene._open()
    assert isinstance(scene.worker, Worker)
    for error in errors:
        assert _found("".join(traceback.format_exception(error))) == []
    assert _found(_logged(said)) == []


@pytest.mark.parametrize(
    "rule",
    [
        None,
        {"kind": "status", "status": 403, "path": "/contacts/delta"},
        {"kind": "status", "status": 410, "path": "delta"},
        {"kind": "status", "status": 429, "path": "delta", "retry_after": 500},
        {"kind": "status", "status": 503, "path": "batch$", "moment": "after"},
        {"kind": "truncate", "keep_bytes": 300, "path": "/users/delta"},
        {"kind": "replace", "find": '"Pimpernell"', "put": "[7]"},
        {"kind": "drop", "path": "/groups/delta"},
    ],
    ids=lambda rule: "-".join(str(value) for value in (rule or {"none": ""}).values()),
)
async def test_an_address_list_is_told_of_without_content(
    scene: Scene, said: pytest.LogCaptureFixture, rule: dict[str, object] | None
) -> None:
    """Also of what is read and left out: a guest, and a mail contact of ours."""
    directory = scene.simulator.world.directory
    scene.admin.grant(CLIENT, TENANT, ["Contacts.ReadWrite", *sorted(LIST_ROLES.values())])
    user = directory.find_user(scene.mailbox("quetzbox"))
    guest = directory.find_user(scene.mailbox("schnurzelgasse-5550147"))
    assert user is not None
    assert guest is not None
    user.display_name, user.given_name, user.surname = "Quetzalina", "Quetzalina", "Zimtstern"
    user.mobile_phone, user.street_address, user.city = "5550147", "Schnurzelgasse", "Pimpernell"
    user.other_mails = ["quetz.zimtstern@geheimnis-example.org"]
    guest.user_type = "Guest"
    address = "quetz.zimtstern@geheimnis-example.org"
    mail: dict[str, Any] = {"tenant_id": TENANT, "mail": address, "display_name": "Zimtstern"}
    directory.add_org_contact(OrgContact(id="c1", mail_nickname="quetz.zimtstern", **mail))
    ours = alias_of(Stamp("another", "hub", 32 * "a", "spoke", "1"))
    directory.add_org_contact(OrgContact(id="c2", mail_nickname=ours, **mail))
    directory.add_group(Group(id="g1", mail_enabled=True, **mail))
    target = AddressListTarget(include=tuple(Listed), more_addresses=tuple(MoreAddresses))
    scene.spokes["gal"] = SpokeConfig("spoke-gal", "default/gal", scene.connection, target)
    scene.connect("ben", Direction.RECEIVE)
    told: list[object] = [await scene.sync()]
    assert scene.names("ben").count("Zimtstern") == 2, "something was carried"
    made = None
    if rule is not None:
        fault = {key: value for key, value in rule.items() if key != "kind"}
        made = scene.admin.add_rule(str(rule["kind"]), service="graph", **fault)
    user.department = "Pimpernell"
    told += [await scene.sync(), await scene.worker.plan(scene.hub, list(scene.spokes.values()))]
    if made is not None:
        scene.admin.remove_rule(made)
    directory.remove_user(user.id)
    told += [await scene.sync(), await scene.erase("gal")]
    for one in told:
        assert _found(msgspec.json.encode(one).decode()) == []
    assert _found(_logged(said)) == []
    assert _found(_stored(scene)) == []
