"""Which calendar a name leads to, and that it is made once."""

from __future__ import annotations

import pytest
from tests.endpoints.diary import NAME
from tests.endpoints.graph.calendars.conftest import calendar_endpoint
from tests.endpoints.graph.conftest import Cloud

from cirahub_sync.endpoints.base import Target
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import (
    AccessDeniedError,
    EndpointUnavailableError,
    FolderNotFoundError,
    TargetNotFoundError,
)


def names(cloud: Cloud) -> list[str]:
    return sorted(one.name for one in cloud.mailbox().calendars.all())


async def test_without_a_name_it_is_the_default_calendar(
    cloud: Cloud, session: GraphSession
) -> None:
    target = await calendar_endpoint(session, "").open(create=True)

    assert target.folder == cloud.mailbox().calendars.default.id
    assert names(cloud) == ["Calendar"]


async def test_a_calendar_that_is_missing_is_made_for_a_receiver_alone(
    cloud: Cloud, session: GraphSession
) -> None:
    with pytest.raises(FolderNotFoundError):
        await calendar_endpoint(session).open(create=False)
    assert names(cloud) == ["Calendar"]

    made = await calendar_endpoint(session).open(create=True)
    again = await calendar_endpoint(session, f" {NAME.upper()} ").open(create=False)

    assert made == again
    assert names(cloud) == ["Calendar", NAME]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "truncate", "status"])
async def test_an_answer_that_was_lost_makes_no_second_calendar(
    cloud: Cloud, session: GraphSession, kind: str, moment: str
) -> None:
    cloud.fault(
        kind=kind,
        method="POST",
        path="/calendars$",
        moment=moment,
        status=504,
        keep_bytes=9,
        count=1,
    )
    found: Target | None = None
    while found is None:
        try:
            found = await calendar_endpoint(session).open(create=True)
        except EndpointUnavailableError:
            continue

    assert names(cloud) == ["Calendar", NAME]


async def test_an_application_without_the_permission_is_told_which(
    cloud: Cloud, session: GraphSession
) -> None:
    cloud.application.granted[cloud.tenant].remove("Calendars.ReadWrite")

    with pytest.raises(AccessDeniedError, match=r"Calendars\.ReadWrite"):
        await calendar_endpoint(session).open(create=True)


async def test_a_user_without_a_mailbox_is_told(cloud: Cloud, session: GraphSession) -> None:
    cloud.add_user("bob", mailbox=False)
    endpoint = calendar_endpoint(session, user="bob")

    with pytest.raises(TargetNotFoundError):
        await endpoint.open(create=False)
