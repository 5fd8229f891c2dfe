"""What was written is read once more, since a write is answered with ids alone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from tests.endpoints.contract.place import creates, key, push_into
from tests.endpoints.contract.samples import CONTACTS
from tests.endpoints.exchange.conftest import Office

from cirahub_sync.endpoints.base import Outcome, Result
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.errors import CredentialError

PASSWORD = "a password that ended"
REFUSALS: dict[str, dict[str, Any]] = {
    PASSWORD: {"status": 401},
    "a right that was taken away": {"status": 500, "code": "ErrorAccessDenied"},
    "a server that is away": {"status": 503},
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_what_was_written_and_cant_be_read_is_not_taken_for_unsent(
    office: Office, session: ExchangeSession, refusal: str
) -> None:
    """Taken for that, its intent would go, and it would be made once more."""
    endpoint = office.endpoint(session)
    await endpoint.open(create=True)
    office.fault(kind="status", operation="GetItem", **REFUSALS[refusal])
    got: list[Outcome] = []
    with suppress(CredentialError):  # of a batch after it
        await push_into(got, endpoint, creates(endpoint, CONTACTS, 45))
    assert {each.result for each in got} == {Result.UNKNOWN}
    assert len(office.held()) == len(got) >= 20
    office.world.faults.clear()
    if refusal != PASSWORD:  # no other one comes
        found = await endpoint.find([key(each.index) for each in got])
        assert [len(each) for each in found.values()] == [1] * len(got)
