"""Appointments, apart from any protocol: time zones, recurrence, events, who is told of a meeting.

Nothing in here knows Graph or Exchange Web Services; both show what is in here. Where a mailbox
keeps its calendars is `graph.calendars`, beside `graph.mailbox`.
"""
