"""`messages`: what Tending writes, read before anything is sent."""

from dataclasses import replace
from typing import Annotated

import typer

from integrations.messages.compose import Message, compose, item_of
from integrations.messages.compose import preview as preview_of
from integrations.messages.samples import TO_ADMIN, TODAY, samples
from integrations.messages.templates import load
from models import spoken
from models.errors import UsageError
from tending.commands.common import now, opened, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import columns, say, show_json

EXAMPLE_LINK = "https://desk.example.org/card/..."


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    group.callback()(messages_group)
    group.command("list")(list_messages)
    group.command()(preview)
    app.add_typer(group, name="messages")


def messages_group(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """What Tending writes to people, in which words."""
    if ctx.invoked_subcommand is None:
        list_messages(as_json=as_json)


def list_messages(as_json: JsonOption = False) -> None:
    """The kinds of message there are, by the names that `preview` takes."""
    names = [_name(*part) for part in sorted(load().items)]
    if as_json:
        show_json(names)
        return
    columns([(name,) for name in names])


def preview(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="The kind of message, such as quiet or weekly_line.")],
    lock_screen: Annotated[
        bool, typer.Option("--lock-screen", help="Only what stands on a locked telephone, and in a list of mails.")
    ] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """One message as it would be sent, with invented facts.

    As a mail, and as it looks on a lock screen, where a telephone shows how a mail begins. Nothing is sent, and
    nobody it could be about is read. The words lie in integrations/messages/wording.
    """
    at = now()
    with opened(practice) as here:
        voice = voice_of(here, at)
        linked = bool(here.settings.desk and here.settings.desk.public_url)
        wanted = samples(at, voice, here.settings.safety.protocol or None)
        part = next((part for part in wanted if kind.strip().casefold() in (_name(*part), ".".join(part))), None)
        if part is None:
            raise UsageError(f"There is no message of that kind; there are {', '.join(_name(*p) for p in wanted)}.")
        link = EXAMPLE_LINK if linked and "code" in wanted[part] and part[0] != "invitation" else None
        item = item_of(*part, wanted[part], to_zone=voice.zone, locale=voice.locale, at=at, link=link)
        if linked and part[0] not in TO_ADMIN:  # as a mail that leads to the desk says it
            item = replace(item, sentence=spoken.here(item.sentence), clears=spoken.here(item.clears))
        message = compose(
            [item], practice=here.name, to_zone=voice.zone, locale=voice.locale, at=at, today=part in TODAY
        )
        bare = "protocol" in wanted[part] and not here.settings.safety.protocol
    if as_json:
        show_json(
            {
                "subject": message.subject,
                "preview": preview_of(message),
                "text": message.text,
                "title": message.title,
                "brief": message.brief,
            }
        )
        return
    _on_a_lock_screen(message)
    if not lock_screen:
        say()
        say("As a mail")
        say(f"  Subject: {message.subject}")
        say()
        for line in message.text.rstrip("\n").splitlines():
            say(f"  {line}".rstrip())
        if bare:
            say()
            say(
                "It goes out without your practice's own protocol, which is not set: [safety] protocol in practice.toml."
            )


def _on_a_lock_screen(message: Message) -> None:
    say("On a lock screen")
    say(f"  mail: {message.subject}")
    say(f"        {preview_of(message)} ...")
    say(f"  any other channel: {message.title}. {message.brief}")


def _name(folder: str, file: str) -> str:
    """What a kind is called: its file's name, with its folder before it where that says more."""
    shown = ("invitation", "nightly_check", "unanswered", "ending_confirm")
    return f"{folder}.{file}" if folder in shown and file != folder else file
