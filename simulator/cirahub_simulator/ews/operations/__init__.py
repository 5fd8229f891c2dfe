"""The operations of Exchange Web Services, a module each."""
