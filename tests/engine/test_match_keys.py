"""What keys match by: forms of one value, regions of phone numbers, and a matchOn that changes."""

from __future__ import annotations

from typing import Any

import pytest

from cirahub_sync.configuration import Direction

from .conftest import Scene

NUMBER = "String {00020329-0000-0000-C000-000000000046} Name EmployeeNumber"


def numbered(value: str) -> dict[str, Any]:
    return {"singleValueExtendedProperties": [{"id": NUMBER, "value": value}]}


@pytest.mark.parametrize(
    ("rule", "one", "other"),
    [
        ("email", {"email": "jos\u00e9@contoso.example"}, {"email": "JOSE\u0301@Contoso.example"}),
        ("phone", {"mobilePhone": "(425) 555-0100"}, {"homePhones": ["+1 425 555 0100"]}),
        (
            "nameAndCompany",
            {"companyName": "Contoso \uff2c\uff54\uff44"},
            {"companyName": "CONTOSO LTD"},
        ),
        ("custom:EmployeeNumber", numbered("a-17"), numbered(" A-17 ")),
    ],
    ids=["email", "phone", "nameAndCompany", "custom"],
)
async def test_a_key_matches_in_every_form_it_is_written_in(
    scene: Scene, rule: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    scene.configure(match_on=(rule,))
    scene.connect("ada")
    scene.connect("ben")
    scene.add("ada", displayName="Ann Berg", **one)
    await scene.settle()
    scene.add("ben", displayName="ANN  berg", **other)
    assert (await scene.settle()).items == 1


@pytest.mark.parametrize("first", ["ada", "ben"])
async def test_a_phone_number_is_read_in_the_region_of_its_mailbox(
    scene: Scene, first: str
) -> None:
    scene.configure(match_on=("phone",), default_region="US")
    scene.connect("ada", default_region="GB")
    scene.connect("ben")
    scene.connect("cy")
    numbers = {"ada": "020 7946 0018", "ben": "+44 20 7946 0018"}
    for name in sorted(numbers, key=lambda name: name != first):
        scene.add(name, displayName="Ann", mobilePhone=numbers[name])
        await scene.settle()
    assert (await scene.sync()).items == 1
    scene.add("cy", displayName="Anna", mobilePhone="+44 (0)20 7946 0018")
    assert (await scene.settle()).items == 1
    scene.add("cy", displayName="Zoe", mobilePhone="020 7946 0018")
    assert (await scene.settle()).items == 2, "in the United States it is another number"


async def test_a_mailbox_that_is_away_keeps_its_region(scene: Scene) -> None:
    scene.configure(match_on=("phone",), default_region="US")
    scene.connect("ada", default_region="GB")
    scene.connect("ben", Direction.TWO_WAY)
    scene.connect("cy")
    scene.add("ada", displayName="Ann", mobilePhone="020 7946 0018")
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Baker")
    away = scene.spokes.pop("ada")
    await scene.sync(2, absent=1)
    scene.add("cy", displayName="Ann", mobilePhone="+44 20 7946 0018")
    await scene.sync(2, absent=1)
    scene.spokes["ada"] = away
    assert (await scene.settle()).items == 1


async def test_a_matchon_that_changes_neither_merges_nor_splits_what_is_there(
    scene: Scene,
) -> None:
    """New keys are for what comes; of what is there all are made anew, also of who is away."""
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy")
    shared = "+1 425 555 0100"
    scene.add("ada", displayName="Ann", email="ann@contoso.example")
    scene.add("ada", displayName="Bob", email="bob@contoso.example", mobilePhone="+1 425 555 0111")
    scene.add("ben", displayName="Ann", email="ann@contoso.example", mobilePhone=shared)
    scene.add("ben", displayName="Cat", email="cat@contoso.example", mobilePhone=shared)
    assert (await scene.settle()).items == 3
    away = scene.spokes.pop("ada")
    scene.configure(match_on=("phone",))
    assert (await scene.sync(absent=1)).items == 3, "Ann and Cat have one number"
    scene.add("cy", displayName="Robert", email="r@contoso.example", mobilePhone="(425) 555-0111")
    scene.add("cy", displayName="Who", email="ann@contoso.example", mobilePhone=shared)
    assert (await scene.sync(absent=1)).items == 4, "Bob is found, Ann and Cat are ambiguous"
    scene.spokes["ada"] = away
    assert (await scene.settle()).items == 4
    scene.configure(match_on=("email",))
    assert (await scene.settle()).items == 4
    scene.forget()
    await scene.sync()
    assert scene.writes() == []


async def test_keys_are_made_anew_before_anything_is_matched_by_them(scene: Scene) -> None:
    scene.connect("ada")
    scene.add("ada", displayName="Ann", email="ann@contoso.example", mobilePhone="+1 425 555 0100")
    await scene.settle()
    scene.configure(match_on=("phone",))
    scene.connect("ben")
    scene.add("ben", displayName="Anna", mobilePhone="425 555 0100")
    assert (await scene.sync()).items == 1


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("email", {"email": "ann@old.example"}, {"email": "ann@new.example"}),
        ("phone", {"mobilePhone": "+1 425 555 0100"}, {"mobilePhone": "+1 425 555 0199"}),
        ("nameAndCompany", {"companyName": "Contoso"}, {"companyName": "Fabrikam"}),
        ("custom:EmployeeNumber", numbered("a-17"), numbered("a-18")),
    ],
    ids=["email", "phone", "nameAndCompany", "custom"],
)
async def test_an_edit_of_what_an_item_is_matched_by_gives_it_other_keys(
    scene: Scene, rule: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    scene.configure(match_on=(rule,))
    for name in ("ada", "ben", "cy"):
        scene.connect(name)
    ann = scene.add("ada", displayName="Ann Berg", **before)
    await scene.settle()
    scene.edit("ada", ann, **after)
    await scene.settle()
    scene.edit("ada", ann, jobTitle="Baker")
    await scene.settle()
    scene.add("ben", displayName="Ann Berg", **after)
    assert (await scene.settle()).items == 1
    scene.add("cy", displayName="Ann Berg", **before)
    assert (await scene.settle()).items == 2, "nobody has the old one any more"
