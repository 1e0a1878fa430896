"""Opening a practice: a new one is made whole, an old one is checked, and whatever is wrong is said with its remedy."""

import os
import stat

import pytest
from sqlalchemy import text

from integrations.practice import open_practice
from integrations.reading import place_of
from integrations.settings import read_settings
from integrations.store import migrate
from integrations.store.tables import insert_rows
from models.errors import SettingsError, StoreError
from models.people import Client
from models.settings_source import SourcePart

BASIC = '[practice]\nname = "Linden"\nzone = "Europe/Berlin"\n'


@pytest.fixture
def place(tmp_path):
    """practice.toml of a practice that does not exist yet."""
    file = tmp_path / "linden" / "practice.toml"
    file.parent.mkdir()
    file.write_text(BASIC)
    return file


def made(place, **given):
    return open_practice(place, create=True, env={}, **given)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_practice_is_made_whole_and_opens_again(place):
    with made(place) as practice:
        assert (practice.name, practice.zone) == ("Linden", "Europe/Berlin")
        assert practice.folder == place.parent
        assert practice.data == place.parent / "data"
        sealed = practice.vault.seal("x")
    assert mode(place.parent / "data") == 0o700
    assert mode(place.parent / "keys") == 0o600
    assert mode(place.parent / "data" / "tending.db") == 0o600
    with open_practice(place, env={}) as practice:
        assert practice.vault.open(sealed) == "x"
        assert practice.book.of().policy.quiet_after_days == 14
    made(place).close()  # and making it again changes nothing
    with open_practice(place, env={}) as practice:
        assert practice.vault.open(sealed) == "x"


def test_a_practice_on_postgresql(place, postgres_database_url):
    place.write_text(f'{BASIC}[store]\nurl = "{postgres_database_url}"\n')
    with pytest.raises(StoreError, match="has no tables yet"):
        open_practice(place, env={"TENDING_KEYS": f"index {'A' * 43}=;seal {'A' * 43}="})
    made(place).close()
    with open_practice(place, env={}) as practice:
        assert practice.store.dialect == "postgresql"
    assert os.listdir(place.parent / "data") == []


def test_nothing_is_made_unless_asked(place):
    with pytest.raises(StoreError, match="no database yet; `tending init`"):
        open_practice(place, env={})
    assert os.listdir(place.parent) == ["practice.toml"]


def test_lost_keys_are_not_papered_over(place):
    made(place).close()
    (place.parent / "keys").rename(place.parent / "elsewhere")
    for create in (True, False):
        with pytest.raises(SettingsError, match="is not there; put it back"):
            open_practice(place, create=create, env={})
    assert not (place.parent / "keys").exists()


def test_keys_of_another_practice_are_refused_before_anything_is_written(place, tmp_path):
    made(place).close()
    other = tmp_path / "other" / "practice.toml"
    other.parent.mkdir()
    other.write_text(BASIC)
    made(other).close()
    (other.parent / "keys").replace(place.parent / "keys")
    with pytest.raises(SettingsError, match="not the ones that this database was written with"):
        open_practice(place, env={})


def test_keys_from_the_environment_need_no_file(place):
    env = {"TENDING_KEYS": f"index {'A' * 43}=; seal {'A' * 43}="}
    open_practice(place, create=True, env=env).close()
    assert not (place.parent / "keys").exists()
    open_practice(place, env=env).close()


