"""Pages of docs/ that are rendered from the code, so that they cannot say anything else: `python -m tending.pages` writes them anew."""

import enum
import importlib
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_origin

import typer.main
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from models.boundary import WORDS
from models.ethics import CODES, Basis
from models.policy import Policy
from models.policy_layers import NAMES, PRACTICE_ONLY
from models.rules import all_rules
from models.settings import Settings
from tending.ending_page import endings_page

DOCS = Path(__file__).resolve().parent.parent / "docs"
WIDTH = 88

_COMMANDS = """\
# Commands
What `tending --help` and every command's own `--help` say, on one page. Codes stand for clients everywhere; who somebody is
is shown by `who`, `code`, `timeline`, `unmatched --titles` and `quarantine show`, and stands in the letters that `ending CODE letter`
and `refer CODE send` draft; nowhere else, and each such look is recorded.

Facts go to stdout, one line each, or as JSON with `--json`; what went wrong goes to stderr, one plain sentence with its
remedy; so does the progress of what takes longer than a second. Colour is used on a terminal only, and not where
`NO_COLOR` is set.
"""

_SETTINGS = """\
# practice.toml
One file describes a practice. `tending init` writes it with comments, `tending init --from FOLDER` also the part that reads
a folder of exports and calendars. A word that is not listed here is refused, so that a typing error never passes for a
setting. Relative paths are meant from the file's own folder. Passwords and secret addresses stand in the environment: the
file holds the name of the variable (`url_env`, `password_env`) and never the secret itself.

Environment: `TENDING_PRACTICE` names the practice.toml where `--practice` does not, `TENDING_KEYS` may hold the keys
instead of the key file, and `PREFECT_API_URL` names a Prefect server to use instead of our own.
"""

_POLICY = """\
# Policy
Every threshold that a rule or a message asks for. Set what differs from the default in practice.toml, in layers; the later
ones win:

```toml
[policy]                      # the whole practice
quiet_after_days = 21

[policy.site.North]           # clients of one site
quiet_after_days = 28

[policy.therapist.T1]         # clients of one therapist
notices_per_day = 3

[policy.client.C-7F3K9QX]     # what was agreed with one client
usual_rhythm_days = 30
```

`tending policy` shows what holds, `tending policy CLIENT` for one client, each with the layer it comes from. When a
threshold changes, what is already true under the new one is a list to sort (`tending findings --day-one`); nobody is mailed
about it.
"""

_ETHICS = """\
# Codes of ethics
What is quoted when somebody asks whether a client may be contacted, or why an ending is made: in our own words, never in place
of the code itself. practice.toml names the code (`[practice] ethics`); `ethics_text` stands in place of what it says about
former clients. A period is quoted as the code has it, and never reckoned with: the answer is the same on the day after the
last appointment and years later.
"""
_WORKFLOWS = """\
# Workflows
What `tending up` serves in Prefect, each as a deployment under this name: with a schedule (the settings of `[prefect]` in
practice.toml), started by hand from Prefect's pages, or by an event that another system emits ([events](events.md)). One run of
each at a time; a second one ends as *Already running*. The schedule is the safety net: a running practice looks after what
changes at once, by itself.

| workflow | flow | what it does | at (default) | on the event |
|---|---|---|---|---|
"""
_CHECKED = {
    Basis.seen: "against the code",
    Basis.second_hand: "against what others write about it",
    Basis.memory: "not yet: written from memory, compare it with the code",
    Basis.own: "our own",
}


def commands_page() -> str:
    """All of docs/commands.md."""
    from tending.cli import EXIT_CODES, app
    from tending.commands.listing import HEADINGS

    root: Any = typer.main.get_command(app)
    context = _context(root, "tending", None)
    parts = [_COMMANDS, _block(root.get_help(context))]
    for heading, names in HEADINGS.items():
        parts.append(f"## {heading}\n")
        for name in names:
            for title, text in _helps(root.commands[name], name, context):
                parts.append(f"### {title}\n")
                parts.append(_block(text))
    parts.append("## Exit codes\n")
    parts.append("| code | meaning |\n|---|---|")
    parts += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    return "\n".join(parts) + "\n"


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    """The path and help text of a command and of all below it."""
    context = _context(command, name, parent)
    yield context.command_path, command.get_help(context)
    for sub in getattr(command, "commands", {}).values():
        yield from _helps(sub, sub.name, context)


def _context(command: Any, name: str, parent: Any) -> Any:
    widths = {"terminal_width": WIDTH, "max_content_width": WIDTH}
    return command.make_context(name, [], parent=parent, resilient_parsing=True, **widths)


