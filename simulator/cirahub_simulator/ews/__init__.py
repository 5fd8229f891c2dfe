"""Exchange Web Services, as far as they are about folders, contacts and calendars.

[MS-OXWSCORE], [MS-OXWSFOLD], [MS-OXWSCONT], [MS-OXWSSYNC] and their kin; each module names
its own.
"""