def test_an_older_database_asks_for_the_upgrade(place):
    with made(place) as practice, practice.store.write() as connection:
        connection.execute(text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0000'"))
    with pytest.raises(StoreError, match="`tending upgrade`"):
        open_practice(place, env={})


def test_what_was_agreed_with_a_client_holds_once_the_client_is_known(place):
    place.write_text(BASIC + '[policy]\nquiet_factor = 3\n[policy.client."C-7F3K9QX"]\nquiet_after_days = 40\n')
    with made(place) as practice:
        assert practice.book.of(client_id=1).policy.quiet_after_days == 14
        with practice.store.write() as connection:
            insert_rows(connection, Client, [{"id": 1, "code": "C-7F3K9QX", "ref_hash": "r"}])
        assert practice.book.of(client_id=1).policy.quiet_after_days == 40
        assert practice.book.of(client_id=1).policy.quiet_factor == 3
        assert practice.book is practice.book


def test_paths_are_meant_from_the_folder_of_the_file(place, tmp_path, monkeypatch):
    place.write_text(
        '[practice]\nname = "x"\nzone = "UTC"\ndata = "d"\n'
        '[store]\nurl = "sqlite:///db/file.db"\nkey_file = "~/k"\n'
        '[[source]]\nname = "a"\nkind = "records"\npath = "../exports"\n'
        '[[source]]\nname = "b"\nkind = "calendar"\nurl = "https://example.org/x.ics"\n'
        f'[[source]]\nname = "c"\nkind = "records"\npath = "{tmp_path}"\n'
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(place.parent)
    settings = read_settings(place.__class__(place.name))
    assert settings.practice.data == str(place.parent / "d")
    assert settings.store.url == f"sqlite:///{place.parent / 'db' / 'file.db'}"
    assert settings.store.key_file == str(tmp_path / "k")
    assert [s.path for s in settings.source] == [str(place.parent / "../exports"), "", str(tmp_path)]


def test_a_path_with_signs_that_addresses_use(tmp_path):
    folder = tmp_path / "Praxis Müller #1 50%?x=1"
    folder.mkdir()
    (folder / "practice.toml").write_text(BASIC)
    with made(folder / "practice.toml"):
        pass
    assert (folder / "data" / "tending.db").exists()
    open_practice(folder / "practice.toml", env={}).close()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[practice]\nname = Linden\n", r"practice\.toml: line 2, column 8: invalid value"),
        (b'[practice]\nname = "Linden\n', r"line 2"),
        (b"[practice\n", r"line 1"),
        (b"", r"practice: is missing"),
        (b'[practice]\nname = "\xe4"\n', r"line 2: this is not UTF-8"),
        (BASIC.encode() + b"[practise]\n", r"practise: is not a setting"),
        (BASIC.replace("Berlin", "Berlim").encode(), r"time zone is not known"),
        (BASIC.encode() + b"[policy]\nquiet_after_days = 1\n", r"quiet_after_days has to lie between 3 and 365"),
        (b"\xef\xbb\xbf" + BASIC.encode() + b"nonsense = 1\n", r"practice\.nonsense: is not a setting"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_where_it_does_not(place, content, says):
    place.write_bytes(content)
    with pytest.raises(SettingsError, match=says):
        open_practice(place, create=True, env={})
    assert os.listdir(place.parent) == ["practice.toml"]


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="`tending init` writes one"):
        read_settings(tmp_path / "practice.toml")
    with pytest.raises(SettingsError, match=r"is a folder; name the practice\.toml in it"):
        read_settings(tmp_path)


def test_a_data_folder_that_cannot_be_made_is_said(place):
    (place.parent / "data").write_text("a file in its place")
    with pytest.raises(SettingsError, match="data folder"):
        made(place)


def test_the_address_of_a_calendar_may_have_blanks_around_it_but_is_one_that_is_read(monkeypatch):
    part = SourcePart(name="a", kind="calendar", url=" WEBCAL://example.org/x.ics ")
    assert place_of(part) == "WEBCAL://example.org/x.ics"
    secret = SourcePart(name="a", kind="calendar", url_env="CALENDAR_ADDRESS")
    monkeypatch.setenv("CALENDAR_ADDRESS", "\thttps://example.org/x.ics\n")
    assert place_of(secret) == "https://example.org/x.ics"
    monkeypatch.setenv("CALENDAR_ADDRESS", "ftp://example.org/secret")
    with pytest.raises(SettingsError, match=r"CALENDAR_ADDRESS holds, only http\(s\)") as refused:
        place_of(secret)
    assert "secret" not in str(refused.value)
