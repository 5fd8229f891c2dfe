"""Appointments, series and meetings over EWS, and the same ones in Graph."""

from __future__ import annotations

from typing import Any

import pytest

from cirahub_simulator.client import AdminClient

from .conftest import OLGA, PAUL, Answer, Soap, changes, drop, field, shape_of

CALENDAR = '<t:DistinguishedFolderId Id="calendar"/>'
BERLIN = "W. Europe Standard Time"
STAMP = (
    '<t:ExtendedFieldURI PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e" '
    'PropertyName="Stamp" PropertyType="String"/>'
)
WEEKLY = (
    "<t:Recurrence><t:WeeklyRecurrence><t:Interval>1</t:Interval>"
    "<t:DaysOfWeek>Monday Wednesday</t:DaysOfWeek><t:FirstDayOfWeek>Monday</t:FirstDayOfWeek>"
    "</t:WeeklyRecurrence><t:NumberedRecurrence><t:StartDate>2027-03-22</t:StartDate>"
    "<t:NumberOfOccurrences>4</t:NumberOfOccurrences></t:NumberedRecurrence></t:Recurrence>"
)
ZONES = f'<t:StartTimeZone Id="{BERLIN}"/><t:EndTimeZone Id="{BERLIN}"/>'


def create(soap: Soap, content: str, send: str = "SendToNone", folder: str = CALENDAR) -> Answer:
    return soap.done(
        f'<m:CreateItem SendMeetingInvitations="{send}"><m:SavedItemFolderId>{folder}'
        f"</m:SavedItemFolderId><m:Items><t:CalendarItem>{content}</t:CalendarItem></m:Items>"
        "</m:CreateItem>"
    )


def lunch(soap: Soap, more: str = "") -> Answer:
    return create(
        soap,
        "<t:Subject>Lunch</t:Subject><t:Start>2027-01-04T11:00:00Z</t:Start>"
        f"<t:End>2027-01-04T12:00:00Z</t:End>{more}",
    )


def weekly(soap: Soap) -> Answer:
    """Mondays and Wednesdays at ten in Berlin, over the beginning of summer time."""
    return create(
        soap,
        "<t:Subject>Weekly</t:Subject><t:Start>2027-03-22T10:00:00+01:00</t:Start>"
        f"<t:End>2027-03-22T11:00:00+01:00</t:End>{WEEKLY}{ZONES}",
    )


