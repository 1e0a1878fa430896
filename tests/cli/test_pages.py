"""The pages that are rendered from the code are what the code says, and leave nothing out."""

import importlib
import pkgutil
from dataclasses import fields

import pytest
import typer
import typer.main
from pydantic import BaseModel

import flows
import integrations
import models.settings
import models.settings_source
import tending.commands
from models.errors import TendingError
from models.policy import Policy
from tending.cli import BROKEN_PIPE, EXIT_CODES, INTERRUPTED, UNEXPECTED
from tending.commands.listing import HEADINGS
from tending.pages import PAGES, commands_page, policy_page, settings_page


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(root, name):
    page = (root / "docs" / name).read_text(encoding="utf-8")
    assert page == PAGES[name](), f"docs/{name} is not what the code says; write it anew: python -m tending.pages"


def test_every_command_stands_under_one_heading_with_the_line_of_help_that_it_begins_with():
    listed = {name: one for commands in HEADINGS.values() for name, one in commands.items()}
    assert sum(map(len, HEADINGS.values())) == len(listed)
    found = {}
    for module in pkgutil.iter_modules(tending.commands.__path__):
        add_to = getattr(importlib.import_module(f"tending.commands.{module.name}"), "add_to", None)
        if add_to is not None:
            add_to(part := typer.Typer())
            found |= {name: (module.name, one) for name, one in typer.main.get_group(part).commands.items()}
    assert sorted(listed) == sorted(found)
    for name, (module, command) in found.items():
        assert listed[name] == (module, command.get_short_help_str(200)), name
        assert 0 < len(listed[name].line) <= 62, name
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
    assert codes | {0, UNEXPECTED, INTERRUPTED, BROKEN_PIPE} == EXIT_CODES.keys()


def test_every_setting_is_described():
    words = {**vars(models.settings_source), **vars(models.settings)}
    parts = [each for each in words.values() if isinstance(each, type) and issubclass(each, BaseModel)]
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
