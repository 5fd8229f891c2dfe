"""Microsoft Graph: a calendar of a Microsoft 365 mailbox as an endpoint."""

from cirahub_sync.endpoints.graph.calendars.endpoint import CalendarEndpoint, open_calendar

__all__ = ["CalendarEndpoint", "open_calendar"]
