"""The one small tree of errors that people may meet; each message is a sentence with a remedy and never holds a cell's content."""


class TendingError(Exception):
    """Something a person can mend. `str(error)` is one plain sentence that names the place and the remedy. Exit code 1."""

    exit_code = 1


class UsageError(TendingError):
    """The command was given words it does not take. Exit code 2."""

    exit_code = 2


class SettingsError(TendingError):
    """practice.toml, the environment or the key file is missing, unreadable or holds a value that does not fit. Exit code 3."""

    exit_code = 3


class SourceError(TendingError):
    """A source could not be read whole: missing, unreachable, truncated, a login page instead of a calendar. Nothing was taken from it.
    Exit code 4."""

    exit_code = 4


class StoreError(TendingError):
    """The database cannot be opened, is of another version, or has no room. Exit code 5."""

    exit_code = 5


class DeliveryError(TendingError):
    """A channel refused a message or could not be reached; `temporary` says whether trying again may help. No command ends with it: what
    was refused is written down and tried again."""

    def __init__(self, message: str, *, temporary: bool) -> None:
        super().__init__(message)
        self.temporary = temporary


class NotArmedError(TendingError):
    """This copy of the database has not been allowed to send; `tending arm` allows it. No command ends with it."""
