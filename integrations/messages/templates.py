"""Loads the wording that lies in files, refuses at load what would disclose too much, and renders it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from textwrap import fill
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes, pass_context
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from models import words
from models.disclosure import CEILING, Surface, level_of
from models.errors import TendingError
from models.instants import Instant, day_of
from models.voice import Voice

FOLDER = Path(__file__).parent / "wording"
PLAIN_WIDTH = 72

# The files that frame a message; every other folder is a purpose and its files are items in a mail's body.
_FRAMES: dict[str, Surface] = {
    "mail/subject.txt": Surface.mail_subject,
    "mail/opening.txt": Surface.mail_opening,
    "mail/frame.txt": Surface.mail_body,
    "mail/frame.html": Surface.mail_body,
    "brief/title.txt": Surface.brief,
    "brief/body.txt": Surface.brief,
}
_BLOCKS = ("label", "sentence", "clears")
# A template says all it says in its own file; what it would fetch from elsewhere could not be checked here.
_FETCHING = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class WordingError(TendingError):
    """A wording file cannot be used; the sentence names the file and, where it is about one, the field."""


@dataclass(frozen=True, slots=True)
class Wording:
    """All wording of one folder, checked. `items` is keyed by (purpose, part) and block, `frames` by file."""

    items: Mapping[tuple[str, str], Mapping[str, Template]]
    frames: Mapping[str, Template]

    def item(self, purpose: str, part: str, facts: Mapping[str, Any], voice: Voice) -> dict[str, str]:
        """The label, sentence and clearing line for these facts, each one line; a fact that is None is not given.

        Raises WordingError when there is no such wording or a fact that it needs is missing or of the wrong kind.
        """
        blocks = self.items.get((purpose, part))
        if blocks is None:
            raise WordingError(f"There is no wording {purpose}/{part}.txt; add the file to {FOLDER.name}/.")
        known = {name: value for name, value in facts.items() if value is not None}
        file = f"{purpose}/{part}.txt"
        said = {block: _render(template, file, known, voice) for block, template in blocks.items()}
        return {block: " ".join(said.get(block, "").split()) for block in _BLOCKS}

    def frame(self, file: str, facts: Mapping[str, Any], voice: Voice) -> str:
        """The text of one of the framing files. Raises WordingError like `item`."""
        return _render(self.frames[file], file, facts, voice)


@cache
def load(folder: Path = FOLDER) -> Wording:
    """The wording of a folder, read and checked once. Raises WordingError naming file and field that do not fit."""
    items: dict[tuple[str, str], dict[str, Template]] = {}
    frames: dict[str, Template] = {}
    for path in sorted(folder.glob("*/*")):
        file = path.relative_to(folder).as_posix()
        source = path.read_text(encoding="utf-8")
        if file in _FRAMES:
            frames[file] = _checked(file, source, _FRAMES[file])
            continue
        if path.suffix != ".txt" or path.parent.name in {"mail", "brief"}:
            raise WordingError(f"The wording file {file} has no place; items are <purpose>/<part>.txt.")
        blocks = [block for block in source.split("\n\n") if block.strip()]
        if not 2 <= len(blocks) <= len(_BLOCKS):
            raise WordingError(
                f"The wording file {file} needs a label, a sentence and, mostly, a clearing "
                "line, with an empty line between."
            )
        items[path.parent.name, path.stem] = {
            name: _checked(file, block, Surface.mail_body) for name, block in zip(_BLOCKS, blocks, strict=False)
        }
    missing = sorted(_FRAMES.keys() - frames.keys())
    if missing:
        raise WordingError(f"The wording file {missing[0]} is missing; restore it.")
    return Wording(items=items, frames=frames)


def _checked(file: str, source: str, surface: Surface) -> Template:
    """The compiled template, once every field it names is known and within the ceiling of the surface."""
    env = _environment(html=file.endswith(".html"))
    try:
        tree = env.parse(source)
        fields = find_undeclared_variables(tree)
        template = env.from_string(tree)
    except TemplateError as error:
        raise WordingError(f"The wording file {file} is not a template: {error.message}.") from None
    if any(True for _ in tree.find_all(_FETCHING)):
        raise WordingError(f"The wording file {file} fetches another file; write its words out.")
    for field in sorted(fields):
        level = level_of(field)
        if level is None:
            raise WordingError(
                f"The wording file {file} names the field {field}, which has no disclosure "
                "level; see models/disclosure.py."
            )
        if level > CEILING[surface]:
            raise WordingError(
                f"The wording file {file} names the field {field}, which is {level.name}; a "
                f"{surface.value.replace('_', ' ')} shows at most what is {CEILING[surface].name}."
            )
    return template


def _render(template: Template, file: str, facts: Mapping[str, Any], voice: Voice) -> str:
    try:
        return template.render(**facts, _voice=voice)
    except (TemplateError, TypeError, ValueError, AttributeError):
        # The cause may quote a value, so only the file is named.
        given = ", ".join(sorted(facts)) or "none"
        raise WordingError(
            f"The wording file {file} could not be filled in; a fact is missing or of another kind (given: {given})."
        ) from None


@cache
def _environment(*, html: bool) -> SandboxedEnvironment:
    env = SandboxedEnvironment(autoescape=html, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    env.globals.clear()
    env.filters = {"ago": _ago, "counted": words.counted, "wrap": _wrap}
    return env


def _wrap(text: str, indent: str = "") -> str:
    return fill(
        text,
        PLAIN_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


@pass_context
def _ago(context: Context, when: Instant | str) -> str:
    """An instant on its day where the reader is; a day (ISO), which is the same everywhere, as it is."""
    voice: Voice = context["_voice"]
    if isinstance(when, int):
        return voice.day_and_distance(when)
    today = day_of(voice.now, voice.zone)
    return words.day_and_distance(date.fromisoformat(when), today=today, locale=voice.locale)
