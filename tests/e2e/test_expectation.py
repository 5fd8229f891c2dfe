"""The expectation of `make e2e` and `make soak` sees what is not as it should be."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from demo.mailbox import Held
from demo.resources import Spoke
from e2e.errors import EndToEndError
from e2e.expectation import Expectation

ADDRESS = "ada@people.example"
ADA = {
    "displayName": "Ada",
    "emailAddresses": [{"address": ADDRESS, "name": "Ada"}],
    "birthday": "1815-12-10T00:00:00Z",
    "categories": ["Friends"],
}


def spoke(name: str, direction: str = "Contribute", **spec: object) -> Spoke:
    declared = {
        "metadata": {"name": name},
        "spec": {
            "mailbox": {"address": f"{name}@contoso.example"},
            "direction": direction,
            **spec,
        },
    }
    return msgspec.convert(declared, Spoke)


def held(item: str = "", **changes: object) -> Held:
    content: Mapping[str, object] = {k: v for k, v in {**ADA, **changes}.items() if v is not None}
    addresses = content.get("emailAddresses", [])
    assert isinstance(addresses, list)
    return Held(
        folder=(),
        id="1",
        immutable_id="1",
        version="1",
        name=str(content.get("displayName", "")),
        emails=frozenset(str(one["address"]) for one in addresses),
        is_copy=bool(item),
        custom_id="",
        content=dict(content),
        item=item,
    )


ANNA, BEN = spoke("anna"), spoke("ben")
BOB = spoke("bob", "Receive")
COPY = held("i1", categories=None)


def faults(
    told: Mapping[Spoke, list[Held]], copies: list[Held], receiver: Spoke = BOB
) -> list[str]:
    return list(Expectation(told).faults(receiver, copies))


def test_equal_copies_are_no_fault_and_own_contacts_of_a_receiver_are_nobody_s_business() -> None:
    own = held(displayName="Own", emailAddresses=[])

    assert faults({ANNA: [held()]}, [COPY, own]) == []


@pytest.mark.parametrize(
    ("copies", "fault"),
    [
        ([], f"Ada ({ADDRESS}) is missing"),
        ([COPY, COPY], "item i1 is there 2 times"),
        ([COPY, held("i2")], f"Ada ({ADDRESS}) is there 2 times, and should be 1 times at most"),
        ([held("i1", birthday=None)], f"Ada ({ADDRESS}): birthday is None, not '1815-"),
        ([held("i1", jobTitle="x")], f"Ada ({ADDRESS}): jobTitle is 'x', not None"),
        ([COPY, held("i3", emailAddresses=[{"address": "eve@x.example"}])], "and nobody has it"),
    ],
    ids=["missing", "twice", "two items", "lacks a field", "has too much", "nobody's"],
)
def test_what_differs_is_told(copies: list[Held], fault: str) -> None:
    assert fault in "\n".join(faults({ANNA: [held()]}, copies))


def test_somebody_whom_two_know_by_one_name_and_address_is_there_once() -> None:
    told = {ANNA: [held(jobTitle="x")], BEN: [held(department="y")]}

    assert faults(told, [held("i1", jobTitle="x", department="y")]) == []
    assert len(faults(told, [held("i1", jobTitle="x")])) == 1
    assert "should be 1 times" in "\n".join(
        faults(told, [held("i1", jobTitle="x", department="y"), held("i2", jobTitle="x")])
    )


def test_of_what_two_say_differently_one_is_there() -> None:
    told = {
        ANNA: [held(jobTitle="x", businessPhones=["1"])],
        BEN: [held(jobTitle="y", businessPhones=["2"])],
    }

    assert faults(told, [held("i1", jobTitle="y", businessPhones=["1", "2"])]) == []
    assert len(faults(told, [held("i1", jobTitle="z", businessPhones=["1"])])) == 1
    assert len(faults(told, [held("i1", jobTitle="x", businessPhones=["3"])])) == 1
    assert len(faults(told, [held("i1", jobTitle="x", businessPhones=None)])) == 1


def test_two_contacts_of_one_mailbox_stay_two_and_each_copy_is_of_one_of_them() -> None:
    told = {ANNA: [held(jobTitle="x"), held(department="y")]}

    assert faults(told, [held("i1", jobTitle="x"), held("i2", department="y")]) == []
    assert len(faults(told, [held("i1", jobTitle="z"), held("i2", department="y")])) == 1


def test_whoever_has_no_address_has_a_copy_of_each() -> None:
    nobody = held(emailAddresses=[])
    copy = held("i1", emailAddresses=[])
    told = {ANNA: [nobody], BEN: [nobody]}

    assert faults(told, [copy, held("i2", emailAddresses=[])]) == []
    assert "is missing" in "\n".join(faults(told, [copy]))
    assert "too often" in "\n".join(faults({ANNA: [nobody]}, [copy, copy]))


def test_what_spokes_say_of_fields_and_filters_is_followed() -> None:
    terms = [{"field": "domain", "operator": "In", "values": ["people.example"]}]
    shy = spoke("shy", contributes={"exclude": ["birthday"]})
    choosy = spoke("choosy", contributes={"filter": {"none": terms}})
    plain = spoke("plain", "Receive", receives={"include": ["displayName", "emails"]})
    labelled = spoke("labelled", "Receive", receives={"mapping": [{"addCategory": "Staff"}]})

    assert faults({shy: [held()]}, [held("i1", birthday=None)]) == []
    assert len(faults({shy: [held()]}, [COPY])) == 1
    assert faults({choosy: [held()]}, []) == []
    assert len(faults({choosy: [held()]}, [COPY])) == 1
    assert faults({ANNA: [held()]}, [held("i1", birthday=None)], plain) == []
    assert len(faults({ANNA: [held()]}, [held("i1", displayName="Eve")], plain)) == 1
    assert faults({ANNA: [held()]}, [held("i1", categories=["Staff"])], labelled) == []
    assert len(faults({ANNA: [held()]}, [COPY], labelled)) == 1


def test_who_has_somebody_themselves_gets_no_copy() -> None:
    carla = spoke("carla", "TwoWay")
    told = {ANNA: [held()], carla: [held()]}

    assert faults(told, [held()], carla) == []
    assert "is there 2 times" in "\n".join(faults(told, [held(), COPY], carla))


def test_a_filter_that_it_does_not_know_is_told() -> None:
    term = {"field": "company", "operator": "In", "values": ["x"]}
    choosy = spoke("choosy", contributes={"filter": {"none": [term]}})

    with pytest.raises(EndToEndError, match="teach it"):
        faults({choosy: [held()]}, [])
