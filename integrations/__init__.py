"""The world outside, one folder a neighbour: the store, calendars, records, messages."""
