"""CreateUserConfiguration, GetUserConfiguration, UpdateUserConfiguration and
DeleteUserConfiguration: [MS-OXWSUSRCFG] 3.1.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.markup import Element, text_of
from cirahub_simulator.ews.messages import message
from cirahub_simulator.ews.user_configuration import fill, find_configuration, named, render
from cirahub_simulator.graph.user_configuration import UserConfiguration


def create(call: Call) -> list[Element]:
    """The one message."""
    given = child(call.request, "m:UserConfiguration")

    def do() -> Iterator[Element]:
        mailbox, folder, name = named(call, child(given, "t:UserConfigurationName"))
        if (folder.id, name) in mailbox.user_configurations:
            raise EwsError(
                "ErrorItemSave", "A user configuration of this name is in the folder already."
            )
        made = UserConfiguration(
            item_id=mailbox.new_item_id(folder), change_key=mailbox.change_key_now()
        )
        fill(made, given)
        mailbox.user_configurations[folder.id, name] = made
        yield from ()

    return [message("CreateUserConfiguration", do)]


def get(call: Call) -> list[Element]:
    """The one message."""
    name_node = child(call.request, "m:UserConfigurationName")
    wanted = text_of(child(call.request, "m:UserConfigurationProperties")).split()

    def do() -> Iterator[Element]:
        found = find_configuration(*named(call, name_node))
        yield render(found, name_node, frozenset(wanted))

    return [message("GetUserConfiguration", do)]


def update(call: Call) -> list[Element]:
    """The one message."""
    given = child(call.request, "m:UserConfiguration")

    def do() -> Iterator[Element]:
        mailbox, folder, name = named(call, child(given, "t:UserConfigurationName"))
        found = find_configuration(mailbox, folder, name)
        fill(found, given)
        found.change_key = mailbox.change_key_now()
        yield from ()

    return [message("UpdateUserConfiguration", do)]


def delete(call: Call) -> list[Element]:
    """The one message."""
    name_node = child(call.request, "m:UserConfigurationName")

    def do() -> Iterator[Element]:
        mailbox, folder, name = named(call, name_node)
        find_configuration(mailbox, folder, name)
        del mailbox.user_configurations[folder.id, name]
        yield from ()

    return [message("DeleteUserConfiguration", do)]
