"""A folder that is known by its id, whatever its mailbox's user does with it."""

from __future__ import annotations

from tests.endpoints.contract.place import creates, push_all, read_all
from tests.endpoints.contract.samples import CONTACTS

from cirahub_sync.endpoints.base import Result
from cirahub_sync.endpoints.exchange.session import ExchangeSession

from .conftest import Office


async def test_a_folder_stays_the_same_one_however_it_is_called_and_wherever_it_is(
    office: Office, session: ExchangeSession
) -> None:
    """Also in Deleted Items, until that is emptied."""
    endpoint = office.endpoint(session)
    target = await endpoint.open(create=True)
    await push_all(endpoint, creates(endpoint, CONTACTS, 1))
    folder, mailbox = office.folder(), office.mailbox()
    assert folder is not None

    folder.display_name = "Sales"
    mailbox.move_folder(folder, mailbox.default_folder)
    mailbox.delete_folder(folder)

    again = office.endpoint(session)
    assert await again.open(create=False, known=target) == target
    pages = await read_all(again)
    assert [change for page in pages for change in page.changes]
    (more,) = await push_all(again, creates(again, CONTACTS, 1, start=1))
    assert more.result is Result.DONE
    assert {one.fields.surname for one in folder.contacts.values()} == {"0", "1"}