def update(soap: Soap, target: str, *updates: str, send: str = "SendToNone") -> Answer:
    return soap.call(
        f'<m:UpdateItem ConflictResolution="AlwaysOverwrite" '
        f'SendMeetingInvitationsOrCancellations="{send}"><m:ItemChanges><t:ItemChange>{target}'
        f"<t:Updates>{''.join(updates)}</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )


def put(uri: str, content: str) -> str:
    return (
        f"<t:SetItemField>{field(uri)}<t:CalendarItem>{content}</t:CalendarItem></t:SetItemField>"
    )


def by_id(item_id: str) -> str:
    return f'<t:ItemId Id="{item_id}"/>'


def nth(master_id: str, number: int) -> str:
    return f'<t:OccurrenceItemId RecurringMasterId="{master_id}" InstanceIndex="{number}"/>'


def get(soap: Soap, target: str, shape: str = "AllProperties", *more: str) -> Answer:
    return soap.call(
        f"<m:GetItem>{shape_of(shape, *more)}<m:ItemIds>{target}</m:ItemIds></m:GetItem>"
    )


def view(soap: Soap, start: str, end: str, more: str = "", folder: str = CALENDAR) -> Answer:
    return soap.call(
        f'<m:FindItem Traversal="Shallow">{shape_of("Default")}<m:CalendarView StartDate="{start}" '
        f'EndDate="{end}"{more}/><m:ParentFolderIds>{folder}</m:ParentFolderIds></m:FindItem>'
    )


def starts(answer: Answer) -> list[str]:
    return [str(node.text) for node in answer.all("//t:CalendarItem/t:Start")]


def test_an_appointment_comes_back_whole(soap: Soap) -> None:
    made = create(
        soap,
        "<t:Subject>Planning</t:Subject><t:Sensitivity>Private</t:Sensitivity>"
        '<t:Body BodyType="Text">Agenda</t:Body>'
        "<t:Categories><t:String>Red</t:String></t:Categories><t:Importance>High</t:Importance>"
        "<t:ReminderIsSet>true</t:ReminderIsSet>"
        "<t:ReminderMinutesBeforeStart>30</t:ReminderMinutesBeforeStart>"
        f"<t:ExtendedProperty>{STAMP}<t:Value>one</t:Value></t:ExtendedProperty>"
        "<t:UID>my-own-uid</t:UID>"
        "<t:Start>2027-07-05T09:30:00+02:00</t:Start><t:End>2027-07-05T11:00:00+02:00</t:End>"
        "<t:IsAllDayEvent>false</t:IsAllDayEvent>"
        "<t:LegacyFreeBusyStatus>OOF</t:LegacyFreeBusyStatus><t:Location>Room 1</t:Location>"
        f"{ZONES}",
    )
    got = get(soap, by_id(made.item_id), "AllProperties", STAMP)
    item = "//t:CalendarItem"
    wanted = {
        "ItemClass": "IPM.Appointment",
        "Subject": "Planning",
        "Sensitivity": "Private",
        "Body": "Agenda",
        "Importance": "High",
        "ReminderIsSet": "true",
        "ReminderMinutesBeforeStart": "30",
        "UID": "my-own-uid",
        "Start": "2027-07-05T07:30:00Z",
        "End": "2027-07-05T09:00:00Z",
        "IsAllDayEvent": "false",
        "LegacyFreeBusyStatus": "OOF",
        "Location": "Room 1",
        "CalendarItemType": "Single",
        "IsRecurring": "false",
        "IsMeeting": "false",
        "MyResponseType": "Organizer",
        "Duration": "PT1H30M",
        "StartWallClock": "2027-07-05T09:30:00+02:00",
        "StartTimeZoneId": BERLIN,
    }
    assert {name: got.text(f"{item}/t:{name}") for name in wanted} == wanted
    assert got.text(f"{item}/t:Organizer/t:Mailbox/t:EmailAddress") == OLGA
    assert got.text(f"{item}/t:ExtendedProperty/t:Value") == "one"
    assert got.find(f"{item}/t:StartTimeZone").get("Id") == BERLIN


def test_graph_shows_the_same_appointment(soap: Soap, admin: AdminClient) -> None:
    made = lunch(soap)
    events: list[dict[str, Any]] = admin.call("GET", f"/graph/v1.0/users/{OLGA}/events")["value"]
    event = next(one for one in events if one["subject"] == "Lunch")
    assert event["id"].replace("-", "/").replace("_", "+") == made.item_id
    admin.call("PATCH", f"/graph/v1.0/users/{OLGA}/events/{event['id']}", {"subject": "Late lunch"})
    got = get(soap, by_id(made.item_id))
    assert got.text("//t:CalendarItem/t:Subject") == "Late lunch"
    assert got.change_key != made.change_key


def test_fields_are_set_and_deleted_one_by_one(soap: Soap) -> None:
    made = lunch(soap, "<t:Location>Here</t:Location>")
    answer = update(
        soap,
        by_id(made.item_id),
        put("item:Subject", "<t:Subject>Dinner</t:Subject>"),
        put("calendar:Start", "<t:Start>2027-01-04T18:00:00Z</t:Start>"),
        put("calendar:End", "<t:End>2027-01-04T20:00:00Z</t:End>"),
        drop(field("calendar:Location")),
    )
    assert answer.codes == ["NoError"], answer.content
    got = get(soap, by_id(made.item_id))
    assert got.text("//t:CalendarItem/t:Subject") == "Dinner"
    assert got.text("//t:CalendarItem/t:Duration") == "PT2H"
    assert got.find("//t:CalendarItem/t:Location") is None


def test_times_without_a_zone_are_the_request_s(soap: Soap) -> None:
    soap.header = f'<t:TimeZoneContext><t:TimeZoneDefinition Id="{BERLIN}"/></t:TimeZoneContext>'
    made = create(soap, "<t:Start>2027-07-05T09:00:00</t:Start><t:End>2027-07-05T10:00:00</t:End>")
    got = get(soap, by_id(made.item_id))
    assert got.text("//t:CalendarItem/t:Start") == "2027-07-05T07:00:00Z"
    assert got.text("//t:CalendarItem/t:StartTimeZoneId") == BERLIN


def test_an_all_day_event_is_stretched_to_days(soap: Soap) -> None:
    made = create(
        soap,
        "<t:Start>2027-07-05T10:00:00+02:00</t:Start><t:End>2027-07-05T12:00:00+02:00</t:End>"
        f"<t:IsAllDayEvent>true</t:IsAllDayEvent>{ZONES}",
    )
    got = get(soap, by_id(made.item_id))
    assert got.text("//t:CalendarItem/t:Start") == "2027-07-04T22:00:00Z"
    assert got.text("//t:CalendarItem/t:End") == "2027-07-05T22:00:00Z"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (
            (
                "<m:CreateItem><m:Items><t:CalendarItem><t:Start>2027-01-01T00:00:00Z</t:Start>"
                "<t:End>2027-01-01T01:00:00Z</t:End></t:CalendarItem></m:Items></m:CreateItem>"
            ),
            "ErrorSendMeetingInvitationsRequired",
        ),
        (
            (
                '<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items><t:CalendarItem>'
                "<t:Start>2027-01-01T02:00:00Z</t:Start><t:End>2027-01-01T01:00:00Z</t:End>"
                "</t:CalendarItem></m:Items></m:CreateItem>"
            ),
            "ErrorCalendarEndDateIsEarlierThanStartDate",
        ),
        (
            (
                '<m:CreateItem SendMeetingInvitations="SendToNone"><m:SavedItemFolderId>'
                '<t:DistinguishedFolderId Id="contacts"/></m:SavedItemFolderId><m:Items>'
                "<t:CalendarItem><t:Start>2027-01-01T00:00:00Z</t:Start>"
                "<t:End>2027-01-01T01:00:00Z</t:End></t:CalendarItem></m:Items></m:CreateItem>"
            ),
            "ErrorCannotCreateCalendarItemInNonCalendarFolder",
        ),
        (
            (
                '<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items><t:CalendarItem>'
                '<t:Start>2027-01-01T00:00:00Z</t:Start><t:StartTimeZone Id="No Such Time"/>'
                "</t:CalendarItem></m:Items></m:CreateItem>"
            ),
            "ErrorTimeZone",
        ),
    ],
)
def test_an_appointment_that_can_t_be_is_refused(soap: Soap, body: str, code: str) -> None:
    assert soap.call(body).codes == [code]


