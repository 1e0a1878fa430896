"""`desk` and `users`: the pages on which therapists answer, and who may use them."""

from typing import Annotated, Any

import typer

from integrations.store import accounts, audit, links
from models.accounts import ACCOUNT, LASTS, MINUTE, Purpose, Role, address_of
from models.errors import UsageError
from models.totp import address_of as otpauth
from models.totp import new_secret
from tending.commands.common import instant_or_none, login, now, opened, therapist_of
from tending.commands.options import JsonOption, PracticeOption, place
from tending.output import clean, columns, say, show_json, tell

Number = Annotated[int, typer.Argument(metavar="ID", help="The account's number, as `tending users` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(desk)
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    group.callback()(users_group)
    group.command("list")(list_users)
    for command in (add, disable, link, totp):
        group.command()(command)
    app.add_typer(group, name="users")


def desk(
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=1024,
            max=65535,
            help="The port to listen on, instead of the one of [desk].",
            show_default=False,
        ),
    ] = None,
    practice: PracticeOption = None,
) -> None:
    """Serve the desk alone, until Ctrl-C.

    The pages on which therapists say what happened. `tending up` serves them too, where practice.toml has [desk].
    They listen on this machine only; a web server with https in front makes them reachable.
    """
    # Only here: no other command waits for a web server's libraries.
    from tending.desk.serve import serve

    serve(place(practice), say=say, port=port)


def users_group(ctx: typer.Context, as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """Who may use the desk."""
    if ctx.invoked_subcommand is None:
        list_users(as_json=as_json, practice=practice)


def list_users(as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """All accounts, with role and address."""
    with opened(practice) as here, here.store.read() as connection:
        people = accounts.listed(connection, here.vault)
    if as_json:
        show_json([_plain(p) for p in people])
        return
    columns(
        [
            (
                str(p.id),
                p.role.value,
                p.therapist_id or "-",
                clean(p.address),
                clean(p.name) + (" (disabled)" if p.disabled_at is not None else ""),
            )
            for p in people
        ]
    )
    if not people:
        say("Nobody may use the desk yet: `tending users add ROLE ADDRESS`.")


def _plain(person: accounts.Person) -> dict[str, Any]:
    """An account for machines; of a second factor only whether there is one."""
    return {
        "id": person.id,
        "role": person.role.value,
        "therapist_id": person.therapist_id,
        "name": person.name,
        "address": person.address,
        "made_at": instant_or_none(person.made_at),
        "disabled_at": instant_or_none(person.disabled_at),
        "second_factor": bool(person.totp),
    }


def add(
    role: Annotated[str, typer.Argument(metavar="ROLE", help=f"{', '.join(one.value for one in Role)}.")],
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The mail address; links are sent to it.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Their name.", show_default=False)] = "",
    therapist: Annotated[
        str,
        typer.Option(
            "--therapist",
            metavar="ID",
            help="The clinic's id of the therapist whose clients are theirs.",
            show_default=False,
        ),
    ] = "",
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Let somebody use the desk.

    Therapists see their own clients and those they stand in for; supervisors also their team's findings; the front
    office who somebody is and their appointments; technical staff sources and messages, and nobody's identity.
    """
    wanted = _role(role)
    with opened(practice) as here, here.store.write() as connection:
        mine = therapist_of(connection, therapist) if therapist else ""
        number = accounts.add(connection, here.vault, wanted, name, address, mine, login(), now())
    if as_json:
        show_json({"id": number, "role": wanted.value, "therapist_id": mine})
    else:
        say(f"Account {number} may use the desk; `tending users link {number}` prints a link to sign in with.")


def _role(word: str) -> Role:
    """A role as people type it: `front-office` and `Front office` too."""
    try:
        return Role("_".join(word.lower().replace("-", " ").replace("_", " ").split()))
    except ValueError:
        raise UsageError(f"There is no such role; there are {', '.join(one.value for one in Role)}.") from None


def disable(number: Number, practice: PracticeOption = None) -> None:
    """End an account, and what it has open.

    Whoever is signed in is signed out at once. `add` with the same address lets it be used again.
    """
    with opened(practice) as here, here.store.write() as connection:
        accounts.disable(connection, number, login(), now())
    say(f"Account {number} is disabled; its sessions and links open nothing any more.")


def link(number: Number, as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """Print a link to sign in with.

    It works once, for 15 minutes. Hand it over in person: whoever has it gets in.
    """
    at = now()
    with opened(practice) as here:
        part = here.settings.desk
        public = part.public_url if part else ""
        base = public or f"http://127.0.0.1:{part.port if part else 4280}"
        with here.store.write() as connection:
            if accounts.of_number(connection, here.vault, number) is None:
                raise UsageError(f"There is no account {number} that may be used; `tending users` lists them.")
            token = links.make(connection, here.vault, Purpose.sign_in, f"{ACCOUNT}{number}", None, "", at)
            audit.record(connection, at, login(), "sign-in link made", f"{ACCOUNT}{number}")
    address = address_of(base, Purpose.sign_in, token)
    if as_json:
        show_json({"link": address, "minutes": LASTS[Purpose.sign_in] // MINUTE})
    else:
        say(address)
    if part is None:
        tell(
            "practice.toml has no [desk], so `tending up` serves no desk: `tending desk` does while it runs, or add a line "
            "`[desk]`."
        )


def totp(
    number: Number,
    off: Annotated[bool, typer.Option("--off", help="Take the second factor away.")] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Ask for a second factor at sign-in.

    Prints the address that an authenticator app reads, once; whoever is signed in is signed out. From then on a code of
    that app is asked for besides the link. Without a link it opens nothing.
    """
    secret = "" if off else new_secret()
    with opened(practice) as here, here.store.write() as connection:
        person = accounts.set_totp(connection, here.vault, number, secret, login(), now())
        name = here.name
    address = otpauth(secret, name, person.address) if secret else ""
    if as_json:
        show_json({"id": number, "otpauth": address or None})
    elif secret:
        say(address)
    else:
        say(f"Account {number} signs in with a link alone.")
