"""What nobody changes of a vCard stays as it is, byte for byte."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vobject.base import ParseError, parseLine

from cirahub_sync.endpoints.carddav import codec
from cirahub_sync.endpoints.carddav.capabilities import FIELDS
from cirahub_sync.endpoints.carddav.card import (
    Card,
    CardError,
    Line,
    escape,
    made,
    parse,
    split,
    unescape,
)
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)

CUSTOM = ("EmployeeId", "X-Room")
_LINES = (
    'item1.EMAIL;TYPE="INTERNET,pref";X-OWN="a;b:c":ada@contoso.example',
    "item1.X-ABLabel:_$!<Work>!$_",
    "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/2wCEAAkGBwgHBgkIBwgK",
    " CgkLDRYPDQwMDRsUFRAWIB0iIiAdHx8kKDQsJCYxJx8fLT0tMTU3Ojo6Iys/RD84QzQ5Ojc=",
    "X-ODD;Y=1;Y=2:a,b;c\\,d\\n",
    "RELATED;TYPE=friend;VALUE=text:Charles",
    "CLIENTPIDMAP:1;urn:uuid:53e374d9-337e-4727-8803-a1e9c14e0556",
    'TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+1-555-555-5555;ext=5555',
    'ADR;TYPE=work;LABEL="Box 7\\nKöln":Box 7;Room 3;Straße 1;Köln;NRW;50667;Germany',
    "ORG:Contoso;R&D;Engines",
    "N:Lovelace;Ada,Augusta;;Dr.;",
    "BDAY:--1210",
    "no property at all",
    "REV:20260101T000000Z",
)
OTHERS = "\r\n".join(_LINES)


def card(version: str = "4.0", inside: str = OTHERS) -> Card:
    return parse(f"BEGIN:VCARD\r\nVERSION:{version}\r\nFN:Ada\r\n{inside}\r\nEND:VCARD\r\n")


def written(content: Contact, version: str = "3.0") -> Card:
    body = codec.encode(content, CUSTOM)
    return parse(codec.with_head(body, version=version, uid="u", stamp="i/h/i/s/1").decode())


def changed(before: Card, **fields: object) -> Card:
    after = msgspec.structs.replace(codec.decode(before, CUSTOM), **fields)
    codec.apply(before, after, tuple(fields), CUSTOM)
    return before


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20).map(str.strip)
words = texts.filter(bool)
contacts = st.builds(
    Contact,
    **dict.fromkeys(
        (
            "given_name",
            "surname",
            "title",
            "generation",
            "nickname",
            "company",
            "department",
            "job_title",
            "profession",
            "yomi_surname",
        ),
        texts,
    ),
    display_name=words,
    notes=st.lists(texts, max_size=3).map("\n".join),
    birthday=st.one_of(st.just(""), st.dates().map(lambda day: day.isoformat())),
    business_home_page=st.sampled_from(("", "https://contoso.example/?a=1,2;b=3")),
    emails=st.lists(words.map(Email), max_size=3, unique=True).map(tuple),
    phones=st.lists(
        st.builds(Phone, st.sampled_from(PhoneKind), words), max_size=4, unique=True
    ).map(tuple),
    addresses=st.lists(
        st.builds(PostalAddress, st.sampled_from(AddressKind), words, texts, texts, texts, texts),
        max_size=2,
        unique=True,
    ).map(tuple),
    categories=st.lists(words, max_size=3, unique=True).map(tuple),
    custom=st.lists(
        st.builds(CustomField, st.sampled_from(CUSTOM), words), max_size=3, unique=True
    ).map(lambda some: tuple(sorted(some, key=lambda one: CUSTOM.index(one.name)))),
)


@settings(max_examples=60, deadline=None)
@given(contacts)
def test_what_is_written_is_what_is_read_in_either_version(content: Contact) -> None:
    for version in ("3.0", "4.0"):
        assert codec.decode(written(content, version), CUSTOM) == content


@settings(max_examples=60, deadline=None)
@given(contacts, contacts)
def test_an_update_makes_the_card_what_it_says_and_touches_nothing_else(
    before: Contact, after: Contact
) -> None:
    held = card(inside=f"{OTHERS}\r\n{codec.encode(before, CUSTOM).decode().strip()}")
    foreign = [
        line.raw
        for line in held.lines
        if line.name in ("X-ODD", "PHOTO", "RELATED", "CLIENTPIDMAP", "")
    ]
    letter = codec.read_letter(codec.encode_changes(None, after))
    codec.apply(held, letter.after, letter.fields, CUSTOM)
    shown = codec.decode(parse(str(held)), CUSTOM)
    for field in FIELDS:
        got, wanted = getattr(shown, field), getattr(after, field)
        if isinstance(got, tuple):
            got, wanted = sorted(got, key=str), sorted(wanted, key=str)
        assert got == wanted, field
    for raw in foreign:
        assert f"\r\n{raw}\r\n" in str(held)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_a_text_survives_being_a_value(text: str) -> None:
    assert unescape(escape(text)) == text
    assert [unescape(part) for part in split(f"{escape(text)};x", ";")] == [text, "x"]


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_a_card_that_is_not_changed_is_the_same_to_the_byte(version: str) -> None:
    held = card(version)
    text = str(held)
    codec.apply(held, codec.decode(held, CUSTOM), FIELDS, CUSTOM)
    assert str(held) == text


def test_a_change_keeps_what_stands_beside_it() -> None:
    held = changed(
        card(),
        emails=(Email("augusta@contoso.example"),),
        department="Mathematics",
        given_name="Augusta",
    )
    text = str(held)
    assert 'item1.EMAIL;TYPE="INTERNET,pref";X-OWN="a;b:c":augusta@contoso.example' in text
    assert "ORG:Contoso;Mathematics;Engines" in text
    assert "N:Lovelace;Augusta;;Dr.;" in text
    phone = Phone(PhoneKind.HOME, "+1-555-555-0000")
    text = str(changed(held, phones=(phone,)))
    assert 'TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+1-555-555-0000' in text
    assert codec.decode(held, CUSTOM).phones == (phone,)
    (address,) = codec.decode(held, CUSTOM).addresses
    moved = msgspec.structs.replace(address, city="Bonn")
    text = str(changed(held, addresses=(moved,))).replace("\r\n ", "")
    assert ":Box 7;Room 3;Straße 1;Bonn;NRW;50667;Germany" in text
    assert "X-ODD;Y=1;Y=2:a,b;c\\,d\\n" in text


def test_a_label_goes_with_what_it_labels() -> None:
    assert "X-ABLabel" in str(changed(card(), job_title="Countess"))
    assert "item1" not in str(changed(card(), emails=()))


def test_a_birthday_that_can_t_be_shown_is_kept_until_there_is_another() -> None:
    held = card()
    assert codec.decode(held).birthday == ""
    assert "BDAY:--1210" in str(changed(held, notes="x"))
    assert "BDAY:18151210\r\n" in str(changed(held, birthday="1815-12-10"))


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("BDAY:1815-12-10", "1815-12-10"),
        ("BDAY:18151210", "1815-12-10"),
        ("BDAY;VALUE=date-time:1815-12-10T00:00:00Z", "1815-12-10"),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-12-10", ""),
        ("BDAY;VALUE=text:around 1815", ""),
        ("BDAY:1815-02-31", ""),
    ],
)
def test_birthdays_are_read_as_others_write_them(value: str, day: str) -> None:
    assert codec.decode(card(inside=value)).birthday == day


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("TEL;TYPE=WORK;TYPE=VOICE:1", PhoneKind.BUSINESS),
        ("TEL;TYPE=home:1", PhoneKind.HOME),
        ("TEL;TYPE=CELL,WORK:1", PhoneKind.MOBILE),
        ("TEL;WORK;FAX:1", PhoneKind.BUSINESS_FAX),
        ('TEL;TYPE="fax,home":1', PhoneKind.HOME_FAX),
        ("TEL;TYPE=fax:1", PhoneKind.OTHER_FAX),
        ("TEL;TYPE=pager,work:1", PhoneKind.PAGER),
        ("item1.TEL:1", PhoneKind.OTHER),
    ],
)
def test_numbers_are_of_the_kind_that_their_types_say(line: str, kind: PhoneKind) -> None:
    assert codec.decode(card(inside=line)).phones == (Phone(kind, "1"),)


def test_a_name_that_is_missing_is_made_for_those_who_need_one() -> None:
    assert written(Contact(given_name="Ada", surname="Lovelace")).text("FN") == "Ada Lovelace"
    assert written(Contact(emails=(Email("ada@contoso.example"),))).text("FN").startswith("ada@")
    assert written(Contact()).first("FN") is not None
    assert written(Contact()).first("N") is not None


def test_a_custom_field_is_a_property_of_its_name_unless_that_is_none() -> None:
    fields = (CustomField("EmployeeId", "7"), CustomField("X-Room", "1.07"))
    text = str(written(Contact(display_name="Ada", custom=fields)))
    assert "\r\nX-EMPLOYEEID:7\r\nX-ROOM:1.07\r\n" in text
    names = ("Größe", "a b", "CIRAHUB-STAMP", "ABLabel", "")
    assert [codec.property_of(name) for name in names] == [""] * 5


def test_a_list_of_members_is_nobody() -> None:
    assert codec.is_group(card(inside="KIND:group"))
    assert codec.is_group(card(inside="X-ADDRESSBOOKSERVER-KIND:group"))
    assert not codec.is_group(card(inside="KIND:org"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Ada\r\nEND:VCARD\r\n",
        "BEGIN:VCARD\r\nFN:Ada\r\nEND:VCARD\r\n",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\n",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
    ],
)
def test_what_is_no_card_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(CardError) as refused:
        parse(text)
    assert "Ada" not in str(refused.value)


def test_control_characters_and_line_ends_make_no_new_lines() -> None:
    content = Contact(display_name="Ada\r\nX-EVIL:1\x00", notes="a\r\nb\tc\x0b")
    held = written(content)
    assert held.first("X-EVIL") is None
    assert codec.decode(held).notes == "a\nb\tc"


@given(st.text('aA1-_.;:=",\\ \t\x0bÄ', max_size=20))
def test_a_line_is_read_as_vobject_has_it(text: str) -> None:
    """Also where it is not asked: for a line without parameters."""
    line = Line(text)
    try:
        name, _, value, group = parseLine(text)
    except ParseError:
        return
    assert line.value == value
    if line.name:
        assert (line.name.replace("_", "-"), line.group) == (name.upper(), (group or "").upper())


@given(st.text(max_size=400))
def test_lines_are_folded_as_late_as_may_be_and_come_back_as_they_were(text: str) -> None:
    """RFC 6350 3.2: 75 octets, and no character is torn apart."""
    value = escape(text)
    line = made("NOTE:", value)
    pieces = line.raw.encode().split(b"\r\n")
    assert [one for one in pieces if len(one) > 75] == []
    assert all(piece.decode().startswith(" ") for piece in pieces[1:])
    # What follows would not have had room.
    assert all(
        len(piece) + len(following.decode()[1].encode()) > 75
        for piece, following in itertools.pairwise(pieces)
    )
    assert line.value == value


def test_long_lines_are_folded_between_characters() -> None:
    note = "Ä人🌍" * 40
    text = str(written(Contact(display_name="Ada", notes=note)))
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert codec.decode(parse(text)).notes == note
