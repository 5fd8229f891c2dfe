"""Calendars of mailboxes on an Exchange Server, over Exchange Web Services."""
