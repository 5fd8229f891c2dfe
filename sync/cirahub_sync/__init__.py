"""The sync engine: model, pass, endpoints, identity and store. Knows nothing of Kubernetes."""
