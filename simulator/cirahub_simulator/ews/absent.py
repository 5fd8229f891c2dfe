"""Names of properties that the schema has and that no item here ever has.

UnindexedFieldURIType ([MS-OXWSCDATA] 2.2.5.30): to ask for one is no error, and answers nothing. A
folder may hold several kinds of items, so a request may name properties of all of them.
"""

from __future__ import annotations

_OTHER_KINDS = (
    "calendar:Inbox",
    "calendar:CalendarActivityData",
    "conversation:",
    "distributionlist:",
    "meeting:",
    "abchperson:",
    "booking:",
    "insight:",
    "meetingRequest:",
    "message:",
    "person:",
    "persona:",
    "postitem:",
    "rolemember:",
    "network:",
    "sharingMessage:",
    "task:",
)
_ITEM = (
    "MimeContent PredictedActionReasons IsClutter RightsManagementLicenseData BlockStatus "
    "HasBlockedImages IconIndex MimeContentUTF8 Mentions MentionedMe MentionsPreview "
    "MentionsEx Hashtags AppliedHashtags AppliedHashtagsPreview Likes LikesPreview "
    "PendingSocialActivityTagIds AtAllMention CanDelete InferenceClassification FirstBody "
)
_CONTACT = (
    "Culture AbchEmailAddresses AccountName IsAutoUpdateDisabled IsMessengerEnabled "
    "Comment ContactShortId ContactType CreatedBy Gender IsHidden ObjectId PassportId "
    "IsPrivate SourceId TrustLevel Urls Cid SkypeAuthCertificate SkypeContext SkypeId "
    "XboxLiveTag SkypeRelationship YomiNickname InviteFree HidePresenceAndProfile "
    "IsPendingOutbound SupportGroupFeeds UserTileHash UnifiedInbox Mris Wlid "
    "AbchContactId NotInBirthdayCalendar ShellContactType ImMri PresenceTrustLevel "
    "OtherMri ProfileLastChanged MobileIMEnabled PartnerNetworkProfilePhotoUrl "
    "PartnerNetworkThumbnailPhotoUrl PersonId ConversationGuid "
)
_ABSENT = frozenset(
    [f"item:{name}" for name in _ITEM.split()] + [f"contacts:{name}" for name in _CONTACT.split()]
)


def is_absent(uri: str) -> bool:
    """Whether it is a property that no item here has."""
    return uri in _ABSENT or uri.startswith(_OTHER_KINDS)
