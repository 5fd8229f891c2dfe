"""The operator's image: built with or without a Docker daemon, cached by what it is made of.

The `Dockerfile` at the top is an ordinary one. A Docker daemon builds it where one answers, and
Debian's buildah elsewhere, as root, on a base that debootstrap makes, so that nothing is pulled.
What comes out is the same: an archive as `docker save` writes it, which `docker load`, `ctr images
import` and every registry's tools take.

By hand: ``make image``, or ``python hack/image --help``.
"""

from image.archive import Archive
from image.errors import ImageError, ImageFailedError, UnpreparedError
from image.product import Image
from image.sandbox import Sandbox

__all__ = ["Archive", "Image", "ImageError", "ImageFailedError", "Sandbox", "UnpreparedError"]
