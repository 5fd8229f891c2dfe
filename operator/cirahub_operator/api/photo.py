"""Photos of contacts, as a Hub says of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cirahub_operator.api.duration import between
from cirahub_operator.api.meta import Model


class PhotoSpec(Model):
    """Photos of contacts, and how often those that nothing is told of are looked at."""

    interval: Annotated[str, between("1h", "8760h")] = Field(
        default="168h",
        description="How often the photo of a contact is looked at that does not change, in hours; "
        "168h is a week. Of contacts that are new or change, photos are looked at in the same "
        "pass.",
    )
