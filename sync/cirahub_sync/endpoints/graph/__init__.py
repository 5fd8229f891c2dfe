"""Microsoft Graph: a contact folder of a Microsoft 365 mailbox as an endpoint, and
the directory beside it.

What it needs is large, and loaded with the first connection to Microsoft 365."""
