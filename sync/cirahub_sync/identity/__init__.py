"""Who we are to a service: workload identities, key vaults and client secrets become tokens."""

from cirahub_sync.identity.provider import provider
from cirahub_sync.identity.tokens import CachedTokens

__all__ = ["CachedTokens", "provider"]
