"""Entra ID: discovery, keys and the token endpoint of every tenant."""
