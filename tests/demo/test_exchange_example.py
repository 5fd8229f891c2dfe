"""`examples/exchange-server`, applied to a Kubernetes API and played against the simulator."""

from __future__ import annotations

from tests.demo.contacts import PublicFolders, Shown, shown
from tests.demo.played import Played

from demo.stage import Stage

ANNA = "anna.bergstrom@contoso.example"
BJORN = "bjorn.eriksson@contoso.example"
OLGA = "olga.nowak@adatum.example"
PAUL = "paul.lefevre@adatum.example"
FOLDER = "Everybody"


def test_a_mailbox_a_server_s_mailbox_and_a_public_folder_are_one_hub(stage: Stage) -> None:
    example = Played(stage, "exchange-server")
    admin = example.admin
    example.apply()
    public = PublicFolders(example.simulator)

    def folder(mailbox: str, name: str = "") -> Shown:
        return shown(example.simulator, mailbox, name)

    def equal() -> bool:
        copies = folder(BJORN, FOLDER)
        names = sorted(one[0] for one in copies)
        return (
            len(copies) > len(folder(OLGA))
            and copies == folder(PAUL, FOLDER)
            and names == public.names("Company Contacts", FOLDER)
        )

    example.until(equal)
    example.wait_ready()
    copies = folder(BJORN, FOLDER)
    sources = [folder(ANNA), folder(OLGA)]
    surnames = {one[1] for one in copies}
    for source in sources:
        assert {one[1] for one in source} <= surnames
    # Of somebody who is in several places, one display name is shown.
    assert set(public.names("Company Contacts")) & {one[0] for one in copies}

    # Paul edits a copy; it goes to the others, and to no place that only contributes.
    held = [one["contact"] for one in admin.contacts(PAUL) if one["folder"] == [FOLDER]]
    admin.update_contact(PAUL, held[0]["id"], {"displayName": "Nobody Else 人"})
    example.until(
        lambda: (
            any(one[0] == "Nobody Else 人" for one in folder(BJORN, FOLDER))
            and "Nobody Else 人" in public.names("Company Contacts", FOLDER)
        )
    )
    assert sources == [folder(ANNA), folder(OLGA)]

    # Who leaves takes the copies along, for good.
    example.erase("hub", "everybody")
    example.until(
        lambda: (
            not folder(BJORN, FOLDER)
            and not folder(PAUL, FOLDER)
            and not public.names("Company Contacts", FOLDER)
        )
    )
    assert sources == [folder(ANNA), folder(OLGA)]
    assert public.names("Company Contacts")
