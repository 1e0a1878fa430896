"""`policy`: which thresholds hold for whom, and where each comes from."""

from dataclasses import fields
from typing import Annotated, Any

import typer

from integrations.store import cases
from models.errors import UsageError
from models.policy import DEFAULT, Policy
from models.policy_layers import ANSWERED, Layered, measured
from tending.commands.common import client_of, now, opened, therapist_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import columns, say, show_json


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(policy)


def policy(
    client: Annotated[
        str, typer.Argument(metavar="CLIENT", help="The policy for this client.", show_default=False)
    ] = "",
    therapist: Annotated[
        str,
        typer.Option("--therapist", metavar="ID", help="The policy for this therapist's clients.", show_default=False),
    ] = "",
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Every threshold that holds, and where it comes from.

    Its value, the layer that set it, and the basis of the number. Layers, the later ones winning: default,
    practice, site, new therapist, therapist, agreed with this client.
    """
    if client and therapist:
        raise UsageError("Name a client or a therapist, not both.")
    with opened(practice) as here, here.store.read() as connection:
        if client:
            who = client_of(connection, client)
            row = next(iter(cases.digests(connection, [who.id])), None)
            site, whose = (row[2], row[1]) if row else (who.site, who.therapist_id)
            together = cases.shared(here, connection, now())
            layered = together.policy(row) if row else here.book.of(site, whose, who.id)
            about = who.code
        elif therapist:
            mine = therapist_of(connection, therapist)
            beginner = cases.shared(here, connection, now()).is_new(mine)
            layered, about = here.book.of(therapist=mine, new=beginner), f"therapist {mine}"
        else:
            layered, about = here.book.of(), "the whole practice"
    lines = policy_lines(layered)
    if as_json:
        show_json({"for": about, "policy": lines})
        return
    say(f"Policy for {about}")
    columns(
        [
            (line["name"], _shown(line["value"], line["unit"]), line["layer"], f"basis: {line['basis']}")
            for line in lines
        ],
        indent=2,
    )


def policy_lines(layered: Layered) -> list[dict[str, Any]]:
    """Every field with value, unit, winning layer, reason and basis. The basis speaks of the default alone."""
    lines = []
    for field in fields(Policy):
        layer = layered.origin.get(field.name, "default")
        value = getattr(layered.policy, field.name)
        lines.append(
            {
                "name": field.name,
                "value": value,
                "unit": field.metadata["unit"],
                "layer": layer,
                "default": getattr(DEFAULT, field.name),
                "reason": field.metadata["reason"],
                "basis": _basis(layer, field.metadata["basis"]),
            }
        )
    return lines


def _basis(layer: str, of_default: str) -> str:
    if layer == ANSWERED:
        return "an answer (`tending why` shows it)"
    return of_default if layer == "default" else f"set in practice.toml ({layer})"


def _shown(value: Any, unit: str) -> str:
    return (value or "none") if isinstance(value, str) else measured(value, unit)
