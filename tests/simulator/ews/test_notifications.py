"""Subscriptions that are asked, and subscriptions that stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree
from tests.contract.ews import Contract, Exchange

from cirahub_simulator.client import AdminClient

from .conftest import OLGA, Answer, Soap, envelope

EVENTS = "".join(
    f"<t:EventType>{name}Event</t:EventType>"
    for name in ("Created", "Deleted", "Modified", "Moved")
)
CONTACTS = '<t:FolderIds><t:DistinguishedFolderId Id="contacts"/></t:FolderIds>'


def subscribe(soap: Soap, more: str = "", where: str = CONTACTS, whole: str = "") -> Answer:
    return soap.call(
        f"<m:Subscribe><m:PullSubscriptionRequest{whole}>{where}<t:EventTypes>{EVENTS}"
        f"</t:EventTypes>{more}<t:Timeout>10</t:Timeout></m:PullSubscriptionRequest></m:Subscribe>"
    )


class Pull:
    """Asks as a client does: with the last watermark that it has."""

    def __init__(self, soap: Soap, made: Answer) -> None:
        self._soap = soap
        self.id = made.text("//m:SubscriptionId") or ""
        self.watermark = made.text("//m:Watermark") or ""

    def ask(self) -> Answer:
        answer = self._soap.call(
            f"<m:GetEvents><m:SubscriptionId>{self.id}</m:SubscriptionId>"
            f"<m:Watermark>{self.watermark}</m:Watermark></m:GetEvents>"
        )
        marks = answer.all("//t:Watermark")
        self.watermark = marks[-1].text if marks else self.watermark
        return answer

    def kinds(self) -> list[str]:
        told = self.ask().all("//m:Notification/*[t:Watermark]")
        return [etree.QName(node).localname for node in told]


def test_events_are_told_once_and_in_order(soap: Soap, admin: AdminClient) -> None:
    pull = Pull(soap, subscribe(soap))
    assert pull.kinds() == ["StatusEvent"]
    made = soap.create("<t:GivenName>A</t:GivenName>")
    contact = admin.create_contact(OLGA, {"givenName": "By Graph"})
    admin.update_contact(OLGA, contact["id"], {"jobTitle": "Buyer"})
    assert pull.kinds() == ["CreatedEvent", "CreatedEvent", "ModifiedEvent"]
    soap.delete(made.item_id)
    moved = pull.ask()
    assert moved.find("//t:MovedEvent/t:OldItemId").get("Id") == made.item_id
    admin.delete_contact(OLGA, contact["id"])
    soap.make_folder("Below")
    assert pull.kinds() == ["MovedEvent", "CreatedEvent"]
    assert pull.kinds() == ["StatusEvent"]


def test_what_goes_for_good_is_deleted_and_other_folders_are_not_heard(soap: Soap) -> None:
    pull = Pull(soap, subscribe(soap))
    whole = Pull(soap, subscribe(soap, where="", whole=' SubscribeToAllFolders="true"'))
    below = soap.make_folder("Below")
    pull.kinds()
    whole.kinds()
    made = soap.create("<t:GivenName>A</t:GivenName>", f'<t:FolderId Id="{below}"/>')
    assert pull.kinds() == ["StatusEvent"]
    assert whole.kinds() == ["CreatedEvent"]
    soap.delete(made.item_id, "HardDelete")
    assert whole.kinds() == ["DeletedEvent"]


def test_a_watermark_is_of_its_mailbox(soap: Soap) -> None:
    pull = Pull(soap, subscribe(soap))
    soap.create("<t:GivenName>A</t:GivenName>")
    resumed = subscribe(soap, f"<t:Watermark>{pull.watermark}</t:Watermark>")
    assert Pull(soap, resumed).kinds() == ["CreatedEvent"]
    pull.watermark = "AAA="
    assert pull.ask().codes == ["ErrorInvalidWatermark"]


def test_a_subscription_ends_by_word_or_by_silence(soap: Soap, admin: AdminClient) -> None:
    pull, silent = Pull(soap, subscribe(soap)), Pull(soap, subscribe(soap))
    end = f"<m:Unsubscribe><m:SubscriptionId>{pull.id}</m:SubscriptionId></m:Unsubscribe>"
    soap.done(end)
    assert soap.call(end).codes == ["ErrorSubscriptionNotFound"]
    assert pull.ask().codes == ["ErrorSubscriptionNotFound"]
    admin.advance(601)
    assert silent.ask().codes == ["ErrorExpiredSubscription"]


@pytest.mark.parametrize(
    ("where", "whole"), [("", ""), (CONTACTS, ' SubscribeToAllFolders="true"')]
)
def test_a_subscription_is_to_folders_or_to_all(soap: Soap, where: str, whole: str) -> None:
    refused = subscribe(soap, where=where, whole=whole)
    assert refused.codes == ["ErrorInvalidSubscriptionRequest"]


class Stream:
    """An open answer, envelope by envelope, each judged by the schemas."""

    def __init__(self, soap: Soap, subscription: str, minutes: int = 5) -> None:
        body = (
            f"<m:GetStreamingEvents><m:SubscriptionIds><t:SubscriptionId>{subscription}"
            f"</t:SubscriptionId></m:SubscriptionIds><m:ConnectionTimeout>{minutes}"
            "</m:ConnectionTimeout></m:GetStreamingEvents>"
        )
        self.request = envelope(body)
        self.names: list[str] = []
        """Of the elements that had the events."""
        self.response = soap.session.post(
            soap.url,
            data=self.request.encode(),
            headers={"Content-Type": "text/xml; charset=utf-8"},
            stream=True,
            timeout=600,
        )

    def __iter__(self) -> Iterator[str]:
        """What each envelope tells: a status, or the kinds of its events."""
        end = b"Envelope>"
        text = b""
        contract = Contract.find()
        for piece in self.response.iter_content(chunk_size=None):
            text += piece
            if not text.endswith(end):
                continue
            if contract is not None:
                contract.check(Exchange(status=200, request_body=self.request, body=text.decode()))
            root = etree.fromstring(text)
            text = b""
            self.names += [str(one.tag) for one in root.iterfind(".//{*}Notification")]
            status = root.findtext(".//{*}ConnectionStatus")
            events = [
                etree.QName(one).localname
                for one in root.iterfind(".//{*}Notification/*")
                if one.find("{*}TimeStamp") is not None
            ]
            yield status or " ".join(events)


@pytest.fixture
def streaming(soap: Soap) -> str:
    made = soap.done(
        f"<m:Subscribe><m:StreamingSubscriptionRequest>{CONTACTS}<t:EventTypes>{EVENTS}"
        "</t:EventTypes></m:StreamingSubscriptionRequest></m:Subscribe>"
    )
    assert made.find("//m:Watermark") is None
    return made.text("//m:SubscriptionId") or ""


def test_a_stream_tells_what_happens_while_it_is_open(
    soap: Soap, streaming: str, admin: AdminClient
) -> None:
    told = iter(Stream(soap, streaming))
    assert next(told) == "OK"
    contact = admin.create_contact(OLGA, {"givenName": "By Graph"})
    assert next(told) == "CreatedEvent"
    admin.delete_contact(OLGA, contact["id"])
    assert next(told) == "MovedEvent"
    admin.advance(301)
    assert list(told) == ["Closed"]


@pytest.mark.parametrize("namespace", ["messages", "types"])
def test_whose_a_notification_of_a_stream_is_is_open(
    soap: Soap, streaming: str, admin: AdminClient, namespace: str
) -> None:
    """The EWS Managed API and its ports read it from the messages and give up otherwise."""
    admin.switch(stream_notification=namespace)
    admin.create_contact(OLGA, {"givenName": "By Graph"})
    stream = Stream(soap, streaming)
    told = iter(stream)
    assert [next(told), next(told)] == ["OK", "CreatedEvent"]
    stream.response.close()
    assert (
        stream.names[-1]
        == f"{{http://schemas.microsoft.com/exchange/services/2006/{namespace}}}Notification"
    )


def test_a_client_that_goes_leaves_the_server_well(
    soap: Soap, streaming: str, admin: AdminClient
) -> None:
    stream = Stream(soap, streaming)
    assert next(iter(stream)) == "OK"
    stream.response.close()
    admin.create_contact(OLGA, {"givenName": "Unheard"})
    assert soap.find().codes == ["NoError"]


def test_a_stream_of_nothing_is_refused(soap: Soap) -> None:
    pull = subscribe(soap).text("//m:SubscriptionId") or ""
    for subscription, code in (
        ("AAA=", "ErrorSubscriptionNotFound"),
        (pull, "ErrorInvalidSubscription"),
    ):
        stream = Stream(soap, subscription)
        root = etree.fromstring(stream.response.content)
        assert root.findtext(".//{*}ResponseCode") == code
        assert root.findtext(".//{*}ErrorSubscriptionIds/{*}SubscriptionId") == subscription
