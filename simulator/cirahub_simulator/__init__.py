"""A Microsoft 365 in a box: Entra, Key Vault and Graph over one in-memory directory."""