def test_a_series_without_an_end_has_a_first_and_no_last(soap: Soap) -> None:
    """All of it is never looked at: a daily one has nine hundred thousand days."""
    forever = (
        "<t:Recurrence><t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence>"
        "<t:NoEndRecurrence><t:StartDate>2027-03-22</t:StartDate></t:NoEndRecurrence>"
        "</t:Recurrence>"
    )
    master = create(
        soap,
        "<t:Subject>Daily</t:Subject><t:Start>2027-03-22T10:00:00Z</t:Start>"
        f"<t:End>2027-03-22T11:00:00Z</t:End>{forever}",
    )
    first = f'<t:OccurrenceItemId RecurringMasterId="{master.item_id}" InstanceIndex="1"/>'
    soap.done(
        '<m:DeleteItem DeleteType="HardDelete" SendMeetingCancellations="SendToNone">'
        f"<m:ItemIds>{first}</m:ItemIds></m:DeleteItem>"
    )
    got = get(soap, by_id(master.item_id))
    assert got.text("//t:FirstOccurrence/t:Start") == "2027-03-23T10:00:00Z"
    assert got.find("//t:LastOccurrence") is None


def reply(soap: Soap, content: str, disposition: str = "SendAndSaveCopy") -> list[str]:
    return soap.call(
        f'<m:CreateItem MessageDisposition="{disposition}"><m:Items>{content}</m:Items>'
        "</m:CreateItem>"
    ).codes


