"""The vault: what is sealed opens again under its keys only, hashes do not link, and bad key files say what mends them."""

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.vault import ENVIRONMENT, KINDS, Vault
from models.errors import SettingsError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
INDEX = "index MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SEAL = "seal ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
VAULT = Vault.from_text(f"{INDEX}\n{SEAL}")


@given(JSON | st.binary())
def test_what_is_sealed_opens_again(content):
    sealed = VAULT.seal(content)
    assert VAULT.open(sealed) == content
    assert type(VAULT.open(sealed)) is type(content)


def test_sealed_text_does_not_show_and_differs_each_time():
    sealed = VAULT.seal({"name": "Ann Example"})
    assert b"Ann" not in sealed
    assert sealed != VAULT.seal({"name": "Ann Example"})


def test_other_keys_and_altered_bytes_open_nothing():
    sealed = VAULT.seal({"name": "Ann Example"})
    other = Vault.from_text(f"{INDEX}\nseal {'A' * 43}=")
    with pytest.raises(SettingsError, match="put back the key file") as refused:
        other.open(sealed)
    assert "Ann" not in str(refused.value)
    for place in (0, len(sealed) // 2, len(sealed) - 1):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(SettingsError):
            VAULT.open(bytes(altered))


@given(st.text(), st.text())
def test_equal_texts_hash_alike_and_only_those(one, other):
    assert (VAULT.hash("name", one) == VAULT.hash("name", other)) == (one == other)


def test_hashes_are_kept_apart_by_kind_and_key():
    hashes = {VAULT.hash(kind, "C-7F3K9QX") for kind in KINDS}
    assert len(hashes) == len(KINDS)
    assert all(len(h) == 32 and int(h, 16) >= 0 for h in hashes)
    other = Vault.from_text(f"index {'A' * 43}=\n{SEAL}")
    assert other.hash("name", "ann") != VAULT.hash("name", "ann")
    with pytest.raises(KeyError):
        VAULT.hash("anything", "x")


def test_bytes_and_their_text_hash_alike():
    assert VAULT.hash("raw", "Zoë".encode()) == VAULT.hash("raw", "Zoë")


def test_keys_are_made_once_in_a_file_of_the_owner_alone(tmp_path):
    file = tmp_path / "keys"
    made = Vault.create(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Vault.load(file, {}).open(made.seal("x")) == "x"
    before = file.read_bytes()
    with pytest.raises(SettingsError, match="not overwritten"):
        Vault.create(file)
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["keys"]


def test_the_environment_wins_over_the_file(tmp_path):
    Vault.create(tmp_path / "keys")
    given_keys = {ENVIRONMENT: f"{INDEX}; {SEAL}"}
    assert Vault.load(tmp_path / "keys", given_keys).mark() == VAULT.mark()
    assert Vault.load(tmp_path / "absent", given_keys).open(VAULT.seal(b"raw")) == b"raw"
    assert Vault.load(tmp_path / "keys", {ENVIRONMENT: " "}).mark() != VAULT.mark()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_file_that_others_may_read_is_refused_with_the_command_that_closes_it(tmp_path, mode):
    file = tmp_path / "keys"
    Vault.create(file)
    file.chmod(mode)
    with pytest.raises(SettingsError, match=f"chmod 600 {file}"):
        Vault.load(file, {})


def test_a_file_of_another_user_is_refused(tmp_path):
    file = tmp_path / "keys"
    Vault.create(file)
    if os.geteuid() == 0:
        os.chown(file, 12345, -1)
        with pytest.raises(SettingsError, match="belongs to another user"):
            Vault.load(file, {})
    else:
        with pytest.raises(SettingsError, match=r"belongs to another user|cannot be read"):
            Vault.load(file.__class__("/etc/shadow"), {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "an index line is missing"),
        (INDEX, "a seal line is missing"),
        (SEAL, "an index line is missing"),
        (f"{INDEX}\n{INDEX}\n{SEAL}", "line 2: there are two index keys"),
        (f"{INDEX}\nseal c2hvcnQ=", "line 2: this is not a whole key"),
        (f"{INDEX}\nseal {'*' * 44}", "line 2: this is not a whole key"),
        (f"# comment\n\n{INDEX}\nseel {'A' * 43}=", "line 4: every line"),
        (f"{INDEX}\nseal", "line 2: every line"),
    ],
)
def test_bad_keys_name_their_line_and_never_show_a_key(text, says):
    with pytest.raises(SettingsError, match=says) as refused:
        Vault.from_text(text)
    assert "MDEyMzQ1" not in str(refused.value)
    assert "****" not in str(refused.value)


def test_a_missing_file_a_folder_and_a_strange_file_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="is not there"):
        Vault.load(tmp_path / "keys", {})
    with pytest.raises(SettingsError, match="is not a file"):
        Vault.load(tmp_path, {})
    strange = tmp_path / "strange"
    strange.write_bytes(b"\xff\xfe")
    strange.chmod(0o600)
    with pytest.raises(SettingsError, match="other than keys"):
        Vault.load(strange, {})


def test_a_rotated_vault_opens_the_old_and_seals_with_the_new(tmp_path):
    file = tmp_path / "keys"
    old = Vault.create(file)
    sealed = old.seal("before")
    new = Vault.rotate(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert new.open(sealed) == "before"
    assert new.mark() == old.mark()
    with pytest.raises(SettingsError):
        old.open(new.seal("after"))
    moved = new.resealed(sealed)
    assert moved is not None
    assert new.open(moved) == "before"
    assert new.resealed(moved) is None
    kept = [line for line in file.read_text().splitlines() if line.startswith("seal")]
    only_new = Vault.from_text("\n".join([next(x for x in file.read_text().splitlines() if x[:5] == "index"), kept[0]]))
    assert only_new.open(moved) == "before"
    with pytest.raises(SettingsError):
        only_new.open(sealed)


def test_keys_do_not_show_when_a_vault_is_printed():
    shown = repr(VAULT) + str(vars(VAULT).get("_all"))
    assert "MDEyMzQ1" not in shown
    assert "ZmVkY2Jh" not in shown
