"""User configurations as EWS names and shows them: [MS-OXWSUSRCFG] 2.2.4."""

from __future__ import annotations

from lxml import etree

from cirahub_simulator.ews.call import Call
from cirahub_simulator.ews.errors import EwsError, item_not_found
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.markup import (
    Element,
    add,
    boolean,
    children,
    element,
    find,
    is_true,
    name,
    text_of,
)
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.user_configuration import UserConfiguration

MOST_BYTES = 1024 * 1024
"""Of the whole; https://learn.microsoft.com/exchange/client-developer/exchange-web-services/persistent-application-settings-in-ews-in-exchange"""


def named(call: Call, node: Element) -> tuple[Mailbox, Folder, str]:
    """What a UserConfigurationName says. Raises EwsError."""
    mailbox, folder = call.folder_of(next(children(node)))
    return mailbox, folder, node.get("Name", "")


def find_configuration(mailbox: Mailbox, folder: Folder, name: str) -> UserConfiguration:
    """The configuration of a name. Raises EwsError."""
    found = mailbox.user_configurations.get((folder.id, name))
    if found is None:
        raise item_not_found()
    return found


def fill(configuration: UserConfiguration, node: Element) -> None:
    """Write the parts that a UserConfiguration element has. Raises EwsError."""
    dictionary = find(node, "t:Dictionary")
    if dictionary is not None:
        configuration.dictionary = etree.tostring(_typed(dictionary), with_tail=False)
    for tag, attribute in (("t:XmlData", "xml"), ("t:BinaryData", "binary")):
        part = find(node, tag)
        if part is not None:
            setattr(configuration, attribute, text_of(part))
    size = sum(
        len(part or "")
        for part in (configuration.dictionary, configuration.xml, configuration.binary)
    )
    if size > MOST_BYTES:
        raise EwsError("ErrorMessageSizeExceeded", "The user configuration is too large.")


def _typed(dictionary: Element) -> Element:
    """A dictionary as Exchange answers it: it keeps values, not how they were written."""
    for value in dictionary.iter(name("t:DictionaryKey"), name("t:DictionaryValue")):
        kind = find(value, "t:Type")
        if kind is not None and text_of(kind) == "Boolean":
            for text in value.iterfind(name("t:Value")):
                text.text = boolean(is_true(text.text))
    return dictionary


def render(configuration: UserConfiguration, name_node: Element, wanted: frozenset[str]) -> Element:
    """A UserConfiguration element with the parts that are wanted."""
    made = element("m:UserConfiguration")
    named_again = etree.fromstring(etree.tostring(name_node, with_tail=False))
    named_again.tag = element("t:UserConfigurationName").tag
    made.append(named_again)
    whole = "All" in wanted
    if whole or "Id" in wanted:
        add(
            made,
            "t:ItemId",
            Id=ews_id(configuration.item_id),
            ChangeKey=configuration.change_key,
        )
    if (whole or "Dictionary" in wanted) and configuration.dictionary is not None:
        made.append(etree.fromstring(configuration.dictionary))
    if (whole or "XmlData" in wanted) and configuration.xml is not None:
        add(made, "t:XmlData", configuration.xml)
    if (whole or "BinaryData" in wanted) and configuration.binary is not None:
        add(made, "t:BinaryData", configuration.binary)
    return made