def test_a_meeting_is_cancelled_by_its_organizer(soap: Soap, admin: AdminClient) -> None:
    """As the EWS Managed API (`CancelMeeting`) and exchangelib (`cancel`) ask."""
    made = lunch(
        soap,
        "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>guest@x.example"
        "</t:EmailAddress></t:Mailbox></t:Attendee></t:RequiredAttendees>",
    )
    of = f'<t:ReferenceItemId Id="{made.item_id}" ChangeKey="{made.change_key}"/>'
    for name, code in (
        ("AcceptItem", "ErrorCalendarIsOrganizerForAccept"),
        ("TentativelyAcceptItem", "ErrorCalendarIsOrganizerForTentative"),
        ("DeclineItem", "ErrorCalendarIsOrganizerForDecline"),
    ):
        assert reply(soap, f"<t:{name}>{of}</t:{name}>") == [code]
    body = '<t:NewBodyContent BodyType="Text">Ill</t:NewBodyContent>'
    cancel = f"<t:CancelCalendarItem>{of}{body}</t:CancelCalendarItem>"
    assert reply(soap, cancel) == ["NoError"]
    [told] = admin.messages()
    assert (told["kind"], told["to"], told["comment"]) == (
        "cancellation",
        ["guest@x.example"],
        "Ill",
    )
    assert reply(soap, cancel) == ["ErrorItemNotFound"], "it went to Deleted Items"


@pytest.mark.parametrize(
    ("name", "kind", "response"),
    [
        ("AcceptItem", "accepted", "Accept"),
        ("TentativelyAcceptItem", "tentativelyAccepted", "Tentative"),
    ],
)
def test_a_meeting_is_answered_by_who_is_invited(
    soap: Soap, admin: AdminClient, name: str, kind: str, response: str
) -> None:
    invited = admin.add_event(
        OLGA,
        {
            "subject": "Review",
            "start": {"dateTime": "2027-02-01T09:00:00", "timeZone": "UTC"},
            "end": {"dateTime": "2027-02-01T10:00:00", "timeZone": "UTC"},
            "attendees": [{"emailAddress": {"address": OLGA}, "type": "required"}],
        },
        organizer={"name": "Paul", "address": PAUL},
    )
    assert invited["subject"] == "Review"
    [item] = view(soap, "2027-02-01T00:00:00Z", "2027-02-02T00:00:00Z").all("//t:ItemId")
    of = f'<t:ReferenceItemId Id="{item.get("Id")}"/>'
    assert reply(soap, f"<t:CancelCalendarItem>{of}</t:CancelCalendarItem>") == [
        "ErrorCalendarIsNotOrganizer"
    ]
    body = '<t:Body BodyType="Text">Gladly</t:Body>'
    assert reply(soap, f"<t:{name}>{body}{of}</t:{name}>") == ["NoError"]
    [told] = admin.messages()
    assert (told["kind"], told["to"], told["comment"]) == (kind, [PAUL], "Gladly")
    assert get(soap, by_id(item.get("Id"))).text("//t:MyResponseType") == response


def test_a_series_keeps_its_time_of_day_over_summer_time(soap: Soap) -> None:
    master = weekly(soap)
    got = get(soap, by_id(master.item_id))
    assert got.text("//t:CalendarItem/t:CalendarItemType") == "RecurringMaster"
    assert got.text("//t:WeeklyRecurrence/t:DaysOfWeek") == "Monday Wednesday"
    assert got.text("//t:NumberedRecurrence/t:NumberOfOccurrences") == "4"
    assert got.text("//t:FirstOccurrence/t:Start") == "2027-03-22T09:00:00Z"
    assert got.text("//t:LastOccurrence/t:Start") == "2027-03-31T08:00:00Z"
    shown = view(soap, "2027-03-01T00:00:00Z", "2027-05-01T00:00:00Z")
    assert starts(shown) == [
        "2027-03-22T09:00:00Z",
        "2027-03-24T09:00:00Z",
        "2027-03-29T08:00:00Z",
        "2027-03-31T08:00:00Z",
    ]
    kinds = {node.text for node in shown.all("//t:CalendarItemType")}
    assert kinds == {"Occurrence"}
    found = soap.find("calendar:CalendarItemType", folder=CALENDAR)
    assert [node.text for node in found.all("//t:CalendarItemType")] == ["RecurringMaster"]


