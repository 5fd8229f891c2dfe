"""From the address in a manifest to the id of the user whose mailbox it is."""

from __future__ import annotations

from cirahub_sync.endpoints.graph import wire
from cirahub_sync.endpoints.graph.answers import failure, read
from cirahub_sync.endpoints.graph.place import DIRECTORY_LANE, DIRECTORY_ROLES, query, segment
from cirahub_sync.endpoints.graph.properties import quoted
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import TargetNotFoundError


async def user_id(session: GraphSession, address: str) -> str:
    """By user principal name or id; after that by `mail`, the primary address. Others
    (`proxyAddresses`) would take a role that reads whole profiles. Raises TargetNotFoundError."""
    what = f"connection {session.connection.name}: the user of a spoke's mailbox"
    answer = await session.ask(
        DIRECTORY_LANE,
        f"/v1.0/users/{segment(address)}?{query(select='id')}",
        what=what,
        role=DIRECTORY_ROLES,
    )
    if answer.status == 404:
        return await _by_address(session, address, what)
    if not answer.ok:
        raise failure(answer, what, role=DIRECTORY_ROLES)
    return read(wire.USER, answer, what).id


async def _by_address(session: GraphSession, address: str, what: str) -> str:
    answer = await session.get(
        DIRECTORY_LANE,
        f"/v1.0/users?{query(filter=f'mail eq {quoted(address)}', select='id')}",
        what=what,
        role=DIRECTORY_ROLES,
    )
    users = read(wire.USER_PAGE, answer, what).value
    if len(users) != 1:
        count = "no user" if not users else f"{len(users)} users"
        raise TargetNotFoundError(
            f"{what}: the tenant {session.connection.tenant_id} has {count} with this user "
            "principal name or primary address; restore the user, or delete the spoke and create "
            "one for another mailbox"
        )
    return users[0].id
