"""The pages that are rendered from the code are what the code says, and leave nothing out."""

import importlib
import pkgutil
from dataclasses import fields

import pytest
from pydantic import BaseModel

import flows
import integrations
import models.settings
import tending
from models.errors import TendingError
from models.policy import Policy
from tending.cli import EXIT_CODES, HEADINGS, app
from tending.pages import PAGES, commands_page, policy_page, settings_page


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(root, name):
    page = (root / "docs" / name).read_text(encoding="utf-8")
    assert page == PAGES[name](), f"docs/{name} is not what the code says; write it anew: python -m tending.pages"


def test_every_command_stands_under_one_heading_with_a_short_line_of_help():
    import typer.main

    commands = typer.main.get_command(app).commands
    listed = [name for names in HEADINGS.values() for name in names]
    assert sorted(listed) == sorted(commands)
    for name, command in commands.items():
        assert 0 < len(command.get_short_help_str(200)) <= 62, name
        assert f"### tending {name}\n" in commands_page()


def test_every_exit_code_of_an_error_is_documented():
    for package in (models, integrations, flows, tending):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found, codes = [TendingError], set()
    while found:
        one = found.pop()
        codes.add(one.exit_code)
        found += one.__subclasses__()
    assert 8 in codes
    assert codes <= EXIT_CODES.keys()


def test_every_setting_is_described():
    parts = [each for each in vars(models.settings).values() if isinstance(each, type) and issubclass(each, BaseModel)]
    page = settings_page()
    for part in parts:
        if part.__name__ in ("Part", "Settings", "BaseModel"):
            continue
        for name, field in part.model_fields.items():
            assert field.description, f"{part.__name__}.{name} has no description"
            assert f"| `{name}` |" in page


def test_every_threshold_is_on_the_page():
    for field in fields(Policy):
        assert f"| `{field.name}` |" in policy_page()
