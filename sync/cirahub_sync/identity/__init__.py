"""Who we are to a service: workload identities, key vaults and client secrets become tokens."""

from cirahub_sync.identity.provider import CachedTokens, provider

__all__ = ["CachedTokens", "provider"]
