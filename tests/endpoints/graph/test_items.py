"""Reading items by id and by stamp, and telling where they are."""

import pytest
from tests.endpoints.contract.place import creates, key, made, push_all, read_all
from tests.endpoints.contract.samples import CONTACTS, contact

from cirahub_sync.endpoints.base import RemoteItem, Removed, Whereabouts
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession

from .conftest import FOLDER, Cloud, settings


async def test_items_are_found_by_their_stamps(
    endpoint: GraphEndpoint, session: GraphSession
) -> None:
    operations = creates(endpoint, CONTACTS, 45)
    outcomes = await push_all(endpoint, operations)
    before = session.requests
    found = dict(await endpoint.find([*(each.key for each in operations), "i/h/none/s/1"]))
    assert session.requests - before == 3
    assert found.pop("i/h/none/s/1") == []
    assert found == {
        operation.key: [outcome.item]
        for operation, outcome in zip(operations, outcomes, strict=True)
    }


async def test_every_stamped_item_is_listed_and_no_other(
    endpoint: GraphEndpoint, cloud: Cloud, session: GraphSession
) -> None:
    outcomes = await push_all(endpoint, creates(endpoint, CONTACTS, 300))
    for number in range(30):
        cloud.user_adds(f'{{"givenName":"native {number}"}}'.encode(), FOLDER)
    before = session.requests
    listed = [each async for each in endpoint.stamped()]
    assert session.requests - before == 2
    assert {each.id: each for each in listed} == {
        each.item.id: each.item for each in outcomes if each.item is not None
    }


@pytest.mark.parametrize("switches", settings("copy_keeps_extended_properties"), indirect=True)
async def test_a_copy_that_a_user_made_shows_its_stamp_if_it_kept_it(
    endpoint: GraphEndpoint, cloud: Cloud
) -> None:
    await made(endpoint, contact(1), key(1))
    cloud.mailbox().copy_contact(cloud.held(FOLDER)[0])
    kept = cloud.world.switches.copy_keeps_extended_properties
    found = await endpoint.find([key(1)])
    assert len(found[key(1)]) == (2 if kept else 1)


@pytest.mark.parametrize(
    "switches", settings("immutable_id_in_bin", "default_folder_listed"), indirect=True
)
async def test_where_an_item_is(
    endpoint: GraphEndpoint, cloud: Cloud, session: GraphSession
) -> None:
    outcomes = await push_all(endpoint, creates(endpoint, CONTACTS, 6))
    ids = [each.item.id for each in outcomes if each.item is not None]
    await cloud.endpoint(session, "Team/Elsewhere").open(create=True)
    mailbox = cloud.mailbox()
    by_id = {each.immutable_id: each for each in cloud.held(FOLDER)}
    elsewhere = mailbox.folder_at(("Team", "Elsewhere"))
    assert elsewhere is not None
    mailbox.move_contact(by_id[ids[1]], elsewhere)
    mailbox.move_contact(by_id[ids[2]], mailbox.default_folder)
    mailbox.delete_contact(by_id[ids[3]])
    mailbox.purge_contact(by_id[ids[4]])
    in_bin = Whereabouts.BIN if mailbox_shows_bin(cloud) else Whereabouts.GONE
    assert await endpoint.locate([*ids, "AAkALgAA-never-was-there"]) == dict(
        zip(
            [*ids, "AAkALgAA-never-was-there"],
            [
                Whereabouts.HERE,
                Whereabouts.MOVED,
                Whereabouts.MOVED,
                in_bin,
                Whereabouts.GONE,
                Whereabouts.HERE,
                Whereabouts.GONE,
            ],
            strict=True,
        )
    )


def mailbox_shows_bin(cloud: Cloud) -> bool:
    return cloud.world.switches.immutable_id_in_bin


async def test_ids_stay_when_an_item_moves(endpoint: GraphEndpoint, cloud: Cloud) -> None:
    item = await made(endpoint, contact(1))
    mailbox = cloud.mailbox()
    mailbox.move_contact(cloud.held(FOLDER)[0], mailbox.default_folder)
    fetched = (await endpoint.fetch([item.id]))[item.id]
    assert isinstance(fetched, RemoteItem)
    assert fetched.content == item.content
    assert fetched.stamp == item.stamp


async def test_what_is_gone_is_fetched_as_nothing(endpoint: GraphEndpoint) -> None:
    assert await endpoint.fetch(["AAkALgAA-never-was-there"]) == {"AAkALgAA-never-was-there": None}
    assert await endpoint.fetch([]) == {}


@pytest.mark.parametrize("switches", settings("delta_loses_returned_items"), indirect=True)
async def test_an_item_that_went_and_came_back_is_here_whatever_the_delta_says(
    endpoint: GraphEndpoint, cloud: Cloud
) -> None:
    item = await made(endpoint, contact(1))
    resume = (await read_all(endpoint))[-1].cursor
    mailbox, held = cloud.mailbox(), cloud.held(FOLDER)[0]
    folder = held.folder
    mailbox.move_contact(held, mailbox.default_folder)
    mailbox.move_contact(held, folder)
    changes = [change for page in await read_all(endpoint, resume) for change in page.changes]
    lost = cloud.world.switches.delta_loses_returned_items
    assert isinstance(changes[-1], Removed if lost else RemoteItem)
    assert await endpoint.locate([item.id]) == {item.id: Whereabouts.HERE}
