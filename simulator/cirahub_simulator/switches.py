"""What Microsoft leaves open: a field for every behaviour that sources don't settle.

Tests run under every plausible setting. A value is one of the field's `Literal` choices or a bool,
so that the command line and the admin endpoint can list and set all of them without knowing any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """One setting of everything that is open. The defaults are the likeliest behaviour."""

    throttle_code: Literal["TooManyRequests", "ApplicationThrottled"] = "ApplicationThrottled"
    """`error.code` of a 429 from a mailbox.

    https://learn.microsoft.com/graph/throttling shows `TooManyRequests` in its example; reports of
    Outlook throttling show `ApplicationThrottled`, "Application is over its MailboxConcurrency
    limit."
    """
    concurrency_per: Literal["app-and-mailbox", "mailbox"] = "app-and-mailbox"
    """What the limit of four concurrent requests is counted for.

    https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits says the limits
    "apply to the combination of app ID and mailbox"; the error's own name is MailboxConcurrency.
    """
    batch_concurrency: Literal["each", "one"] = "each"
    """What a batch is in that count: each of its requests that runs, or one request.

    https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits says that four of a
    batch's requests are handed to Outlook at a time, so each; nothing says that two batches in one
    mailbox are refused.
    """

    # Contacts and folders in a mailbox (Graph).

    if_match_on_patch: Literal["honoured", "ignored"] = "honoured"
    """Whether PATCH of a contact compares `If-Match` and answers 412 `ErrorIrresolvableConflict`.

    The published metadata declares the header on DELETE and on no PATCH; messages are reported to
    answer 412 (github.com/microsoftgraph/msgraph-sdk-dotnet, issue 1201).
    """
    display_name_kept: bool = False
    """Whether a displayName survives a PATCH of name parts that doesn't repeat it.

    https://learn.microsoft.com/graph/api/resources/contact: later updates of other properties may
    overwrite it with a generated value. Which properties, and when, is not said.
    """
    file_as: Literal["empty", "last-first"] = "empty"
    """What `fileAs` is when a create doesn't name it.

    The example of https://learn.microsoft.com/graph/api/contact-get shows an empty string; Outlook
    itself files by "Last, First".
    """
    email_name: Literal["address", "absent"] = "address"
    """`name` of an e-mail address that was sent without one.

    The example of https://learn.microsoft.com/graph/api/contact-get repeats the address; nothing
    says that it was sent without.
    """
    birthday: Literal["midnight", "as-sent"] = "midnight"
    """Whether the time of day of a birthday is cut to midnight UTC.

    https://learn.microsoft.com/graph/api/resources/contact shows midnight UTC; the example of
    https://learn.microsoft.com/graph/api/contact-delta shows 10:37.
    """
    given_name_required: bool = False
    """Whether a contact without givenName is refused (`ErrorInvalidProperty`).

    Reported in 2018 (github.com/microsoftgraph/msgraph-sdk-dotnet, issue 247); the documents name
    no required property (github.com/microsoftgraph/microsoft-graph-docs-contrib, issue 499).
    """
    copy_keeps_extended_properties: bool = True
    """Whether a copy that a user makes in Outlook carries extended properties along.

    They are MAPI properties, and MAPI copies all of them; no document says it of Graph's view.
    """
    immutable_id_in_bin: bool = True
    """Whether a contact in Deleted Items is still found by its immutable id.

    https://learn.microsoft.com/graph/outlook-immutable-id: the id does not change while the item
    stays in the mailbox. Whether `/contacts/{id}` looks into Deleted Items is not said.
    """
    default_folder_listed: bool = False
    """Whether the default folder is among `/contactFolders` and in their delta.

    The example of https://learn.microsoft.com/graph/api/user-list-contactfolders lists it;
    v1.0 is reported to leave it out (github.com/microsoftgraph/microsoft-graph-docs, issue 6273).
    """

    contacts_list: Literal["default-folder", "whole-mailbox"] = "default-folder"
    """What `GET /users/{id}/contacts` lists.

    https://learn.microsoft.com/graph/api/user-list-contacts says both, in one page.
    """

    absent_photo: Literal["not-found", "one-pixel"] = "not-found"
    """What the metadata of a contact's photo are where there is none.

    An example of https://learn.microsoft.com/graph/api/profilephoto-get shows a GIF of one pixel;
    reported to be 404 (github.com/microsoftgraph/microsoft-graph-docs, issue 20785).
    """
    photo_changes_contact: bool = True
    """Whether a new photo is a change of its contact, for change keys and deltas.

    https://learn.microsoft.com/graph/api/profilephoto-update doesn't say; in Exchange the photo is
    an attachment of the contact ([MS-OXOCNTC] 2.2.1.8.2).
    """

    # Calendars and events in a mailbox (Graph).

    duplicate_transaction: Literal["conflict", "bad-request", "existing"] = "conflict"
    """What a create answers whose `transactionId` has created an event already.

    https://learn.microsoft.com/graph/api/resources/event says that redundant operations are
    avoided, not how it is answered: clients handle `ErrorDuplicateTransactionId` with 409 and with
    400; the event that is there, as if it had just been created, is the third possibility.
    """
    events_list: Literal["default-calendar", "whole-mailbox"] = "default-calendar"
    """What `GET /users/{id}/events` lists.

    https://learn.microsoft.com/graph/api/user-list-events says both, in one page.
    """
    events_list_exceptions: bool = False
    """Whether a list of events has exceptions besides single instances and masters.

    https://learn.microsoft.com/graph/api/user-list-events names the latter two only; reported
    otherwise (github.com/microsoftgraph/microsoft-graph-docs, issue 4294).
    """
    zone_names: Literal["as-sent", "windows"] = "as-sent"
    """How the zone of an event that was written with an IANA name is called in answers.

    https://learn.microsoft.com/graph/api/resources/event says of originalStartTimeZone that it is
    what was set; Exchange keeps Windows' zones.
    """
    event_body: Literal["wrapped", "as-sent"] = "wrapped"
    """Whether HTML that is a fragment is answered as a whole document.

    The example of https://learn.microsoft.com/graph/api/user-post-events answers a document;
    nothing says that it always does.
    """
    declined_event: Literal["removed", "kept"] = "removed"
    """What becomes of an event whose invitation is declined.

    https://learn.microsoft.com/graph/api/event-decline doesn't say; Outlook moves it to Deleted
    Items, unless the user keeps declined events.
    """
    purge_cancels: bool = True
    """Whether permanentDelete of a meeting by its organizer sends cancellations.

    https://learn.microsoft.com/graph/api/event-permanentdelete doesn't say;
    https://learn.microsoft.com/graph/api/event-delete does of DELETE.
    """
    view_delta_masters: bool = True
    """Whether delta on a calendar view tells of a series' master before its occurrences.

    https://learn.microsoft.com/graph/delta-query-events speaks of single instances, occurrences
    and exceptions; the occurrences that it answers have so few members that clients rely on the
    master (github.com/microsoftgraph/microsoft-graph-docs, issue 7632).
    """
    view_delta_occurrences: Literal["short", "whole"] = "short"
    """What delta on a calendar view tells of an occurrence.

    Reported: id, seriesMasterId, type, start and end
    (github.com/microsoftgraph/microsoft-graph-docs-contrib, issue 34). The document says: the same
    properties as in a calendar view (https://learn.microsoft.com/graph/api/event-delta).
    """
    view_delta_series: Literal["whole", "changed"] = "whole"
    """What of a series delta tells when one of its instances has changed.

    All instances in the window, or that one and the master.
    https://learn.microsoft.com/graph/api/event-delta: events that changed.
    """
    view_delta_outside: bool = True
    """Whether delta tells of events that changed and were and are outside of the window.

    https://learn.microsoft.com/graph/api/event-delta: as `@removed`, to be filtered by clients.
    """
    view_delta_select: Literal["refused", "ignored"] = "refused"
    """`$select` in a delta query on a calendar view.

    https://learn.microsoft.com/graph/api/event-delta: cannot be used.
    """

    # Delta queries (Graph).

    delta_expand: Literal["ignored", "refused", "honoured"] = "ignored"
    """`$expand` of extended properties in a delta query on contacts.

    https://learn.microsoft.com/graph/api/contact-delta names `$select` only; for messages and
    events it is reported not to work (github.com/microsoftgraph/microsoft-graph-docs-contrib,
    issues 1993 and 2270).
    """
    delta_order: Literal["oldest-first", "newest-first", "shuffled"] = "oldest-first"
    """Order of the items within a page of a delta answer.

    https://learn.microsoft.com/graph/delta-query-overview: assume no sequence.
    """
    delta_repeats: bool = False
    """Whether each page after the first repeats the last item of the page before it.

    https://learn.microsoft.com/graph/delta-query-overview: an item may be contained several times,
    and changes may be replayed.
    """
    delta_empty_first_page: bool = False
    """Whether a round begins with an empty page and a nextLink.

    https://learn.microsoft.com/graph/delta-query-overview allows it; seen in
    github.com/microsoftgraph/microsoft-graph-docs, issue 2839.
    """
    delta_loses_returned_items: bool = False
    """Whether, under immutable ids, an item that left a folder and came back is told as removed.

    github.com/microsoftgraph/microsoft-graph-docs, issue 21752: reported as deleted, and not
    again until its next change.
    """
    delta_delay: Literal["none", "five-seconds"] = "none"
    """How long a change takes to show in delta answers, on the simulator's clock.

    https://learn.microsoft.com/graph/delta-query-overview (processing delays): varying.
    """
    delta_token_life: Literal["unlimited", "one-day", "seven-days"] = "unlimited"  # noqa: S105 - a delta token
    """How long a delta token of a mailbox lives, on the simulator's clock.

    https://learn.microsoft.com/graph/delta-query-overview: seven days for directory objects, not
    fixed for Outlook, whose tokens leave a cache of unnamed size.
    """

    directory_delta: Literal["whole", "changed"] = "whole"
    """What delta tells of a user, a mail contact or a group that has changed.

    https://learn.microsoft.com/graph/api/user-delta: what was selected, but for what has never been
    set. https://learn.microsoft.com/graph/delta-query-overview: at least what has changed.
    """

    # Change notifications (Graph).

    subscription_minutes: Literal[10_080, 10_070, 4_230] = 10_070
    """How long a subscription to Outlook's resources may live.

    https://learn.microsoft.com/graph/change-notifications-overview (subscription lifetime): 10,080
    minutes, under seven days; before, 4,230. Applications report that the service refuses more than
    10,070 ("Subscription expiration can only be 10070 minutes in the future.").
    """
    subscribed_folders: Literal["any", "contact-folders", "whole-mailbox-only"] = "any"
    """Which folders a subscription may name.

    https://learn.microsoft.com/graph/outlook-change-notifications-overview: all contacts or events
    of a mailbox, and contacts of a folder. The table of
    https://learn.microsoft.com/graph/change-notifications-overview has no folders of contacts.
    Neither has calendars, to which applications subscribe.
    """
    subscription_role: Literal["read-or-write", "read-only"] = "read-or-write"
    """Whether Contacts.ReadWrite, without Contacts.Read, suffices for a subscription.

    https://learn.microsoft.com/graph/api/subscription-post-subscriptions recommends to use the
    permissions of its table strictly, since those to write "will not" be supported where those to
    read are needed.
    """
    validation_code: Literal["ValidationError", "InvalidRequest"] = "ValidationError"
    """`error.code` where an endpoint does not answer its validation as it should.

    Reported both ways: splunk/azure-functions-splunk, issue 26 (2024), and
    microsoftgraph/microsoft-graph-docs-contrib, issue 7031 (2019).
    """
    renewal_validates: bool = False
    """Whether a renewal validates the endpoint again.

    https://learn.microsoft.com/graph/change-notifications-delivery-webhooks speaks of creating;
    microsoftgraph/msgraph-sdk-dotnet, issue 2805, has it time out in renewals.
    """
    notifications_authorized: Literal["by-subscription", "by-token"] = "by-subscription"
    """Whether notifications cease when the token ends with which a subscription was made.

    https://learn.microsoft.com/graph/change-notifications-delivery-webhooks (authentication): none
    are delivered then until it is authorised anew, which a lifecycle notification asks for;
    https://learn.microsoft.com/graph/change-notifications-lifecycle-events: the frequency of these
    may change, up to rarely.
    """
    notification_order: Literal["as-happened", "shuffled"] = "as-happened"
    """In which order the notifications of a delivery stand.

    No document promises any.
    """
    notifications_repeated: bool = False
    """Whether every notification is delivered twice.

    https://learn.microsoft.com/graph/api/resources/subscription: at least one is sent for a change.
    """
    deletions_notified: bool = True
    """Whether the deletion of a contact is notified.

    It is documented; microsoftgraph/microsoft-graph-docs-contrib, issue 2268, has it missing.
    """

    # Groups (Graph).

    hidden_membership: Literal["left-out", "refused"] = "left-out"
    """What an application without Member.Read.Hidden is answered about a group whose visibility is
    HiddenMembership.

    https://learn.microsoft.com/graph/api/group-list-transitivemembers says that it needs the
    permission, and not what happens without. Lists of a user's groups are reported to leave such
    groups out (github.com/microsoftgraph/microsoft-graph-docs-contrib, issues 3575 and 3655).
    """

    # Mail contacts: Exchange's cmdlets, and what Graph shows.

    org_contact_delay: Literal["none", "five-minutes"] = "none"
    """How long a mail contact that Exchange has written takes to show in Graph, on the simulator's
    clock.

    Exchange Online and Entra ID are two directories; nothing says how far one lags behind.
    """
    contact_settles: Literal["at-once", "ten-seconds"] = "at-once"
    """How long Set-Contact and Get-Contact don't find a contact that was just made.

    Scripts pause between New-MailContact and Set-Contact for it; nothing says how long.
    """
    contact_identity: Literal["any", "documented"] = "any"
    """Whether Get-Contact and Set-Contact find a contact by its alias or address as well.

    https://learn.microsoft.com/powershell/module/exchangepowershell/set-contact names name,
    distinguished name and GUID; recipient cmdlets in general take an alias.
    """
    contact_countries: Literal["known", "any"] = "known"
    """Whether Set-Contact refuses a CountryOrRegion that is no country's code or English name.

    https://learn.microsoft.com/powershell/module/exchangepowershell/set-contact: a two-letter code
    or the corresponding name. Whether a name in another language is refused is not said.
    """
    admin_exception: Literal["named", "text-only"] = "named"
    """Whether a cmdlet's failure tells the class of its exception before its text.

    Shown by version 3 of the module (github.com/timmcmic/DLConversionV2, issue 129); documented
    nowhere.
    """
    admin_role_missing: Literal[401, 403] = 403
    """The status for an application without Exchange.ManageAsApp or a role of the directory.

    https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2 has the text, and no
    status.
    """

    # $batch (Graph).

    batch_order: Literal["as-sent", "reversed", "shuffled"] = "as-sent"
    """In which order the requests of a batch take effect, unless `dependsOn` says.

    https://learn.microsoft.com/graph/json-batching: the server may choose.
    """
    batch_answers: Literal["as-done", "reversed", "shuffled"] = "as-done"
    """In which order the answers of a batch are written.

    https://learn.microsoft.com/graph/json-batching: they may be in another order than the requests.
    """

    # Exchange Web Services.

    sync_bodies: Literal["answered", "refused"] = "answered"
    """Whether SyncFolderItems answers bodies and attachments that AdditionalProperties name.

    The EWS Managed API refuses to ask ("can't be used in SyncFolderItems requests"); exchangelib
    asks for everything by default, and is tested against Exchange Online. The documents say that
    FindItem and SyncFolderItems leave these out:
    https://learn.microsoft.com/exchange/client-developer/exchange-web-services/mailbox-synchronization-and-ews-in-exchange
    """

    find_people_traversal: Literal["ignored", "refused"] = "ignored"
    """The attribute Traversal in FindPeople, and any of its QueryString.

    The published schema has none; exchangelib sends them, and is tested against Exchange Online.
    """

    stream_notification: Literal["messages", "types"] = "messages"
    """The namespace of Notification in an answer to GetStreamingEvents.

    The published schema has it among the types; the example of
    https://learn.microsoft.com/exchange/client-developer/web-service-reference/getstreamingevents-operation
    among the messages, which the EWS Managed API insists on.
    """

    # Entra and Key Vault.

    federation_error: Literal["invalid_client", "invalid_request"] = "invalid_request"
    """`error` of AADSTS70021 and 700211 to 700213; 400 for invalid_request, 401 for invalid_client.

    https://learn.microsoft.com/entra/identity-platform/reference-error-codes says nothing of it;
    reports of AADSTS700213 show invalid_request, reports of AADSTS700212 invalid_client.
    """
    federation_audience_code: Literal[700212, 7002121] = 700212
    """AADSTS code of an assertion whose audience matches no federated credential.

    https://learn.microsoft.com/entra/identity-platform/reference-error-codes lists neither;
    reports show both.
    """
    cross_cloud_code: Literal[900382, 900432, 900439, 90038] = 900382
    """AADSTS code of a token request for a tenant that lives in another cloud.

    https://learn.microsoft.com/entra/identity-platform/reference-error-codes lists 900382, 900432
    and 90038; 900439 (USGClientNotSupportedOnPublicEndpoint) is in the release notes of May 2020.
    """
    other_clouds: Literal["refused", "named", "unknown"] = "refused"
    """What the cloud Global does about a tenant of another cloud.

    It refuses token requests (`cross_cloud_code`); its configuration of the tenant names the other
    cloud's endpoints besides, as clients that look tenants up there rely on; or it does not know
    it (AADSTS90002). https://learn.microsoft.com/entra/identity-platform/reference-error-codes
    says of 90002 that it often is an app on the wrong cloud, and of 90038 that the tenant's cloud
    is known; nothing is said of the configuration.
    """
    blocked_error: Literal["interaction_required", "invalid_grant"] = "interaction_required"
    """`error` of AADSTS53003 (BlockedByConditionalAccess) to an application that signs in.

    https://learn.microsoft.com/entra/identity-platform/reference-error-codes says nothing of it;
    reports of users' sign-ins show interaction_required. That the client credentials grant gets
    that code is in microsoft/botbuilder-dotnet, issue 6759.
    """
    assertion_jti: Literal["ignored", "required"] = "ignored"
    """Whether a certificate's assertion without `jti` is refused (AADSTS50027).

    https://learn.microsoft.com/entra/identity-platform/certificate-credentials lists the claim and
    does not say that it is checked.
    """
    vault_expiry: Literal["ignored", "enforced"] = "ignored"
    """Whether Key Vault returns a secret outside of its nbf and exp.

    https://learn.microsoft.com/azure/key-vault/secrets/about-secrets#secret-attributes says that it
    can't be retrieved, and in the next section that it can, "for test and recovery"; Azure/
    AzureKeyVault issue 19 saw it returned.
    """
