"""Who we are to a service: workload identities, key vaults and client secrets become tokens."""
