"""The vault: seals what says who somebody is, and makes keyed hashes that can be compared but not read."""

import base64
import binascii
import hashlib
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from models.errors import SettingsError

ENVIRONMENT = "TENDING_KEYS"
# What is hashed. The kind goes into the hash itself, so that equal texts of two kinds cannot be linked.
KINDS: Final = ("ref", "code", "name", "content", "raw", "keys", "link", "form", "address", "mail")
_PERSON: Final = {kind: f"tending/{kind}".encode() for kind in KINDS}
_HASH_BYTES = 16
_KEY_BYTES = 32
_JSON, _BYTES = b"j", b"b"  # the first byte of what is sealed says how to read the rest


class Vault:
    """Seals, opens and hashes with the keys of one practice.

    Sealing is authenticated encryption (Fernet) under the newest seal key; older seal keys still open. Hashes are
    keyed BLAKE2b under the index key, which never rotates: what was stored could not be found again. Safe to share
    between threads.
    """

    def __init__(self, index: bytes, seals: tuple[Fernet, ...]) -> None:
        self._index = index
        self._newest = seals[0]
        self._all = MultiFernet(seals)

    @classmethod
    def from_text(cls, text: str, place: str = "the keys") -> "Vault":
        """The vault of a key text: one line `index KEY`, one or more `seal KEY`, newest first; `#` starts a comment.

        Semicolons stand for line ends, for places that take one line. Raises SettingsError, which never shows a key.
        """
        index: bytes | None = None
        seals: list[Fernet] = []
        lines = [(n, part) for n, line in enumerate(text.splitlines(), 1) for part in line.partition("#")[0].split(";")]
        for number, line in lines:
            words = line.split()
            if not words:
                continue
            if len(words) != 2 or words[0] not in ("index", "seal"):
                raise SettingsError(
                    f"{place}, line {number}: every line has to be `index KEY` or `seal KEY`; restore the file."
                )
            key = _decoded(words[1], place, number)
            if words[0] == "seal":
                seals.append(Fernet(words[1]))
            elif index is None:
                index = key
            else:
                raise SettingsError(
                    f"{place}, line {number}: there are two index keys, and only one can be right; keep the older."
                )
        if index is None or not seals:
            missing = "an index line" if index is None else "a seal line"
            raise SettingsError(
                f"{place}: {missing} is missing; restore the keys from the copy you keep apart from backups."
            )
        return cls(index, tuple(seals))

    @classmethod
    def load(cls, key_file: Path, env: Mapping[str, str]) -> "Vault":
        """The practice's vault: from the environment's TENDING_KEYS if set, else from a file only its owner may read.

        Raises SettingsError with the command that mends it.
        """
        if env.get(ENVIRONMENT, "").strip():
            return cls.from_text(env[ENVIRONMENT], ENVIRONMENT)
        return cls.from_text(_read_private(key_file), str(key_file))

    @classmethod
    def create(cls, key_file: Path) -> "Vault":
        """New keys in a new file of mode 0600, whole or not there at all. Raises SettingsError where a file exists."""
        text = (
            "# The keys of this practice. Whoever has them and the database can read names; without them nobody can.\n"
            "# Keep a copy of this file apart from the backups of the database.\n"
            f"index {_new_key()}\nseal {_new_key()}\n"
        )
        _write_private(key_file, text, replace=False)
        return cls.from_text(text, str(key_file))

    @classmethod
    def rotate(cls, key_file: Path) -> "Vault":
        """Add a new seal key on top. What is stored stays readable; store.reseal then moves it to the new key."""
        lines = _read_private(key_file).splitlines()
        cls.from_text("\n".join(lines), str(key_file))
        first = next(number for number, line in enumerate(lines) if line.split()[:1] == ["seal"])
        text = "\n".join([*lines[:first], f"seal {_new_key()}", *lines[first:]]) + "\n"
        _write_private(key_file, text, replace=True)
        forget_drafts(key_file, every=True)
        return cls.from_text(text, str(key_file))

    def seal(self, obj: Any) -> bytes:
        """Encrypt bytes, or anything that JSON can say."""
        if isinstance(obj, bytes):
            plain = _BYTES + obj
        else:
            plain = _JSON + json.dumps(obj, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return self._newest.encrypt(plain)

    def open(self, blob: bytes) -> Any:
        """What was sealed. Raises SettingsError when none of the keys fits or the stored bytes were altered."""
        try:
            plain = self._all.decrypt(bytes(blob))
        except InvalidToken:
            raise SettingsError(
                "None of the keys opens what is stored: they are another practice's, an older set, or the database was "
                "altered; put back the key file that belongs to this database."
            ) from None
        if plain[:1] == _BYTES:
            return plain[1:]
        return json.loads(plain[1:].decode("utf-8", "surrogatepass"))

    def resealed(self, blob: bytes) -> bytes | None:
        """The same content under the newest key, or None if it lies under that key already."""
        try:
            self._newest.decrypt(bytes(blob))
        except InvalidToken:
            return self.seal(self.open(blob))
        return None

    def hash(self, kind: str, text: str | bytes) -> str:
        """A keyed hash, 128 bits as 32 hex digits; `kind` is one of KINDS and keeps equal texts apart."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, digest_size=_HASH_BYTES, key=self._index, person=_PERSON[kind]).hexdigest()

    def mark(self) -> str:
        """What tells these keys from another practice's without giving anything away; kept in the database."""
        return self.hash("keys", "tending")


def forget_drafts(key_file: Path, *, every: bool = False) -> None:
    """Remove what a killed set-up left beside the key file: the same keys under a draft's name, which a backup would take along.

    `every` also removes drafts that never became the key file; only for whoever has just written it.
    """
    if not key_file.exists():
        return  # the keys are in the environment
    drafts = [path for path in key_file.parent.iterdir() if path.name.startswith(f".{key_file.name}-")]
    for draft in drafts:
        if every or draft.samefile(key_file):
            draft.unlink(missing_ok=True)


def _new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _decoded(word: str, place: str, number: int) -> bytes:
    try:
        key = base64.b64decode(word.encode(), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != _KEY_BYTES:
        raise SettingsError(f"{place}, line {number}: this is not a whole key (32 bytes in base64); restore the file.")
    return key


def _read_private(path: Path) -> str:
    """The text of a file that belongs to this user and nobody else may read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise SettingsError(
            f"The key file {path} is not there; put it back from the copy you keep, or set {ENVIRONMENT}. "
            "For a new practice `tending init` makes one."
        ) from None
    except OSError as error:
        raise SettingsError(f"The key file {path} cannot be read ({error.strerror}); check who owns it.") from None
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise SettingsError(f"The key file {path} is not a file; name the file itself in [store] key_file.")
    with os.fdopen(descriptor, "rb") as file:
        if about.st_uid != os.geteuid():
            raise SettingsError(
                f"The key file {path} belongs to another user; run as that user, or: chown {os.geteuid()} {path}"
            )
        if about.st_mode & 0o077:
            raise SettingsError(f"Others may read the key file {path}; close it with: chmod 600 {path}")
        try:
            return file.read().decode("ascii")
        except UnicodeDecodeError:
            raise SettingsError(f"The key file {path} holds something other than keys; restore it.") from None


def _write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write a 0600 file so that a kill leaves the old one or the new one, never half of it."""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mkstemp gives 0600
    except OSError as error:
        raise SettingsError(
            f"The key file cannot be written in {path.parent} ({error.strerror}); check the folder."
        ) from None
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(temporary).replace(path)
        else:
            os.link(temporary, path)  # unlike a rename, a link refuses to overwrite
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        raise SettingsError(
            f"{path} exists already and is not overwritten: keys that are lost cannot be made again."
        ) from None
    except OSError as error:
        raise SettingsError(
            f"The key file {path} cannot be written ({error.strerror}); check the folder and the room on the disk."
        ) from None
    finally:
        Path(temporary).unlink(missing_ok=True)
