"""libical's own check of RFC 5546's tables, for the system's Python: the iCalendar text on stdin, what is wrong on stdout, one a line."""

import sys

import gi

gi.require_version("ICalGLib", "3.0")
from gi.repository import ICalGLib  # noqa: E402 - a version is asked for before it is loaded

calendar = ICalGLib.Component.new_from_string(sys.stdin.buffer.read().decode())
if calendar is None:
    print("it is no iCalendar text")
else:
    calendar.check_restrictions()
    unfolded = calendar.as_ical_string().replace("\r\n ", "").splitlines()
    print("\n".join(line for line in unfolded if line.startswith("X-LIC-ERROR")))
