"""Exchange Web Services: contact folders and calendars of mailboxes, and public folders, on an
Exchange Server.

What signs in is loaded with the first connection to such a server, not before."""
