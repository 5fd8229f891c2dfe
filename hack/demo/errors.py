"""What ends a demo early, said so that its viewer knows what to do."""


class DemoError(Exception):
    """Something did not come about. The message says what was expected and what was seen."""
