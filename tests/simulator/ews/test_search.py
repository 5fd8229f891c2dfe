"""FindItem: restrictions, order, pages and shapes."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest

from .conftest import Answer, Soap, field, indexed, shape_of

PEOPLE = (
    ("Åsa", "Berg", "Sales", "asa@x.example", "1970-01-02T00:00:00Z"),
    ("Bo", "Alm", "Sales", None, "1980-05-06T00:00:00Z"),
    ("Cy", "Dahl", "Legal", "cy@y.example", None),
    ("Di", "Cole", None, "di@x.example", "1990-09-10T00:00:00Z"),
)
GIVEN, SURNAME = field("contacts:GivenName"), field("contacts:Surname")
DEPARTMENT, BIRTHDAY = field("contacts:Department"), field("contacts:Birthday")
EMAIL = indexed("contacts:EmailAddress", "EmailAddress1")
TITLE = '<t:ExtendedFieldURI PropertyTag="0x3A45" PropertyType="String"/>'
SCORE = (
    '<t:ExtendedFieldURI PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e" '
    'PropertyName="Score" PropertyType="Integer"/>'
)


@pytest.fixture
def folder(soap: Soap) -> str:
    folder = f'<t:FolderId Id="{soap.make_folder("People")}"/>'
    for number, (given, surname, department, email, birthday) in enumerate(PEOPLE):
        soap.create(
            f"<t:ExtendedProperty>{SCORE}<t:Value>{number}</t:Value></t:ExtendedProperty>"
            f"<t:GivenName>{given}</t:GivenName>"
            + (
                f'<t:EmailAddresses><t:Entry Key="EmailAddress1">{email}</t:Entry>'
                "</t:EmailAddresses>"
                if email
                else ""
            )
            + (f"<t:Birthday>{birthday}</t:Birthday>" if birthday else "")
            + (f"<t:Department>{department}</t:Department>" if department else "")
            + f"<t:Surname>{surname}</t:Surname>",
            folder,
        )
    return folder


def names(answer: Answer) -> list[str]:
    assert answer.codes == ["NoError"], answer.content
    return [str(node.text) for node in answer.all("//t:Contact/t:GivenName")]


def compare(kind: str, path: str, value: str) -> str:
    return (
        f'<t:{kind}>{path}<t:FieldURIOrConstant><t:Constant Value="{value}"/>'
        f"</t:FieldURIOrConstant></t:{kind}>"
    )


def contains(path: str, value: str, mode: str, comparison: str = "IgnoreCase") -> str:
    return (
        f'<t:Contains ContainmentMode="{mode}" ContainmentComparison="{comparison}">{path}'
        f'<t:Constant Value="{value}"/></t:Contains>'
    )


@pytest.mark.parametrize(
    ("restriction", "found"),
    [
        (compare("IsEqualTo", SURNAME, "berg"), ["Åsa"]),
        (compare("IsNotEqualTo", DEPARTMENT, "Sales"), ["Cy", "Di"]),
        (compare("IsGreaterThan", BIRTHDAY, "1980-05-06T00:00:00Z"), ["Di"]),
        (compare("IsGreaterThanOrEqualTo", BIRTHDAY, "1980-05-06T00:00:00Z"), ["Bo", "Di"]),
        (compare("IsLessThan", BIRTHDAY, "1980-05-06T01:00:00+01:00"), ["Åsa"]),
        (compare("IsLessThanOrEqualTo", SCORE, "1"), ["Åsa", "Bo"]),
        (compare("IsEqualTo", EMAIL, "cy@y.example"), ["Cy"]),
        (f"<t:Exists>{DEPARTMENT}</t:Exists>", ["Åsa", "Bo", "Cy"]),
        (f"<t:Exists>{TITLE}</t:Exists>", []),
        (f"<t:Not><t:Exists>{EMAIL}</t:Exists></t:Not>", ["Bo"]),
        (contains(EMAIL, "@X.", "Substring"), ["Åsa", "Di"]),
        (contains(EMAIL, "@X.", "Substring", "Exact"), []),
        (contains(GIVEN, "asa", "FullString", "LooseAndIgnoreCaseAndIgnoreNonSpace"), ["Åsa"]),
        (contains(SURNAME, "d", "Prefixed"), ["Cy"]),
        (contains(field("contacts:DisplayName"), "be", "PrefixOnWords"), ["Åsa"]),
        (contains(field("contacts:DisplayName"), "co", "ExactPhrase"), []),
        (contains(field("contacts:DisplayName"), "cole", "ExactPhrase"), ["Di"]),
        (
            "<t:And>"
            + compare("IsEqualTo", DEPARTMENT, "Sales")
            + f"<t:Exists>{EMAIL}</t:Exists></t:And>",
            ["Åsa"],
        ),
        (
            "<t:Or>"
            + compare("IsEqualTo", GIVEN, "Bo")
            + compare("IsEqualTo", GIVEN, "Cy")
            + "</t:Or>",
            ["Bo", "Cy"],
        ),
        (
            f'<t:Excludes>{SCORE}<t:Bitmask Value="0x2"/></t:Excludes>',
            ["Åsa", "Bo"],
        ),
        (
            f"<t:IsEqualTo>{GIVEN}<t:FieldURIOrConstant>{GIVEN}</t:FieldURIOrConstant></t:IsEqualTo>",
            ["Åsa", "Bo", "Cy", "Di"],
        ),
    ],
)
def test_a_restriction_finds_what_it_says(
    soap: Soap, folder: str, restriction: str, found: list[str]
) -> None:
    answer = soap.find("contacts:GivenName", restriction=restriction, folder=folder)
    assert names(answer) == found


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ([("Ascending", SURNAME)], ["Bo", "Åsa", "Di", "Cy"]),
        ([("Descending", BIRTHDAY)], ["Di", "Bo", "Åsa", "Cy"]),
        ([("Ascending", DEPARTMENT), ("Descending", SURNAME)], ["Di", "Cy", "Åsa", "Bo"]),
        ([("Descending", SCORE)], ["Di", "Cy", "Bo", "Åsa"]),
    ],
)
def test_what_is_found_is_sorted(
    soap: Soap, folder: str, order: list[tuple[str, str]], found: list[str]
) -> None:
    orders = "".join(
        f'<t:FieldOrder Order="{direction}">{path}</t:FieldOrder>' for direction, path in order
    )
    assert names(soap.find("contacts:GivenName", order=orders, folder=folder)) == found


def indexed_view(most: int, offset: int, base: str = "Beginning") -> str:
    return (
        f'<m:IndexedPageItemView MaxEntriesReturned="{most}" Offset="{offset}" BasePoint="{base}"/>'
    )


def fractional_view(most: int, numerator: int, denominator: int) -> str:
    return (
        f'<m:FractionalPageItemView MaxEntriesReturned="{most}" Numerator="{numerator}" '
        f'Denominator="{denominator}"/>'
    )


@pytest.mark.parametrize(
    ("view", "found", "attributes"),
    [
        (indexed_view(3, 0), ["Åsa", "Bo", "Cy"], ("false", "3")),
        (indexed_view(3, 3), ["Di"], ("true", "4")),
        (indexed_view(3, 9), [], ("true", "4")),
        (indexed_view(2, 0, "End"), ["Cy", "Di"], ("false", "2")),
        (indexed_view(2, 2, "End"), ["Åsa", "Bo"], ("true", "4")),
        (fractional_view(2, 1, 2), ["Cy", "Di"], ("true", None)),
        (fractional_view(1, 1, 4), ["Bo"], ("false", None)),
    ],
)
def test_pages_begin_where_the_view_says(
    soap: Soap, folder: str, view: str, found: list[str], attributes: tuple[str, str | None]
) -> None:
    answer = soap.find("contacts:GivenName", view=view, folder=folder)
    assert names(answer) == found
    root = answer.find("//m:RootFolder")
    assert root.get("TotalItemsInView") == "4"
    assert (root.get("IncludesLastItemInRange"), root.get("IndexedPagingOffset")) == attributes


@pytest.mark.parametrize(
    ("view", "code"),
    [
        (indexed_view(2, -1), "ErrorInvalidIndexedPagingParameters"),
        (fractional_view(2, 3, 2), "ErrorInvalidFractionalPagingParameters"),
        (fractional_view(2, 1, 0), "ErrorInvalidFractionalPagingParameters"),
    ],
)
def test_a_view_of_nowhere_is_refused(soap: Soap, folder: str, view: str, code: str) -> None:
    assert soap.find(view=view, folder=folder).codes == [code]


def test_a_contacts_view_means_a_range_of_names(soap: Soap, folder: str) -> None:
    view = '<m:ContactsView InitialName="B" FinalName="D" MaxEntriesReturned="10"/>'
    assert names(soap.find("contacts:GivenName", view=view, folder=folder)) == ["Bo", "Cy"]


def test_bodies_are_not_found_only_got(soap: Soap, folder: str) -> None:
    soap.create('<t:Body BodyType="Text">Hello</t:Body><t:GivenName>E</t:GivenName>', folder)
    assert soap.find(shape="AllProperties", folder=folder).find("//t:Body") is None
    assert soap.find("item:Body", folder=folder).codes == ["ErrorInvalidPropertyRequest"]
    where = contains(field("item:Body"), "ell", "Substring")
    assert names(soap.find("contacts:GivenName", restriction=where, folder=folder)) == ["E"]


def test_a_long_text_is_cut_when_it_is_found(soap: Soap, folder: str) -> None:
    long = "x" * 300
    made = soap.create(f"<t:CompanyName>{long}</t:CompanyName>", folder)
    where = compare("IsEqualTo", field("contacts:CompanyName"), long)
    found = soap.find("contacts:CompanyName", restriction=where, folder=folder)
    assert found.text("//t:Contact/t:CompanyName") == long[:255]
    assert soap.get(made.item_id).text("//t:Contact/t:CompanyName") == long


def test_shapes_differ_in_what_they_answer(soap: Soap, folder: str) -> None:
    def elements(shape: str) -> set[str]:
        node = soap.find(shape=shape, folder=folder).find("//t:Contact")
        return {child.tag.partition("}")[2] for child in node}

    assert elements("IdOnly") == {"ItemId"}
    default, everything = elements("Default"), elements("AllProperties")
    assert {"ItemId", "DisplayName", "EmailAddresses", "HasAttachments"} <= default
    assert "DateTimeCreated" not in default
    assert default < everything


def test_a_property_of_nothing_is_no_property(soap: Soap, folder: str) -> None:
    answer = soap.find("message:From", "calendar:Start", folder=folder)
    assert answer.codes == ["NoError"]
    assert soap.find("folder:DisplayName", folder=folder).codes == ["ErrorInvalidPropertyRequest"]
    where = f"<t:Exists>{field('folder:DisplayName')}</t:Exists>"
    assert soap.find(restriction=where, folder=folder).codes == ["ErrorUnsupportedPathForQuery"]


def said(
    soap: Soap, query: str, folder: str = '<t:DistinguishedFolderId Id="contacts"/>'
) -> Answer:
    """As the EWS Managed API asks in `FindItems(folder, "…", view)`."""
    return soap.call(
        f'<m:FindItem Traversal="Shallow">{shape_of("IdOnly", "item:Subject")}'
        '<m:IndexedPageItemView MaxEntriesReturned="9" Offset="0" BasePoint="Beginning"/>'
        f"<m:ParentFolderIds>{folder}</m:ParentFolderIds>"
        f"<m:QueryString>{escape(query)}</m:QueryString></m:FindItem>"
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("zoëlle", ["A", "B"]),
        ("zoëlle ÅNG", ["A"]),
        ("ngström", []),
        ("zoëlle AND NOT ångström", ["B"]),
        ("zoëlle -ångström", ["B"]),
        ("zoëlle (ångström OR ödegaard)", ["A", "B"]),
        ("body:plan", ["A"]),
        ('body:"plan"', []),
        ('body:"secret plans"', ["A"]),
        ('body:"sec pla"*', ["A"]),
        ('body:"plans secret"', []),
        ("body:(plans secret)", ["A"]),
        ("zoëlle@x.example", ["A"]),
        ("kind:contacts zoëlle", ["A", "B"]),
        ("kind:meetings", []),
        ("kind:tasks", []),
    ],
)
def test_a_query_string_looks_for_words(soap: Soap, query: str, expected: list[str]) -> None:
    ids = {}
    for key, surname, more in (
        ("A", "Ångström", "<t:Body BodyType='Text'>Secret plans</t:Body>"),
        ("B", "Ödegaard", ""),
    ):
        ids[key] = soap.create(
            f"{more}<t:GivenName>Zoëlle</t:GivenName><t:EmailAddresses>"
            f"<t:Entry Key='EmailAddress1'>{'zoëlle' if more else 'other'}@x.example</t:Entry>"
            f"</t:EmailAddresses><t:Surname>{surname}</t:Surname>"
        ).item_id
    answer = said(soap, query)
    assert answer.codes == ["NoError"], answer.content
    assert [node.get("Id") for node in answer.all("//t:ItemId")] == [ids[key] for key in expected]


def test_a_query_string_finds_appointments(soap: Soap) -> None:
    made = soap.done(
        '<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items><t:CalendarItem>'
        "<t:Subject>Lunch</t:Subject><t:Start>2027-01-04T11:00:00Z</t:Start>"
        "<t:End>2027-01-04T12:00:00Z</t:End><t:Location>Harry's Bar</t:Location>"
        "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>guest@x.example"
        "</t:EmailAddress></t:Mailbox></t:Attendee></t:RequiredAttendees>"
        "</t:CalendarItem></m:Items></m:CreateItem>"
    )
    calendar = '<t:DistinguishedFolderId Id="calendar"/>'
    for query in ("subject:lunch", "harry", "to:guest", "from:olga kind:meetings"):
        assert said(soap, query, calendar).item_id == made.item_id, query
    assert said(soap, "subject:harry", calendar).find("//t:ItemId") is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("(zoë", "ErrorInvalidArgument"),
        ("zoë)", "ErrorInvalidArgument"),
        ("subject:", "ErrorInvalidArgument"),
        ("received:today", "ErrorInvalidOperation"),
        ("subject:zoë (body:nothing OR company:x)", "ErrorInvalidOperation"),
        ("-" * 5000, "ErrorRestrictionTooComplex"),
    ],
)
def test_a_query_string_that_is_none_is_refused(soap: Soap, query: str, code: str) -> None:
    assert said(soap, query).codes == [code]


@pytest.mark.parametrize(
    ("folder", "other"),
    [
        (
            "contacts",
            f"<m:Restriction><t:Exists>{field('item:Subject')}</t:Exists></m:Restriction>",
        ),
        (
            "calendar",
            '<m:CalendarView StartDate="2027-01-01T00:00:00Z" EndDate="2027-02-01T00:00:00Z"/>',
        ),
    ],
)
def test_a_query_string_goes_with_neither_restriction_nor_view(
    soap: Soap, folder: str, other: str
) -> None:
    answer = soap.call(
        f'<m:FindItem Traversal="Shallow">{shape_of("IdOnly")}{other}<m:ParentFolderIds>'
        f'<t:DistinguishedFolderId Id="{folder}"/></m:ParentFolderIds>'
        "<m:QueryString>a</m:QueryString></m:FindItem>"
    )
    assert answer.codes == ["ErrorUnsupportedQueryFilter"]


def test_items_are_found_by_their_message_class(soap: Soap) -> None:
    """DavMail asks for contacts so."""
    path = '<t:ExtendedFieldURI PropertyTag="0x1a" PropertyType="String"/>'

    def found(wanted: str) -> int:
        answer = soap.find(
            path,
            restriction=f"<t:IsEqualTo>{path}<t:FieldURIOrConstant><t:Constant Value='{wanted}'/>"
            "</t:FieldURIOrConstant></t:IsEqualTo>",
        )
        assert answer.codes == ["NoError"]
        assert {node.text for node in answer.all("//t:Value")} <= {wanted}
        return len(answer.all("//t:Contact"))

    assert found("IPM.Contact") == len(soap.find().all("//t:Contact")) > 0
    assert found("IPM.DistList") == 0


def test_items_have_numbers_that_folders_are_listed_by(soap: Soap) -> None:
    """As DavMail lists a folder; it passes over items whose number is not above the last."""
    number = '<t:ExtendedFieldURI PropertyTag="0xe23" PropertyType="Integer"/>'
    order = f'<t:FieldOrder Order="Ascending">{number}</t:FieldOrder>'
    made = soap.create("<t:GivenName>Last</t:GivenName>")

    def listed() -> list[tuple[int, str]]:
        found = soap.find(number, order=order).all("//t:Contact")
        return [
            (int(node.findtext(".//{*}Value")), node.find("{*}ItemId").get("Id")) for node in found
        ]

    numbers = [each for each, _ in listed()]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > 0
    assert listed()[-1][1] == made.item_id
    inside = soap.make_folder("Inside")
    moved = soap.done(
        f'<m:MoveItem><m:ToFolderId><t:FolderId Id="{inside}"/></m:ToFolderId><m:ItemIds>'
        f'<t:ItemId Id="{made.item_id}"/></m:ItemIds></m:MoveItem>'
    )
    assert int(soap.get(moved.item_id, number).text("//t:Value") or "") > numbers[-1]


def test_a_time_is_answered_as_exchange_writes_it(soap: Soap) -> None:
    """DavMail sends fractions of seconds and reads none."""
    birthday = '<t:ExtendedFieldURI PropertyTag="0x3a42" PropertyType="SystemTime"/>'
    times = [
        f'<t:ExtendedFieldURI PropertyTag="{tag}" PropertyType="SystemTime"/>'
        for tag in ("0x3007", "0x3008")
    ]

    def content(value: str) -> str:
        return f"<t:ExtendedProperty>{birthday}<t:Value>{value}</t:Value></t:ExtendedProperty>"

    made = soap.create(content("1980-01-02T00:00:00.000Z"))
    got = soap.get(made.item_id, birthday, *times)
    assert [node.text for node in got.all("//t:ExtendedProperty/t:Value")] == [
        "1980-01-02T00:00:00Z",
        got.text("//t:DateTimeCreated"),
        got.text("//t:LastModifiedTime"),
    ]
    refused = soap.call(
        f"<m:CreateItem><m:Items><t:Contact>{content('yesterday')}</t:Contact></m:Items>"
        "</m:CreateItem>"
    )
    assert refused.codes == ["ErrorInvalidExtendedPropertyValue"]
