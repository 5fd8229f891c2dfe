"""From an address and a path to a folder, made at most once."""

import pytest

from cirahub_simulator.graph.folder import Folder
from cirahub_sync.configuration import MailboxTarget
from cirahub_sync.endpoints.base import Target
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import (
    AccessDeniedError,
    ConfigurationError,
    EndpointUnavailableError,
    TargetNotFoundError,
)

from .conftest import FOLDER, TENANT, Cloud, open_fence, settings

LISTED = settings("default_folder_listed")


@pytest.mark.parametrize("switches", LISTED, indirect=True)
async def test_a_blank_path_is_the_default_folder(cloud: Cloud, session: GraphSession) -> None:
    target = await cloud.endpoint(session, "").open(create=False)
    mailbox = cloud.mailbox()
    assert target == Target(TENANT, mailbox.user_id, mailbox.default_folder.id)


@pytest.mark.parametrize("switches", LISTED, indirect=True)
async def test_without_a_well_known_name_a_child_tells_the_default_folder(
    cloud: Cloud, session: GraphSession
) -> None:
    await cloud.endpoint(session, "Team").open(create=True)
    cloud.fault(kind="status", path="contactFolders/contacts$", status=404)
    if not cloud.world.switches.default_folder_listed:
        target = await cloud.endpoint(session, "").open(create=False)
        assert target.folder == cloud.mailbox().default_folder.id
    cloud.user_adds(b'{"givenName":"Ada"}')
    target = await cloud.endpoint(session, "").open(create=False)
    assert target.folder == cloud.mailbox().default_folder.id


@pytest.mark.parametrize("switches", LISTED, indirect=True)
async def test_a_path_is_found_without_regard_to_case(cloud: Cloud, session: GraphSession) -> None:
    made = await cloud.endpoint(session, "Team/Großkunden").open(create=True)
    assert await cloud.endpoint(session, "team/GROSSKUNDEN").open(create=False) == made


@pytest.mark.parametrize("switches", LISTED, indirect=True)
async def test_a_folder_named_like_the_default_one_is_not_the_default_one(
    cloud: Cloud, session: GraphSession
) -> None:
    target = await cloud.endpoint(session, "Contacts").open(create=True)
    assert target.folder != cloud.mailbox().default_folder.id


async def test_a_missing_folder_is_not_made_unasked(cloud: Cloud, session: GraphSession) -> None:
    with pytest.raises(TargetNotFoundError):
        await cloud.endpoint(session).open(create=False)
    assert len(list(cloud.mailbox().folders())) == 1


@pytest.mark.parametrize("kind", ["drop", "truncate", "status"])
async def test_a_folder_whose_answer_was_lost_is_not_made_again(
    cloud: Cloud, session: GraphSession, kind: str
) -> None:
    cloud.fault(kind=kind, method="POST", moment="after", status=504, count=2)
    await cloud.endpoint(session).open(create=True)
    assert len(list(cloud.mailbox().folders())) == 3


async def test_a_folder_that_could_not_be_made_is_for_later(
    cloud: Cloud, session: GraphSession
) -> None:
    cloud.fault(kind="status", method="POST", status=503)
    with pytest.raises(EndpointUnavailableError):
        await cloud.endpoint(session).open(create=True)


async def test_a_path_that_matches_two_folders_asks_to_rename_one(
    cloud: Cloud, session: GraphSession
) -> None:
    await cloud.endpoint(session, "Team").open(create=True)
    default = cloud.mailbox().default_folder
    twin = Folder(
        folder_id=default.children[0].id + "x",
        display_name="TEAM",
        parent=default,
        item_prefix="",
    )
    default.children.append(twin)
    with pytest.raises(ConfigurationError):
        await cloud.endpoint(session, "team").open(create=False)


@pytest.mark.parametrize("path", ["/Team", "Team/", "Team//External", "/", " "])
async def test_a_path_with_a_blank_part_is_refused(
    cloud: Cloud, session: GraphSession, path: str
) -> None:
    with pytest.raises(ConfigurationError):
        await cloud.endpoint(session, path).open(create=True)
    assert session.requests == 0


async def test_more_folders_than_a_page_holds(cloud: Cloud, session: GraphSession) -> None:
    mailbox = cloud.mailbox()
    for number in range(600):
        mailbox.create_folder(mailbox.default_folder, f"Folder {number:03}")
    last = mailbox.create_folder(mailbox.default_folder, "Zuletzt")
    target = await cloud.endpoint(session, "Zuletzt").open(create=False)
    assert target.folder == last.id


async def test_an_unknown_user(cloud: Cloud, session: GraphSession) -> None:
    endpoint = GraphEndpoint(session, MailboxTarget("eve@contoso.example"), open_fence)
    with pytest.raises(TargetNotFoundError) as caught:
        await endpoint.open(create=True)
    assert "eve" not in str(caught.value)
    assert "default/contoso" in str(caught.value)


async def test_a_user_by_another_address(cloud: Cloud, session: GraphSession) -> None:
    user = cloud.add_user("bob")
    user.mail = "robert.o'neil@contoso.example"
    endpoint = GraphEndpoint(session, MailboxTarget("robert.o'neil@contoso.example"), open_fence)
    assert (await endpoint.open(create=False)).mailbox == user.id


@pytest.mark.parametrize(
    ("granted", "named"),
    [
        ({"Contacts.ReadWrite"}, r"User\.ReadBasic\.All"),
        ({"User.ReadBasic.All"}, r"Contacts\.ReadWrite"),
    ],
)
async def test_a_missing_role_is_named(
    cloud: Cloud, session: GraphSession, granted: set[str], named: str
) -> None:
    cloud.application.granted = {TENANT: granted}
    with pytest.raises(AccessDeniedError, match=named):
        await cloud.endpoint(session).open(create=True)


async def test_a_known_target_is_opened_without_a_request(
    cloud: Cloud, session: GraphSession
) -> None:
    known = await cloud.endpoint(session).open(create=True)
    before = session.requests
    endpoint = cloud.endpoint(session)
    assert await endpoint.open(create=True, known=known) == known
    assert session.requests == before
    assert [page async for page in endpoint.changes(None, known=lambda _: {})]
    other = Target("another tenant", known.mailbox, known.folder)
    assert await endpoint.open(create=False, known=other) == known
    assert FOLDER