def _block(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return f"```\n{lines}\n```\n"


def settings_page() -> str:
    """All of docs/settings.md."""
    parts = [_SETTINGS]
    for name, field in Settings.model_fields.items():
        if name == "policy":
            parts.append("## [policy]\nThresholds, in layers: see [policy.md](policy.md).\n")
            continue
        model, many = _part_of(field)
        title = f"[[{name}]]" if many else f"[{name}]"
        said = " ".join((model.__doc__ or "").split()).removeprefix(title).removeprefix(":").strip()
        needed = "" if field.is_required() or many else " May be left out."
        parts.append(f"## {title}\n{said[:1].upper()}{said[1:]}{needed}\n")
        parts.append("| setting | value | default | what it means |\n|---|---|---|---|")
        parts += [
            f"| `{one}` | {_kind(about.annotation, about)} | {_default(about)} | {about.description or ''} |"
            for one, about in model.model_fields.items()
        ]
        parts.append("")
    return "\n".join(parts)


def _part_of(field: FieldInfo) -> tuple[type[BaseModel], bool]:
    """The model of a table, and whether there may be many of it."""
    many = get_origin(field.annotation) is tuple
    for one in (field.annotation, *get_args(field.annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one, many
    raise TypeError(f"{field.annotation} is no table")


def _kind(annotation: Any, about: FieldInfo | None = None) -> str:
    """What may be written, in words."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in args)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_kind(one, about) for one in args if one is not type(None)))
    if origin is tuple:
        return "list of text"
    if origin is dict or annotation is dict:
        return "table"
    if annotation in (int, float):
        span = _span(about) if about else ""
        return f"{'whole number' if annotation is int else 'number'}{span}"
    return "text"


def _span(about: FieldInfo) -> str:
    low = high = None
    above = False
    for limit in about.metadata:
        low = getattr(limit, "ge", low)
        if (gt := getattr(limit, "gt", None)) is not None:
            low, above = gt, True
        high = getattr(limit, "le", high)
    if low is None or high is None:
        return ""
    return f", {'above ' if above else ''}{low} to {high}"


def _default(about: FieldInfo) -> str:
    if about.is_required():
        return "needed"
    value = about.get_default(call_default_factory=True)
    if value in ("", None, (), {}):
        return "empty"
    return f"`{value.value if isinstance(value, enum.Enum) else value}`"


def policy_page() -> str:
    """All of docs/policy.md."""
    users: dict[str, list[str]] = {}
    for rule in all_rules():
        for kind in rule.kinds.values():
            for name in kind.policy:
                users.setdefault(name, []).append(kind.label)
    parts = [_POLICY, "| field | default | may be | what it is for | basis | read by |\n|---|---|---|---|---|---|"]
    for field in fields(Policy):
        meta = field.metadata
        used = ", ".join(users.get(field.name, [])) or "messages and reading"
        reason = meta["reason"] + (" Holds for the whole practice." if field.name in PRACTICE_ONLY else "")
        parts.append(
            f"| `{field.name}` | {_policy_value(field.default, meta)} | {_policy_range(meta)} | {reason} | {meta['basis']} | {used} |"
        )
    assert len(parts) == len(NAMES) + 2
    return "\n".join(parts) + "\n"


def _policy_value(value: Any, meta: Any) -> str:
    return (f"`{value}`" if value else "none") if isinstance(value, str) else f"{value:g} {meta['unit']}"


def _policy_range(meta: Any) -> str:
    if isinstance(meta["low"], re.Pattern):
        return str(meta["unit"])  # a word of the practice's own
    if isinstance(meta["low"], tuple):
        return " or ".join(f"`{word}`" for word in meta["low"])
    return "`HH:MM`" if meta["low"] is None else f"{meta['low']} to {meta['high']}"


def ethics_page() -> str:
    """All of docs/ethics.md."""
    parts = [_ETHICS]
    for name, code in CODES.items():
        parts.append(f'## {code.name}\n`ethics = "{name}"`\n')
        parts.append("| about | what is quoted | from | checked |\n|---|---|---|---|")
        said = [("former clients", text) for text in code.former]
        said += [("current clients", code.current), ("endings", code.not_to_begin)]
        parts += [f"| {about} | {text.text} | {text.source} | {_CHECKED[text.basis]} |" for about, text in said]
        parts.append("")
    parts.append("## May I contact this client?\n| contact | answer | why |\n|---|---|---|")
    parts += [f"| {word.contact.value} | {word.standing.value} | {word.reason} |" for word in WORDS]
    return "\n".join(parts) + "\n"


def workflows_page() -> str:
    """All of docs/workflows.md. Imports Prefect."""
    from flows import workflows
    from models.settings import PrefectPart

    crons = {field.default: name for name, field in PrefectPart.model_fields.items() if name.endswith("_cron")}
    rows = []
    for one in workflows():
        module, _, function = one.entrypoint.rpartition(".")
        flow = getattr(importlib.import_module(module), function)
        first = (flow.fn.__doc__ or "").strip().split("\n\n")[0]
        at = f"`{one.cron}` (`{crons[one.cron]}`)" if one.cron else "when asked"
        events = ", ".join(f"`{event}`" for event in one.triggers) or "none"
        rows.append(f"| {one.title} (`{one.name}`) | {flow.name} | {' '.join(first.split())} | {at} | {events} |")
    return _WORKFLOWS + "\n".join(rows) + "\n"


PAGES = {
    "commands.md": commands_page,
    "settings.md": settings_page,
    "policy.md": policy_page,
    "ethics.md": ethics_page,
    "endings.md": endings_page,
    "workflows.md": workflows_page,
}


def main() -> None:
    """Write every page."""
    for name, render in PAGES.items():
        (DOCS / name).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