def test_an_occurrence_becomes_an_exception_or_goes(soap: Soap) -> None:
    master = weekly(soap)
    second = get(soap, nth(master.item_id, 2))
    assert second.text("//t:CalendarItem/t:CalendarItemType") == "Occurrence"
    moved = update(
        soap,
        by_id(second.item_id),
        put("calendar:Start", "<t:Start>2027-03-25T12:00:00Z</t:Start>"),
        put("calendar:End", "<t:End>2027-03-25T13:00:00Z</t:End>"),
    )
    assert moved.codes == ["NoError"], moved.content
    got = get(soap, nth(master.item_id, 2))
    assert got.text("//t:CalendarItem/t:CalendarItemType") == "Exception"
    assert got.text("//t:CalendarItem/t:OriginalStart") == "2027-03-24T09:00:00Z"
    gone = soap.call(
        '<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="SendToNone">'
        f"<m:ItemIds>{nth(master.item_id, 3)}</m:ItemIds></m:DeleteItem>"
    )
    assert gone.codes == ["NoError"]
    whole = get(soap, by_id(master.item_id))
    assert whole.text("//t:ModifiedOccurrences//t:Start") == "2027-03-25T12:00:00Z"
    assert whole.text("//t:DeletedOccurrences//t:Start") == "2027-03-29T08:00:00Z"
    assert starts(view(soap, "2027-03-01T00:00:00Z", "2027-05-01T00:00:00Z")) == [
        "2027-03-22T09:00:00Z",
        "2027-03-25T12:00:00Z",
        "2027-03-31T08:00:00Z",
    ]
    assert get(soap, nth(master.item_id, 3)).codes == [
        "ErrorCalendarOccurrenceIsDeletedFromRecurrence"
    ]
    assert get(soap, nth(master.item_id, 5)).codes == [
        "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange"
    ]
    assert get(soap, nth(second.item_id, 1)).codes == [
        "ErrorCalendarCannotUseIdForRecurringMasterId"
    ]
    back = get(soap, f'<t:RecurringMasterItemId OccurrenceId="{second.item_id}"/>')
    assert back.item_id == master.item_id


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("<t:DailyRecurrence><t:Interval>2</t:Interval></t:DailyRecurrence>", ["04", "06", "08"]),
        (
            (
                "<t:AbsoluteMonthlyRecurrence><t:Interval>1</t:Interval><t:DayOfMonth>4</t:DayOfMonth>"
                "</t:AbsoluteMonthlyRecurrence>"
            ),
            ["04"],
        ),
        (
            (
                "<t:RelativeMonthlyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Monday"
                "</t:DaysOfWeek><t:DayOfWeekIndex>First</t:DayOfWeekIndex>"
                "</t:RelativeMonthlyRecurrence>"
            ),
            ["04"],
        ),
        (
            (
                "<t:RelativeYearlyRecurrence><t:DaysOfWeek>Weekday</t:DaysOfWeek>"
                "<t:DayOfWeekIndex>Second</t:DayOfWeekIndex><t:Month>January</t:Month>"
                "</t:RelativeYearlyRecurrence>"
            ),
            ["04"],
        ),
        (
            (
                "<t:AbsoluteYearlyRecurrence><t:DayOfMonth>4</t:DayOfMonth><t:Month>January</t:Month>"
                "</t:AbsoluteYearlyRecurrence>"
            ),
            ["04"],
        ),
    ],
)
@pytest.mark.parametrize(
    "span",
    [
        "<t:NoEndRecurrence><t:StartDate>2027-01-04</t:StartDate></t:NoEndRecurrence>",
        (
            "<t:EndDateRecurrence><t:StartDate>2027-01-04</t:StartDate><t:EndDate>2027-12-31</t:EndDate>"
            "</t:EndDateRecurrence>"
        ),
    ],
)
def test_every_pattern_comes_back_as_it_was_written(
    soap: Soap, pattern: str, span: str, first: list[str]
) -> None:
    made = lunch(soap, f"<t:Recurrence>{pattern}{span}</t:Recurrence>")
    got = get(soap, by_id(made.item_id))
    node = got.find("//t:CalendarItem/t:Recurrence")
    written = [(child.tag.partition("}")[2], "".join(child.itertext())) for child in node]
    import re

    texts = [re.sub(r"<[^>]*>", "", part) for part in (pattern, span)]
    assert [text.replace("Z", "") for _, text in written] == texts
    shown = starts(view(soap, "2027-01-01T00:00:00Z", "2027-01-09T00:00:00Z"))
    assert [one[8:10] for one in shown] == first


