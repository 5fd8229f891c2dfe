"""Canonical items: their fields, how values compare, how they map, filter and merge. Pure."""
