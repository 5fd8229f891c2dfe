"""What can go wrong with the image."""


class ImageError(Exception):
    """Root of everything this package raises on purpose; the message says what to do."""


class UnpreparedError(ImageError):
    """This machine lacks what builds or runs an image, and it can't be installed from here."""


class ImageFailedError(ImageError):
    """Building it was tried and failed; the message ends with what the tool said."""
