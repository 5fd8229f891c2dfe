"""The schemas, one module a step; a released one never changes."""
