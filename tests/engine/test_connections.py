"""Whose token is used: that of a spoke's own Connection, as the Connection is now."""

from __future__ import annotations

import msgspec

from cirahub_sync.configuration import ClientSecretAuth, Direction, SecretFile

from .conftest import TENANT, Scene

UNKNOWN = "99999999-9999-4999-8999-999999999999"
STRANGER = ClientSecretAuth(TENANT, UNKNOWN, secret=SecretFile("test"))
"""An application that the tenant does not know."""


async def refused(scene: Scene) -> dict[str, str]:
    """The reasons for which spokes had no part in a pass, by uid."""
    report = await scene.sync()
    return {
        uid: spoke.problem.reason
        for uid, spoke in report.spokes.items()
        if spoke.problem is not None
    }


async def test_each_connection_signs_in_for_itself(scene: Scene) -> None:
    scene.connect("ada")
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    other = msgspec.structs.replace(
        scene.connection, uid="connection-2", name="default/other", auth=STRANGER
    )
    scene.spokes["ben"] = msgspec.structs.replace(
        scene.connect("ben", Direction.RECEIVE), connection=other
    )
    assert await refused(scene) == {"spoke-ben": "ClientNotFound"}
    assert scene.names("ben") == []


async def test_a_connection_that_changes_signs_in_anew(scene: Scene) -> None:
    known = scene.connection
    scene.connect("ada")
    await scene.settle()
    scene.connection = msgspec.structs.replace(known, auth=STRANGER)
    scene.connect("ada")
    assert await refused(scene) == {"spoke-ada": "ClientNotFound"}
    scene.connection = known
    scene.connect("ada")
    assert await refused(scene) == {}
