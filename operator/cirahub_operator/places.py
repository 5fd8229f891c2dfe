"""Which places there are behind a Connection. Pure."""

from __future__ import annotations

from cirahub_operator.api import Spoke, SpokeSet
from cirahub_sync.configuration import ConnectionConfig, PasswordAuth
from cirahub_sync.engine.report import Problem


class UnresolvedError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def check_place(spoke: Spoke | SpokeSet, connection: ConnectionConfig) -> None:
    """Raises UnresolvedError for a place that what the Connection leads to does not have."""
    name, server = spoke.spec.connection_ref.name, connection.exchange_server is not None
    asked = spoke.spec if isinstance(spoke, Spoke) else None
    books = connection.card_dav is not None
    if books and (asked is None or asked.address_book is None):
        what = "SpokeSets are not synced" if asked is None else "only address books are synced"
        why = (
            f"Connection {name!r} leads to a CardDAV server, of which {what}: name a Connection "
            "with microsoft365 or exchangeServer, or sync an addressBook by a Spoke"
        )
    elif asked is not None and asked.address_book is not None and not books:
        why = (
            f"Connection {name!r} leads to {'an Exchange Server' if server else 'Microsoft 365'}, "
            "which has no address books: name a Connection with cardDAV, or sync a mailbox"
        )
    elif asked is not None and asked.public_folder is not None and not server:
        why = (
            f"Connection {name!r} leads to Microsoft 365, whose public folders no service shows: "
            "name a Connection with exchangeServer, or sync a mailbox"
        )
    elif (
        asked is not None
        and asked.public_folder is not None
        and not isinstance(connection.auth, PasswordAuth)
    ):
        why = (
            f"Connection {name!r} signs in as an application, which opens mailboxes in their "
            "owners' place and no public folders: name a Connection with auth.basic"
        )
    elif server and (asked is None or asked.global_address_list is not None):
        what = "SpokeSets" if asked is None else "address lists"
        why = (
            f"Connection {name!r} leads to an Exchange Server, of which {what} are not synced: "
            "name a Connection with microsoft365, or sync a mailbox, calendar or public folder by "
            "a Spoke"
        )
    else:
        return
    raise UnresolvedError(Problem("PlaceNotSupported", why, stalled=True))


def check_directory(connection: ConnectionConfig) -> None:
    """Raises UnresolvedError for one in which no group can be looked up."""
    if connection.server is not None:
        kind = "an Exchange Server" if connection.exchange_server else "a CardDAV server"
        raise UnresolvedError(
            Problem(
                "DirectoryNotSupported",
                f"Connection {connection.name} leads to {kind}, where filters can't "
                "look for groups: set the condition's directory to a Connection with microsoft365",
                stalled=True,
            )
        )
