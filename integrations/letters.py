"""The closing letter as a draft: a form filled in with what is known, the rest left in brackets for a person. Nothing is sent."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from sqlalchemy import Connection

from integrations.store.letter_facts import LetterFacts, letter_facts
from models import words
from models.ending_steps import Reason
from models.errors import SettingsError, UsageError
from models.instants import Instant, day_of

if TYPE_CHECKING:
    from integrations.practice import Practice

FORMS = Path(__file__).parent / "letter_forms"
CLOSING, OUT_OF_CONTACT = "closing.txt", "out_of_contact.txt"
PLACES = 3  # as many as are offered at least (Bernstein and Hartsell, second-hand)
A_PLACE = "[Name, address and telephone]"


def draft(practice: "Practice", connection: Connection, client_id: int, by: str, now: Instant) -> tuple[str, str]:
    """A client's code and the draft of their closing letter: identity, for a file of the caller's. Audited. Raises UsageError where no
    letter is due, SettingsError where a form of the practice's own cannot be filled in."""
    facts = letter_facts(practice, connection, client_id, by, now)
    name = OUT_OF_CONTACT if facts.ending.reason is Reason.contact else CLOSING
    own = Path(practice.settings.endings.forms or FORMS) / name
    return facts.code, _filled(own if own.is_file() else FORMS / name, practice, facts, now)


def _filled(path: Path, practice: "Practice", facts: LetterFacts, now: Instant) -> str:
    endings, locale = practice.settings.endings, practice.settings.practice.locale

    def day(when: Instant | None) -> str:
        return "" if when is None else words.whole_day(day_of(when, practice.zone), locale=locale)

    tried = list(dict.fromkeys(day(attempt.on) for attempt in facts.ending.approved))
    places = [*endings.referrals, *[A_PLACE] * max(0, PLACES - len(endings.referrals))]
    try:
        text = _form(path, path.stat().st_mtime_ns).render(
            practice=practice.name,
            today=day(now),
            client=facts.client or "[name]",
            therapist=facts.therapist or "[name]",
            reason=facts.ending.reason.value,
            began=day(facts.began),
            last=day(facts.last),
            tried=words.listed([f"tried on {tried[0]}", *tried[1:]], locale=locale) if tried else "",
            places=places,
            crisis=list(endings.crisis),
        )
    except (TemplateError, TypeError, ValueError, UnicodeDecodeError):
        # The cause may quote a name, so only the file is named.
        raise SettingsError(
            f"The letter form {path.name} could not be filled in; compare its fields with those of "
            f"integrations/letter_forms/{path.name}."
        ) from None
    return text.strip("\n") + "\n"


@cache
def _form(path: Path, changed: int) -> Template:
    env = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    env.globals.clear()
    return env.from_string(path.read_text(encoding="utf-8"))


def write_draft(path: Path, text: str) -> None:
    """Write a draft to a new file that only its owner may read. Raises UsageError where that cannot be."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError("There is a file of that name already; name another with --out.") from None
    except OSError as error:
        raise UsageError(f"The file cannot be written ({error.strerror}); name another with --out.") from None
