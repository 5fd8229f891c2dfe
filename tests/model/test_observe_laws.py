"""What holds of every observation."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirahub_sync.configuration import MappingRule
from cirahub_sync.model.contact import Contact, Email
from cirahub_sync.model.mapping import Lens
from cirahub_sync.model.observe import Recorded

from .sights import DOMAIN, IDENTITY, N0, N1, N2, contributes, receives, seen

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

values = st.sampled_from(["", " ", "Acme", "acme", "[X] Acme"])
contacts = st.builds(
    Contact,
    display_name=values,
    job_title=values,
    notes=values,
    emails=st.lists(st.sampled_from("abc"), max_size=3, unique=True).map(
        lambda found: tuple(Email(f"{a}@new.example") for a in found)
    ),
    phones=st.lists(st.sampled_from([N0, N1, N2]), max_size=3, unique=True).map(tuple),
)
LENSES: Sequence[Lens] = (
    IDENTITY,
    receives(MappingRule(field="displayName", prefix="[X] "), DOMAIN, exclude=("notes",)),
    contributes(MappingRule(field="jobTitle", set_value="Partner"), DOMAIN),
)


@UNHURRIED
@given(contacts, contacts, st.sampled_from(LENSES))
def test_an_edit_and_its_observation_agree_with_the_lens(
    before: Contact, after: Contact, lens: Lens
) -> None:
    own = seen(before, after, lens=lens).own
    was, now = lens.to_hub(before), lens.to_hub(after)

    for field, edit in own.scalars.items():
        assert edit.value == getattr(now, field).strip() or edit.value == getattr(now, field)
        assert getattr(was, field) != getattr(now, field)
    for field, edits in own.elements.items():
        present = {e.element for e in edits.values() if e.element is not None}
        assert present == set(getattr(now, field)) - set(getattr(was, field))


@UNHURRIED
@given(contacts, contacts, st.sampled_from(LENSES))
def test_seeing_the_same_again_records_nothing(before: Contact, after: Contact, lens: Lens) -> None:
    own = seen(before, after, lens=lens).own

    assert seen(after, after, own=own, lens=lens) == Recorded(own)
