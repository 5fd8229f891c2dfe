"""Exchange's calendars, whichever of its services shows them: what it can say, and what its series
are made of."""
