"""The folders that a mailbox has from its first day.

Names are those of DistinguishedFolderIdNameType ([MS-OXWSFOLD] 2.2.5.3), container classes those of
[MS-OXOSFLD] 2.2.3.
"""

from __future__ import annotations

from cirahub_simulator.graph.folder import CALENDAR_CLASS, CONTACTS_CLASS

DISTINGUISHED = (
    ("root", "Root", "", ""),
    ("msgfolderroot", "Top of Information Store", "root", "IPF"),
    ("deleteditems", "Deleted Items", "msgfolderroot", "IPF.Note"),
    ("contacts", "Contacts", "msgfolderroot", CONTACTS_CLASS),
    ("calendar", "Calendar", "msgfolderroot", CALENDAR_CLASS),
    ("drafts", "Drafts", "msgfolderroot", "IPF.Note"),
    ("inbox", "Inbox", "msgfolderroot", "IPF.Note"),
    ("journal", "Journal", "msgfolderroot", "IPF.Journal"),
    ("junkemail", "Junk Email", "msgfolderroot", "IPF.Note"),
    ("notes", "Notes", "msgfolderroot", "IPF.StickyNote"),
    ("outbox", "Outbox", "msgfolderroot", "IPF.Note"),
    ("sentitems", "Sent Items", "msgfolderroot", "IPF.Note"),
    ("tasks", "Tasks", "msgfolderroot", "IPF.Task"),
    ("searchfolders", "Finder", "root", ""),
    ("recoverableitemsroot", "Recoverable Items", "root", ""),
    ("recoverableitemsdeletions", "Deletions", "recoverableitemsroot", ""),
    ("recoverableitemspurges", "Purges", "recoverableitemsroot", ""),
    ("recoverableitemsversions", "Versions", "recoverableitemsroot", ""),
)
"""Name, display name, parent and container class of the folders of a new mailbox."""
PUBLIC = (*DISTINGUISHED, ("publicfoldersroot", "IPM_SUBTREE", "root", "IPF"))
"""The same of a mailbox that holds public folders."""