def test_a_view_is_bounded_and_of_a_calendar(soap: Soap) -> None:
    weekly(soap)
    two = view(soap, "2027-03-01T00:00:00Z", "2027-05-01T00:00:00Z", ' MaxEntriesReturned="2"')
    assert len(starts(two)) == 2
    assert two.find("//m:RootFolder").get("IncludesLastItemInRange") == "false"
    contacts = '<t:DistinguishedFolderId Id="contacts"/>'
    for start, end, folder, code in (
        ("2027-01-01", "2030-01-01", CALENDAR, "ErrorCalendarViewRangeTooBig"),
        ("2027-02-01", "2027-01-01", CALENDAR, "ErrorCalendarEndDateIsEarlierThanStartDate"),
        ("2027-01-01", "2027-02-01", contacts, "ErrorCalendarFolderIsInvalidForCalendarView"),
    ):
        answer = view(soap, f"{start}T00:00:00Z", f"{end}T00:00:00Z", folder=folder)
        assert answer.codes == [code]


def test_a_calendar_is_synchronised(soap: Soap) -> None:
    def sync(state: str = "", folder: str = CALENDAR) -> Answer:
        return soap.sync(state, 512, folder)

    state = sync().text("//m:SyncState") or ""
    made, series = lunch(soap), weekly(soap)
    first = sync(state)
    assert changes(first) == [("Create", made.item_id), ("Create", series.item_id)]
    state = first.text("//m:SyncState") or ""
    second = get(soap, nth(series.item_id, 2))
    update(soap, by_id(second.item_id), put("item:Subject", "<t:Subject>Other</t:Subject>"))
    soap.call(
        '<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="SendToNone">'
        f"<m:ItemIds>{by_id(made.item_id)}</m:ItemIds></m:DeleteItem>"
    )
    assert changes(sync(state)) == [("Update", series.item_id), ("Delete", made.item_id)]
    binned = sync(folder='<t:DistinguishedFolderId Id="deleteditems"/>')
    assert [kind for kind, _ in changes(binned)] == ["Create"]
    assert binned.find("//t:CalendarItem") is not None


def test_a_meeting_s_attendees_are_written_to_when_that_is_asked_for(
    soap: Soap, admin: AdminClient
) -> None:
    people = (
        f"<t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>{PAUL}</t:EmailAddress>"
        "</t:Mailbox></t:Attendee></t:RequiredAttendees>"
    )
    times = "<t:Start>2027-01-05T11:00:00Z</t:Start><t:End>2027-01-05T12:00:00Z</t:End>"
    create(soap, f"<t:Subject>Quiet</t:Subject>{times}{people}")
    assert admin.call("GET", "/messages") == []
    made = create(soap, f"<t:Subject>Loud</t:Subject>{times}{people}", "SendToAllAndSaveCopy")
    (sent,) = admin.call("GET", "/messages")
    assert (sent["kind"], sent["to"], sent["subject"]) == ("invitation", [PAUL], "Loud")
    got = get(soap, by_id(made.item_id))
    assert got.text("//t:CalendarItem/t:IsMeeting") == "true"
    assert got.text("//t:RequiredAttendees//t:EmailAddress") == PAUL


def test_calendars_are_folders(soap: Soap, admin: AdminClient) -> None:
    made = soap.done(
        f"<m:CreateFolder><m:ParentFolderId>{CALENDAR}</m:ParentFolderId><m:Folders>"
        "<t:CalendarFolder><t:DisplayName>Team</t:DisplayName></t:CalendarFolder></m:Folders>"
        "</m:CreateFolder>"
    )
    team = f'<t:FolderId Id="{made.folder_id}"/>'
    event = create(
        soap,
        "<t:Subject>There</t:Subject><t:Start>2027-01-05T11:00:00Z</t:Start>"
        "<t:End>2027-01-05T12:00:00Z</t:End>",
        folder=team,
    )
    calendars = f"/graph/v1.0/users/{OLGA}/calendars"
    named = {one["name"]: one["id"] for one in admin.call("GET", calendars)["value"]}
    assert set(named) == {"Calendar", "Team"}
    (shown,) = admin.call("GET", f"{calendars}/{named['Team']}/events")["value"]
    assert shown["subject"] == "There"
    admin.call("DELETE", f"{calendars}/{named['Team']}")
    assert get(soap, by_id(event.item_id)).codes == ["ErrorItemNotFound"]
    gone = soap.call(
        "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>"
        f"<m:FolderIds>{team}</m:FolderIds></m:GetFolder>"
    )
    assert gone.codes == ["ErrorFolderNotFound"]
