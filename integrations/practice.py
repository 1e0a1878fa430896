"""A practice, opened: its settings, its store and its vault, which belong together and are checked to do so."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from integrations.settings import read_settings
from integrations.store import facts, migrate
from integrations.store.engine import SQLITE_FILE, Store, open_store
from integrations.vault import ENVIRONMENT, Vault, forget_drafts
from models.errors import SettingsError, StoreError
from models.policy_layers import PolicyBook
from models.settings import Settings

KEYS_MARK = "keys-mark"


class Practice:
    """One practice's settings, folder, store and vault. Use as a context manager, or close it.

    `folder` holds practice.toml; `data` the database (if SQLite), logs and the installation token. Paths in
    `settings` are absolute.
    """

    def __init__(self, settings: Settings, folder: Path, store: Store, vault: Vault) -> None:
        self.settings = settings
        self.folder = folder
        self.data = Path(settings.practice.data)
        self.store = store
        self.vault = vault
        self.name = settings.practice.name
        self.zone = settings.practice.zone
        self._book: PolicyBook | None = None

    @property
    def book(self) -> PolicyBook:
        """The policy in all its layers; asked for anew until every client named in [policy.client] is known."""
        if self._book is not None:
            return self._book
        codes = tuple(self.settings.policy.get("client", {}))
        ids = {}
        if codes:
            with self.store.read() as connection:
                ids = facts.ids_of_codes(connection, codes)
        book = self.settings.policy_book(ids)
        if len(ids) == len(codes):
            self._book = book
        return book

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_practice(path: Path, *, create: bool = False, env: Mapping[str, str] = os.environ) -> Practice:
    """Open the practice that `path` (its practice.toml) describes.

    With `create`, what a new practice lacks is made: data folder (0700), key file (0600), tables. Keys are made only
    for a database without tables, so that lost keys are never papered over. Raises SettingsError or StoreError with
    the remedy.
    """
    settings = read_settings(path)
    data = Path(settings.practice.data)
    if create:
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"The data folder {data} cannot be made ({error.strerror}); correct [practice] data."
            ) from None
    url = settings.store.url
    if not create and url.startswith(SQLITE_FILE) and not Path(url.removeprefix(SQLITE_FILE)).exists():
        raise StoreError("This practice has no database yet; `tending init` makes it, or correct [store] url.")
    store = open_store(url)
    try:
        vault = _vault(settings, store, env, create=create)
        if create:
            forget_drafts(Path(settings.store.key_file))
            migrate.upgrade(store)
        migrate.require_current(store)
        _check_keys_belong(store, vault)
    except BaseException:
        store.close()
        raise
    return Practice(settings, path.absolute().parent, store, vault)


def _vault(settings: Settings, store: Store, env: Mapping[str, str], *, create: bool) -> Vault:
    key_file = Path(settings.store.key_file)
    if create and not key_file.exists() and not env.get(ENVIRONMENT, "").strip() and migrate.current(store) is None:
        return Vault.create(key_file)
    return Vault.load(key_file, env)


def _check_keys_belong(store: Store, vault: Vault) -> None:
    """Other keys would seal what the right ones cannot open, and find nobody: refused before anything is written."""
    with store.read() as connection:
        known = facts.get(connection, KEYS_MARK)
    if known is None:
        with store.write() as connection:
            known = facts.put_once(connection, KEYS_MARK, vault.mark())
    if known != vault.mark():
        raise SettingsError(
            "These keys are not the ones that this database was written with; put back its own key file."
        )
