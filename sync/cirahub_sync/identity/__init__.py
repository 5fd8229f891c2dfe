"""Signing in: Kubernetes token, Key Vault, MSAL, as a chain that ends in a token provider."""
