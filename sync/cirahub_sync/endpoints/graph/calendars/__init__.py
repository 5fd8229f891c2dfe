"""Microsoft Graph: a calendar of a Microsoft 365 mailbox as an endpoint."""

from cirahub_sync.endpoints.graph.calendars.endpoint import CalendarEndpoint

__all__ = ["CalendarEndpoint"]
