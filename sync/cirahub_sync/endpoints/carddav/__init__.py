"""Address books of a CardDAV server (RFC 6352)."""
