"""Files that come later: read under the names of the page of forms, and named where nothing reads them."""

import pytest

from integrations.records.mapping import Mapping
from integrations.records.opening import files_of, not_read

CLIENTS = "id,name\n1042,Anna Braun\n"


def folder_of(path, *files):
    for file in files:
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text(CLIENTS)
    return path


@pytest.mark.parametrize(
    ("named", "lie", "read", "left"),
    [
        ({}, ["clients.csv", "scores.csv", "notes.csv"], {"clients.csv", "scores.csv"}, ["notes.csv"]),
        ({"clients": "people.csv"}, ["people.csv", "scores.csv"], {"people.csv", "scores.csv"}, []),
        ({"clients": "people.csv"}, ["people.csv", "clients.csv"], {"people.csv"}, ["clients.csv"]),
        ({"clients": "out/people.csv"}, ["out/people.csv", "out/scores.csv"], {"people.csv", "scores.csv"}, []),
        ({"clients": "clients.csv", "scores": ""}, ["clients.csv", "scores.csv"], {"clients.csv"}, ["scores.csv"]),
        ({"clients": "scores.csv"}, ["scores.csv"], {"scores.csv"}, []),
        ({}, ["clients.csv", "appointments (1).CSV", ".old.csv"], {"clients.csv"}, ["appointments (1).CSV"]),
    ],
)
def test_what_is_read_and_what_is_left(tmp_path, named, lie, read, left):
    folder = folder_of(tmp_path, *lie)
    assert {path.name for path in files_of(folder, Mapping(files=named), "records").values()} == read
    assert not_read(folder, Mapping(files=named), "records") == left
