"""Azure Key Vault: secrets, their versions, and who may read them."""
