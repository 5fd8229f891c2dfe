"""What contacts and events can show on an Exchange Server: known without a connection to one."""

from __future__ import annotations

from cirahub_sync.endpoints.base import Capabilities
from cirahub_sync.endpoints.exchange.calendars import codec as calendars
from cirahub_sync.endpoints.mailbox_contact import LIMITS

BATCH_SIZE = 40
"""Items in one request: answered well within the time that a write may take."""

CAPABILITIES = Capabilities(
    limits=LIMITS, permanent_delete=True, honours_if_match=True, batch=BATCH_SIZE
)
"""A stale change key is refused: UpdateItem with `NeverOverwrite`
(https://learn.microsoft.com/exchange/client-developer/web-service-reference/updateitem)."""

CALENDAR_CAPABILITIES = Capabilities(
    limits=calendars.LIMITS,
    permanent_delete=True,
    honours_if_match=True,
    batch=BATCH_SIZE,
    composed=True,
)
