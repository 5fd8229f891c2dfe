"""Every rule of a mapping, from the page about Spokes to the mailbox: as docs/resources/spoke.md
has it, and what becomes of what is there already when the manifest changes."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from cirahub_sync.configuration import Direction, Flow, MappingRule, PhoneForm
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.tables import conflicts

from .conftest import Scene
from .page import connect_as_documented

RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY

ANN: dict[str, Any] = {
    "displayName": "Ann Lee",
    "givenName": "Ann",
    "surname": "Lee",
    "companyName": "Acme",
    "jobTitle": "Cook",
    "email": "ann@contoso.com",
}


def _only(scene: Scene, name: str) -> dict[str, Any]:
    (found,) = scene.held(name)
    return found


def _lost(scene: Scene) -> list[tuple[str, str, str, str]]:
    """Conflicts of the hub: field, loser, winner, value."""
    with scene.worker._store.hub(scene.hub.uid).read() as tx:
        return [
            (row.field, row.loser, row.winner, msgspec.msgpack.decode(_opened(tx, row), type=str))
            for row in tx.connection.execute(select(conflicts).order_by(conflicts.c.field))
        ]


def _opened(tx: Transaction, row: Any) -> bytes:
    return tx.cipher.open(row.value, f"conflicts/{tx.hub}/{row.item}")


async def test_prefix_and_suffix_as_documented(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    connect_as_documented(scene, "ben", "Prefix and suffix")
    scene.add("ada", **ANN)
    await scene.settle()
    copy = _only(scene, "ben")
    assert copy["displayName"] == "[Contoso] Ann Lee"
    assert copy["companyName"] == "Acme (via directory)"
    scene.edit("ben", copy["id"], displayName="[Contoso] Ann Ray")
    await scene.settle()
    assert _only(scene, "ada")["displayName"] == "Ann Ray"
    assert _only(scene, "ben")["displayName"] == "[Contoso] Ann Ray"


async def test_a_category_as_documented(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    connect_as_documented(scene, "ben", "A category")
    scene.add("ada", **ANN, categories=["Red"])
    await scene.settle()
    copy = _only(scene, "ben")
    assert sorted(copy["categories"]) == ["Directory", "Red"]
    scene.edit("ben", copy["id"], categories=["Directory", "Blue"])
    await scene.settle()
    assert _only(scene, "ada")["categories"] == ["Blue"]


async def test_a_domain_as_documented(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    connect_as_documented(scene, "ben", "A domain")
    scene.add("ada", **ANN)
    await scene.settle()
    copy = _only(scene, "ben")
    assert [e["address"] for e in copy["emailAddresses"]] == ["ann@contoso.onmicrosoft.com"]
    scene.edit("ben", copy["id"], email="lee@contoso.onmicrosoft.com")
    await scene.settle()
    assert [e["address"] for e in _only(scene, "ada")["emailAddresses"]] == ["lee@contoso.com"]


async def test_a_constant_as_documented(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    connect_as_documented(scene, "ben", "A constant")
    scene.add("ada", **ANN)
    await scene.settle()
    assert _only(scene, "ben")["jobTitle"] == "Partner"
    assert _only(scene, "ada")["jobTitle"] == "Cook"


async def test_a_template_as_documented(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    connect_as_documented(scene, "ben", "A template")
    ann = scene.add("ada", **ANN)
    await scene.settle()
    copy = _only(scene, "ben")
    assert (copy["displayName"], copy["fileAs"]) == ("Lee, Ann (Acme)", "Acme: Lee")
    assert _only(scene, "ada")["displayName"] == "Ann Lee"
    scene.edit("ada", ann, surname="Ray", companyName="")
    await scene.settle()
    copy = _only(scene, "ben")
    assert copy["displayName"] == "Ray, Ann"
    assert copy["fileAs"] == "Ray" or copy["fileAs"] == ": Ray", copy["fileAs"]


async def test_what_somebody_writes_over_a_template_is_put_right_and_kept_as_a_conflict(
    scene: Scene,
) -> None:
    scene.connect("ada", TWO_WAY)
    connect_as_documented(scene, "ben", "A template")
    scene.add("ada", **ANN)
    await scene.settle()
    copy = _only(scene, "ben")
    scene.edit("ben", copy["id"], displayName="Annie", jobTitle="Chef")
    report = await scene.sync()
    assert report.conflicts == 1
    assert _lost(scene) == [("display_name", "spoke-ben", "", "Annie")]
    await scene.settle()
    assert _only(scene, "ben")["displayName"] == "Lee, Ann (Acme)"
    ann = _only(scene, "ada")
    assert (ann["displayName"], ann["jobTitle"]) == ("Ann Lee", "Chef")
    scene.forget()
    assert (await scene.sync()).conflicts == 0
    assert scene.writes() == []


async def test_a_contributors_template_follows_the_fields_it_is_made_of(scene: Scene) -> None:
    template = MappingRule(field="displayName", template="{surname}[, {givenName}]")
    scene.connect("ada", TWO_WAY, contributes=Flow(mapping=(template,)))
    scene.connect("ben", RECEIVE)
    ann = scene.add("ada", **ANN)
    await scene.settle()
    assert _only(scene, "ben")["displayName"] == "Lee, Ann"
    scene.edit("ada", ann, surname="Ray")
    await scene.settle()
    assert _only(scene, "ben")["displayName"] == "Ray, Ann"
    assert _only(scene, "ada")["displayName"] == "Ann Ray", "as Graph makes it"
    scene.edit("ada", ann, displayName="Annie")
    await scene.settle()
    assert _only(scene, "ben")["displayName"] == "Ray, Ann"


async def test_a_template_that_is_changed_changes_what_is_there(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.connect("cy", TWO_WAY)
    scene.add("ada", **ANN)
    await scene.settle()
    step = MappingRule(field="displayName", template="{surname}")
    scene.connect("ben", RECEIVE, receives=Flow(mapping=(step,)))
    scene.connect("cy", TWO_WAY, receives=Flow(mapping=(step,)))
    await scene.settle()
    assert _only(scene, "ben")["displayName"] == _only(scene, "cy")["displayName"] == "Lee"
    step = MappingRule(field="displayName", template="{givenName}")
    scene.connect("ada", contributes=Flow(mapping=(step,)))
    scene.connect("ben", RECEIVE)
    scene.connect("cy", TWO_WAY)
    report = await scene.settle()
    assert report.conflicts == 0
    assert _only(scene, "ben")["displayName"] == _only(scene, "cy")["displayName"] == "Ann"


async def test_phone_numbers_as_documented(scene: Scene) -> None:
    """The hub's region is US, the mailbox's is DE."""
    scene.connect("ada", TWO_WAY)
    connect_as_documented(scene, "ben", "Phone numbers")
    scene.add("ada", displayName="Ann", mobilePhone="+49 30 123456", businessPhones=["5550101"])
    kim = scene.add("ben", displayName="Kim", mobilePhone="030 654321", homePhones=["110"])
    await scene.settle()
    copy = scene.the("ben", "Ann")
    assert (copy["mobilePhone"], copy["businessPhones"]) == ("030 123456", ["5550101"])
    there = scene.the("ada", "Kim")
    assert (there["mobilePhone"], there["homePhones"]) == ("+4930654321", ["110"])
    assert scene.the("ben", "Kim")["mobilePhone"] == "030 654321"
    scene.edit("ben", copy["id"], mobilePhone="030 123457")
    scene.edit("ben", kim, mobilePhone="030 654322")
    await scene.settle()
    assert scene.the("ada", "Ann")["mobilePhone"] == "+49 30 123457"
    assert scene.the("ada", "Kim")["mobilePhone"] == "+4930654322"
    scene.forget()
    await scene.settle()
    assert scene.writes() == []


async def test_a_number_that_only_the_mailboxs_region_knows_can_be_removed_there(
    scene: Scene,
) -> None:
    scene.connect("ada", TWO_WAY)
    connect_as_documented(scene, "ben", "Phone numbers")
    scene.add("ada", displayName="Ann", businessPhones=["030 123456", "+1 425 555 0101"])
    await scene.settle()
    copy = _only(scene, "ben")
    assert copy["businessPhones"] == ["030 123456", "+1 425-555-0101"]
    scene.edit("ben", copy["id"], businessPhones=["+1 425-555-0101"])
    await scene.settle()
    assert _only(scene, "ada")["businessPhones"] == ["+1 425 555 0101"]


async def test_a_phone_format_that_is_changed_changes_what_is_there(scene: Scene) -> None:
    def written(form: PhoneForm) -> Flow:
        return Flow(mapping=(MappingRule(phone_format=form),))

    scene.connect("ada")
    scene.connect("ben", RECEIVE, receives=written(PhoneForm.NATIONAL))
    scene.add("ada", displayName="Ann", mobilePhone="425-555-0101")
    await scene.settle()
    assert _only(scene, "ben")["mobilePhone"] == "(425) 555-0101"
    scene.connect("ben", RECEIVE, receives=written(PhoneForm.INTERNATIONAL))
    await scene.settle()
    assert _only(scene, "ben")["mobilePhone"] == "+1 425-555-0101"
    scene.connect("ben", RECEIVE)
    scene.connect("ada", contributes=written(PhoneForm.E164))
    await scene.settle()
    assert _only(scene, "ben")["mobilePhone"] == "+14255550101"
    assert _only(scene, "ada")["mobilePhone"] == "425-555-0101"
