"""What of an item or a folder the schema of an older version does not have.

A request targets a version of the schema by RequestServerVersion, and so is answered
(https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-schema-versions-in-exchange,
https://learn.microsoft.com/exchange/client-developer/web-service-reference/requestserverversion):
clients of that version refuse elements that they don't know, the EWS Managed API's among them. A
property that is asked for by name is answered to anybody.
"""

from __future__ import annotations

from functools import lru_cache

from cirahub_simulator.ews.envelope import VERSIONS

_LATER = {
    "Exchange2010": (
        "item:IsAssociated item:WebClientReadFormQueryString item:WebClientEditFormQueryString "
        "item:ConversationId item:UniqueBody contacts:HasPicture calendar:StartTimeZone "
        "calendar:EndTimeZone"
    ),
    "Exchange2010_SP2": (
        "item:StoreEntryId contacts:PhoneticFullName contacts:PhoneticFirstName "
        "contacts:PhoneticLastName contacts:Alias contacts:Notes contacts:Photo "
        "contacts:UserSMIMECertificate contacts:MSExchangeCertificate contacts:DirectoryId "
        "contacts:ManagerMailbox contacts:DirectReports"
    ),
    "Exchange2013": (
        "item:ReminderNextTime item:Flag item:InstanceKey item:NormalizedBody "
        "item:EntityExtractionResult item:PolicyTag item:ArchiveTag item:RetentionDate "
        "item:Preview item:TextBody calendar:EnhancedLocation calendar:StartWallClock "
        "calendar:EndWallClock calendar:StartTimeZoneId calendar:EndTimeZoneId "
        "calendar:JoinOnlineMeetingUrl calendar:OnlineMeetingSettings calendar:IsOrganizer "
        "folder:DistinguishedFolderId folder:PolicyTag folder:ArchiveTag folder:ReplicaList"
    ),
}
"""By the version that brought them, as the pages of the elements say
(https://learn.microsoft.com/exchange/client-developer/web-service-reference/ews-xml-elements-in-exchange)
and, for Exchange2010, the notes on behaviour of [MS-OXWSCORE], [MS-OXWSCONT] and [MS-OXWSMTGS]."""


@lru_cache
def later_than(version: str) -> frozenset[str]:
    """URIs of the properties that a version, one of `VERSIONS`, does not have."""
    target = VERSIONS.index(version)
    return frozenset(
        uri
        for since, uris in _LATER.items()
        if VERSIONS.index(since) > target
        for uri in uris.split()
    )
