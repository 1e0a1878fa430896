"""The folder of a demonstration: nothing of anybody else's is touched, one at a time, and what was broken off is begun anew."""

from pathlib import Path

import pytest

from models.errors import UsageError
from tending.demo.diary import REGION
from tending.demo.folder import DemoError, Folder, Mark, Stage
from tending.demo.run import demo
from tending.demo.writing import write_settings


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path, fresh: bool) -> None:
    mine = tmp_path / "thesis.txt"
    mine.write_text("years of work")
    with pytest.raises(UsageError, match="other files"):
        demo(tmp_path, True, fresh)
    assert mine.read_text() == "years of work"


def test_beginning_anew_deletes_only_what_a_demonstration_made(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.remember(Mark(1_800_000_000))
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "0001.eml").write_text("a mail")
    (tmp_path / "notes.txt").write_text("mine")
    folder.clear()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt"]


def test_a_link_is_unlinked_and_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept")
    place = tmp_path / "demo"
    place.mkdir()
    (place / "data").symlink_to(elsewhere)
    Folder(place).clear()
    assert (elsewhere / "kept").exists()
    assert not (place / "data").exists()


def test_two_at_once_in_one_folder_are_refused(tmp_path: Path) -> None:
    with Folder(tmp_path / "demo").alone(), pytest.raises(DemoError, match="already") as refused:
        demo(tmp_path / "demo", True)
    assert refused.value.exit_code == 2


def test_a_place_that_cannot_be_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoError, match="name another folder"):
        demo(tmp_path / "file" / "demo", True)


def test_what_is_remembered_comes_back(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.remember(Mark(1_800_000_000, stage=Stage.week))
    assert folder.mark() == Mark(1_800_000_000, stage="week")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"now": 1, "other": 2}', '{"now": 1, "version": 0}'])
def test_a_mark_that_cannot_be_understood_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "demo.json").write_text(text)
    assert Folder(tmp_path).mark() is None


def test_other_ports_change_their_numbers_only(tmp_path: Path) -> None:
    path = write_settings(tmp_path, 2525, REGION)
    edited = path.read_text().replace("[policy.", '# mine: port = 7\n[policy."x"]\n[policy.', 1)
    path.write_text(edited)
    Folder(tmp_path).set_ports(40123, 40124)
    assert path.read_text() == edited.replace("port = 2525", "port = 40123").replace("4280", "40124")
