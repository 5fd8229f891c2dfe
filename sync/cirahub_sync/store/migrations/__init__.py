"""Alembic's side of the store: how to get from one schema to the next."""
