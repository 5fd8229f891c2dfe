"""The systems that hold contacts and calendars, one package each, behind one protocol."""
