"""ExpandDL: [MS-OXWSDLIST] 3.1.4.1.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/expanddl-operation: the
members of a group of the address list who are in it themselves, without those of the groups among
them. There are no private distribution lists here.
"""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.directory import Group
from cirahub_simulator.ews import errors
from cirahub_simulator.ews.addressee import address_list
from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.markup import Element, boolean, element, find, text_of
from cirahub_simulator.ews.messages import message


def answer(call: Call) -> list[Element]:
    """The one message."""
    return [message("ExpandDL", lambda: _expand(call))]


def _expand(call: Call) -> Iterator[Element]:
    address = find(child(call.request, "m:Mailbox"), "t:EmailAddress")
    if address is None:
        raise errors.not_supported("ExpandDL of a private distribution list")
    group = _group(call, text_of(address).strip())
    everybody = {one.who.id: one for one in address_list(call.world, call.organisation_id)}
    members = [everybody[member] for member in group.members if member in everybody]
    made = element(
        "m:DLExpansion", TotalItemsInView=str(len(members)), IncludesLastItemInRange=boolean(True)
    )
    made.extend(one.mailbox() for one in members)
    yield made


def _group(call: Call, wanted: str) -> Group:
    """The one group of an address, an alias or a name. Raises EwsError."""
    text = wanted.removeprefix("smtp:").removeprefix("SMTP:").casefold()
    found = [
        one.who
        for one in address_list(call.world, call.organisation_id)
        if isinstance(one.who, Group)
        and text in {name.casefold() for name in (one.address, *_names(one.who))}
    ]
    if not found:
        raise errors.EwsError("ErrorNameResolutionNoResults", "No results were found.")
    if len(found) > 1:
        raise errors.EwsError("ErrorNameResolutionMultipleResults", "Multiple results were found.")
    return found[0]


def _names(group: Group) -> list[str]:
    proxies = [proxy.partition(":")[2] for proxy in group.proxy_addresses]
    return [group.display_name, group.mail_nickname, *proxies]
