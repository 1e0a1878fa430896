"""Calendars: from the bytes of an `.ics` file, folder or URL to one reading of appointment entries."""
