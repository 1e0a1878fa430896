"""A copy of a practice stays silent: a token in the database and in a file; where they differ, nothing is sent."""

import os
import secrets
import tempfile
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection

from integrations.store import audit, facts
from integrations.store.engine import Store
from models.errors import SettingsError
from models.instants import Instant

FACT = "installation-token"
FILE = "installation-token"  # in the data folder; backups leave it out


class Arming(StrEnum):
    """Whether this installation may send."""

    never = "never"  # nobody has armed it, or somebody disarmed it
    armed = "armed"
    copy = "copy"  # the database was armed, but not here


def state(store: Store, data: Path) -> Arming:
    """How this installation stands. `data` is the data folder."""
    with store.read() as connection:
        return state_in(connection, data)


def state_in(connection: Connection, data: Path) -> Arming:
    """The same, inside a transaction: for the last look before something is sent."""
    token = facts.get(connection, FACT)
    if token is None:
        return Arming.never
    return Arming.armed if secrets.compare_digest(token, _token_here(data)) else Arming.copy


def armed(store: Store, data: Path) -> bool:
    """Whether this installation may send."""
    return state(store, data) is Arming.armed


def arm(store: Store, data: Path, who: str, at: Instant) -> None:
    """Let this installation send, and no other over the same database: a new token in both places. Audited."""
    token = secrets.token_hex(16)
    # The file first: a kill in between leaves two different tokens, which is silence.
    _write(data, token)
    with store.write() as connection:
        before = state_in(connection, data)
        facts.put(connection, FACT, token)
        audit.record(connection, at, who, "armed", details={"was": before.value})


def disarm(store: Store, data: Path, who: str, at: Instant) -> None:
    """Send nothing from now on. Audited."""
    with store.write() as connection:
        facts.forget(connection, FACT)
        audit.record(connection, at, who, "disarmed")
    (data / FILE).unlink(missing_ok=True)


def _write(data: Path, token: str) -> None:
    """The token with the number of the very file that holds it: a copied folder has the token, but another file."""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{FILE}-", dir=data)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{token} {os.fstat(file.fileno()).st_ino}\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(data / FILE)
    except OSError as error:
        raise SettingsError(
            f"The installation token cannot be written to {data} ({error.strerror}); check the folder."
        ) from None


def _token_here(data: Path) -> str:
    """The token of the file, or empty if there is none or it came here as a copy."""
    try:
        with (data / FILE).open(encoding="ascii") as file:
            token, _, number = file.read().strip().partition(" ")
            return token if number == str(os.fstat(file.fileno()).st_ino) else ""
    except (OSError, UnicodeDecodeError):
        return ""
