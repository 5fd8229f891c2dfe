"""What can go wrong with the story."""


class EndToEndError(Exception):
    """Something did not come about. The message says what, and where to look."""
