"""What can go wrong before anything of ours runs."""


class BootstrapError(Exception):
    """The environment could not be made; the message says why and what to do."""
