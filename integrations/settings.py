"""Reading practice.toml: its text, its errors with their line, and its paths made whole."""

import tomllib
from pathlib import Path

from integrations.store.engine import SQLITE_FILE
from models.errors import SettingsError
from models.settings import Settings, settings_from

DATABASE = "tending.db"


def read_settings(path: Path) -> Settings:
    """The checked settings of a practice.toml. Relative paths in it are meant from its own folder and come back whole.

    Raises SettingsError: no such file, not UTF-8, not TOML (with line and column), a setting that is unknown or does
    not fit.
    """
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(
            f"There is no {path}; `tending init` writes one, or name another with --practice."
        ) from None
    except IsADirectoryError:
        raise SettingsError(f"{path} is a folder; name the practice.toml in it.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsError(f"{path}, line {line}: this is not UTF-8 text; save the file as UTF-8.") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); check who owns it.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {_where_first(str(error))}") from None
    return _whole_paths(settings_from(data, str(path)), path.absolute().parent)


def _where_first(message: str) -> str:
    """`line 3, column 5: what is wrong`, from the parser's `what is wrong (at line 3, column 5)`."""
    what, found, where = message.removesuffix(")").rpartition(" (at ")
    if not found:
        return f"{message}."
    return f"{where}: {what[:1].lower()}{what[1:]}; text stands in quotes, every setting on a line of its own."


def _whole_paths(settings: Settings, folder: Path) -> Settings:
    def whole(path: str) -> str:
        return str(folder / Path(path).expanduser())

    data = whole(settings.practice.data)
    return settings.model_copy(
        update={
            "practice": settings.practice.model_copy(update={"data": data}),
            "store": settings.store.model_copy(
                update={
                    "url": _whole_url(settings.store.url, folder) or f"{SQLITE_FILE}{Path(data) / DATABASE}",
                    "key_file": whole(settings.store.key_file),
                }
            ),
            "endings": settings.endings.model_copy(
                update={"forms": whole(settings.endings.forms)} if settings.endings.forms else {}
            ),
            "source": tuple(s.model_copy(update={"path": whole(s.path)}) if s.path else s for s in settings.source),
        }
    )


def _whole_url(url: str, folder: Path) -> str:
    """An SQLite address with its path made whole; anything else is left for the store to judge."""
    path = url.removeprefix(SQLITE_FILE)
    if path in ("", url, ":memory:"):
        return url
    return f"{SQLITE_FILE}{folder / Path(path).expanduser()}"
