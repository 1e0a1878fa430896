"""The command line: all commands under one name, and what an error becomes: one plain sentence and an exit code."""

import contextlib
import errno
import importlib
import os
import re
import sys
import zoneinfo
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from models.errors import StoreError, TendingError

# Zone data come from the locked package alone, however this was started; processes that we start do the same.
os.environ["PYTHONTZPATH"] = ""
zoneinfo.reset_tzpath([])

from tending import mishap  # noqa: E402 - what reads zones comes after the line above
from tending.commands.listing import HEADINGS, MODULES  # noqa: E402
from tending.commands.options import Given, PracticeOption  # noqa: E402
from tending.output import say, tell  # noqa: E402

INTERRUPTED, BROKEN_PIPE, UNEXPECTED = 130, 141, 70
_FULL = (errno.ENOSPC, errno.EDQUOT)
EXIT_CODES = {
    0: "done; nothing needs doing",
    1: "done, and something needs a person: `check` found something, rows lie in quarantine, a question is open",
    2: "the command was given words it does not take; nothing was done",
    3: "practice.toml, the environment or the key file is missing or holds a value that does not fit",
    4: "a source could not be read whole; nothing was taken from it",
    5: "the database cannot be opened, is of another version, or there is no room for what is written",
    8: "Prefect's server or the desk cannot be started or reached",
    UNEXPECTED: "an error of Tending itself; the line names the file that tells where",
    INTERRUPTED: "stopped with Ctrl-C",
    BROKEN_PIPE: "whoever read the output stopped reading, as `head` does",
}
HELP = """Looks after the work between sessions: nobody drops out of care unnoticed, and a person decides.

New here: `tending init`, then edit practice.toml, then `tending check`, `tending sync` and `tending findings`.
`tending arm` lets it send; until then nothing leaves."""


class Commands(dict[str, Any]):
    """The commands by name. Each is read when somebody asks for it: all of them together take a second to read."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(MODULES))

    def __getitem__(self, name: str) -> Any:
        if super().__getitem__(name) is None:
            part = typer.Typer(rich_markup_mode=None)
            importlib.import_module(f"tending.commands.{MODULES[name]}").add_to(part)
            self.update(typer.main.get_group(part).commands)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The command of that name, if there is one."""
        if name not in self:
            return default
        return self[name]


class Grouped(TyperGroup):
    """The commands under headings, and the exit codes one a line."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands()

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for heading, names in HEADINGS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, listed.line) for name, listed in names.items()], col_spacing=4)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])


app = typer.Typer(
    name="tending",
    cls=Grouped,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"tending {version('tending')}")
        raise typer.Exit


@app.callback()
def tending(
    practice: PracticeOption = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """What may stand before the command."""
    Given.practice = practice


def run(words: list[str]) -> int:
    """Run one command. Answers its exit code; an error has become one line on stderr."""
    Given.practice = Given.data = None
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter is no reason to stop
    try:
        result = app(words, standalone_mode=False, prog_name="tending")
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except TendingError as error:
        tell(str(error))
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):  # the latter is what Typer makes of the former
        # Python flushes stdout once more at its end: into nothing, so that it does not complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except typer.TyperException as error:
        return _wrong_words(error, words)
    except OSError as error:
        if error.errno in _FULL:
            return _no_room()
        return _unforeseen(error)
    except Exception as error:
        return _unforeseen(error)


def _no_room() -> int:
    """What was to be written has no room; what Python still holds of it goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with contextlib.suppress(OSError):
        tell("There is no room left where the output goes, or on this disk; make room, then give the command again.")
    return StoreError.exit_code


def _unforeseen(error: Exception) -> int:
    place = mishap.written_down(error, Given.data)
    where = f"{place} says where and nothing about anybody; please report it" if place else "no log could be written"
    tell(f"Something went wrong inside Tending ({type(error).__name__}); {where}.")
    return UNEXPECTED


def _wrong_words(error: typer.TyperException, words: list[str]) -> int:
    """A command or option that does not exist, or a value that does not fit: what, and where the help is."""
    context = getattr(error, "ctx", None)
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    # A word in the wrong place may be somebody's name, and what is printed may end in a log or a mail.
    for word in sorted(
        {w.partition("=")[0] for w in words if not (w.startswith("-") and w.isascii())}, key=len, reverse=True
    ):
        message = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "...", message) if word else message
    message = _of_group(_plainly(message), context)
    if message.startswith("Usage:"):  # a group of commands without one of them shows its help
        tell(message)
        return 2
    ends = "" if message.endswith(("?", ".", ")")) else "."
    tell(f"{message}{ends} See `{context.command_path if context else 'tending'} --help`.")
    return 2


def _of_group(message: str, context: Any) -> str:
    """Where a group of commands was given a word that is none of them: the words that it takes."""
    words = list(getattr(context.command, "commands", ())) if context and context.parent else []
    if not words or not message.startswith("No such command"):
        return message
    return f"`{context.command_path}` takes one of the words {', '.join(words[:-1])} and {words[-1]}"


_NUMBERS = (
    (r"Input should be a valid integer.*", "takes a whole number"),
    (r"Input should be a valid number.*", "takes a number"),
    (r"Input should be greater than or equal to (?P<it>[\d.]+)", r"takes a number from \g<it> on"),
    (r"Input should be less than or equal to (?P<it>[\d.]+)", r"takes a number up to \g<it>"),
    (r"Value error, '\.\.\.' is not one of (?P<it>.*?)\.?", r"takes one of \g<it>"),
)


def _plainly(message: str) -> str:
    """What a parser says of a value that does not fit, as a sentence: `--days takes a whole number`."""
    for found, said in _NUMBERS:
        if (match := re.fullmatch(rf"Invalid value for '([^']+)': {found}", message, re.DOTALL)) is not None:
            return f"{match[1]} {match.expand(said)}"
    return message


def main() -> None:
    """The console script `tending`."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
