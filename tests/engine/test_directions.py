"""What flows where: contribute, receive, two-way."""

from __future__ import annotations

from cirahub_sync.configuration import Direction

from .conftest import Scene


async def test_a_contact_arrives_in_a_receiving_mailbox(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE, folder="Team")
    scene.add("ada", displayName="Zoë Ångström", email="zoe@example.org", mobilePhone="+44 20 1")
    report = await scene.sync()
    assert report.spokes["spoke-ben"].problem is None
    copy = scene.the("ben", "Zoë Ångström", "Team")
    assert copy["emailAddresses"][0]["address"] == "zoe@example.org"
    assert copy["mobilePhone"] == "+44 20 1"
