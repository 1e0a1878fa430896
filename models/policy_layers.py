"""A practice's policy in layers, the later ones winning: default, practice, site, new therapist, therapist, agreed with this client."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

from models.errors import SettingsError
from models.policy import DEFAULT, Policy
from models.told import Answered

LAYERS = ("default", "practice", "site", "new", "therapist", "client")
NEW: Mapping[str, Any] = {
    "quiet_after_days": 10,
    "quiet_factor": 1.5,
    "review_every_days": 60,
    "trust_check_by_appointment": 2,
    "climb_to_supervisor_days": 5,
}
"""What holds for clients of therapists who are new, unless [policy.new] says otherwise: earlier prompts (our choice)."""
_ONE = re.compile(r"\b(appointment|attempt|day|ending|hour|point|score)s\b")
ANSWERED = "agreed with this client in an answer"
NAMES = tuple(f.name for f in fields(Policy))
# These belong to the practice as a whole: no layer below may change them.
KEEPING = frozenset({"keep_changes_days", "keep_messages_days"})
PRACTICE_ONLY = KEEPING | {
    "same_time_minutes",
    "vanish_floor",
    "vanish_share",
    "new_therapist_days",
    "provider_verified_days",
}


@dataclass(frozen=True, slots=True)
class Layered:
    """A policy and, for each field that is not the default, the layer that won (`practice`, `site North`, `therapist T1`, ...)."""

    policy: Policy
    origin: Mapping[str, str]

    def line(self, name: str) -> str:
        """One line for people: the field, its value and unit, the layer that set it, and the basis of a default."""
        meta = next(f.metadata for f in fields(Policy) if f.name == name)
        layer, value = self.origin.get(name, "default"), getattr(self.policy, name)
        said = f"{name} = {value or 'none'}" if isinstance(value, str) else f"{name} = {measured(value, meta['unit'])}"
        return f"{said} ({layer}; basis: {meta['basis']})" if layer == "default" else f"{said} ({layer})"

    def told(self, name: str) -> str:
        """The same for whoever sets no policy: what the field is for, in words, with its value; empty where it says nothing of anybody."""
        meta = next(f.metadata for f in fields(Policy) if f.name == name)
        layer, value = self.origin.get(name, "default"), getattr(self.policy, name)
        if not value or value == "none":
            return ""
        said = value if isinstance(value, str) else measured(value, meta["unit"].partition(" (")[0])
        return f"{meta['reason'].rstrip('.')}: {said} ({layer})."

    def agreed(self, answers: Sequence[Answered]) -> "Layered":
        """The same with the rhythm that was agreed with this client last, if one was."""
        days = next((answer.days for answer in reversed(answers) if answer.days), 0)
        if not days:
            return self
        origin = {**self.origin, "agreed_rhythm_days": ANSWERED}
        return Layered(replace(self.policy, agreed_rhythm_days=days), origin)


def measured(value: float, unit: str) -> str:
    """`14 days`, `1 point`."""
    return f"{value:g} " + (_ONE.sub(r"\1", unit) if value == 1 else unit)


def checked(values: Mapping[str, Any], layer: str) -> dict[str, Any]:
    """The values of one layer, each known, of its type and in its range. Raises SettingsError naming layer, field and range."""
    known = {f.name: f for f in fields(Policy)}
    result: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(f"policy ({layer}): there is no field {name}; the fields are listed in docs/policy.md.")
        if layer != "practice" and name in PRACTICE_ONLY:
            raise SettingsError(f"policy ({layer}): {name} holds for the whole practice; set it under [policy].")
        meta, default = known[name].metadata, known[name].default
        if isinstance(meta["low"], re.Pattern):
            if not isinstance(value, str) or not meta["low"].fullmatch(value):
                raise SettingsError(f"policy ({layer}): {name} has to be a {meta['unit']}.")
        elif isinstance(default, str):
            if (
                not isinstance(value, str)
                or (meta["low"] and value not in meta["low"])
                or (not meta["low"] and not _is_time(value))
            ):
                wanted = " or ".join(meta["low"]) if meta["low"] else "a time such as 08:00"
                raise SettingsError(f"policy ({layer}): {name} has to be {wanted}.")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingsError(f"policy ({layer}): {name} has to be a number ({meta['unit']}).")
        elif not meta["low"] <= value <= meta["high"]:
            raise SettingsError(
                f"policy ({layer}): {name} has to lie between {meta['low']} and {meta['high']} {meta['unit']}."
            )
        elif isinstance(default, int) and known[name].type is int and value != int(value):
            raise SettingsError(f"policy ({layer}): {name} has to be a whole number ({meta['unit']}).")
        result[name] = value
    return result


def _is_time(value: str) -> bool:
    return bool(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value, re.ASCII))


def _of_names(names: Collection[str], layer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in layer.items() if name in names}


class PolicyBook:
    """All layers of a practice's policy, and the policy that they give for one client. Answers are kept, since clients share them.

    `clients` are by code, `client_ids` the ids of those codes that are known yet.
    """

    def __init__(
        self,
        practice: Mapping[str, Any] | None = None,
        sites: Mapping[str, Mapping[str, Any]] | None = None,
        therapists: Mapping[str, Mapping[str, Any]] | None = None,
        clients: Mapping[str, Mapping[str, Any]] | None = None,
        client_ids: Mapping[str, int] | None = None,
        new: Mapping[str, Any] | None = None,
    ) -> None:
        self._practice = checked(practice or {}, "practice")
        self._sites = {k: checked(v, f"site {k}") for k, v in (sites or {}).items()}
        self._therapists = {k: checked(v, f"therapist {k}") for k, v in (therapists or {}).items()}
        self._agreed = {code: checked(v, f"client {code}") for code, v in (clients or {}).items()}
        ids = client_ids or {}
        self._clients = {ids[code]: values for code, values in self._agreed.items() if code in ids}
        self._new = {**NEW, **checked(new or {}, "new")}
        self._kept: dict[tuple[str, str, bool], Layered] = {}
        self._refuse_hours_that_never_open()
        self._default = DEFAULT
        self._fingerprint = ""

    @classmethod
    def restored(cls, layers: Mapping[str, Any], client_ids: Mapping[str, int]) -> "PolicyBook":
        """The book that gave these `layers`, defaults of its time included; fields that there are no more are left out."""

        def known(values: Mapping[str, Any]) -> dict[str, Any]:
            return {name: value for name, value in values.items() if name in NAMES}

        book = cls()
        book._default = replace(DEFAULT, **known(layers["default"]))
        book._practice = known(layers["practice"])
        book._sites = {name: known(values) for name, values in layers["site"].items()}
        book._new = known(layers.get("new", {}))
        book._therapists = {name: known(values) for name, values in layers["therapist"].items()}
        book._agreed = {code: known(values) for code, values in layers["client"].items()}
        book._clients = {client_ids[code]: values for code, values in book._agreed.items() if code in client_ids}
        return book

    def layers(self) -> dict[str, Any]:
        """Every layer as plain values, as `restored` takes them."""
        return {
            "default": {name: getattr(self._default, name) for name in NAMES},
            "practice": self._practice,
            "site": self._sites,
            "new": self._new,
            "therapist": self._therapists,
            "client": self._agreed,
        }

    def _refuse_hours_that_never_open(self) -> None:
        """Raises SettingsError where layers together leave no working hours: nobody would ever be written to."""
        named = {"work_from", "work_until"}
        layers: list[dict[str, Mapping[str, Any]]] = [
            {"": {}} | {f"{word} {name}": layer for name, layer in layers.items() if named & layer.keys()}
            for word, layers in (("site", self._sites), ("therapist", self._therapists), ("client", self._agreed))
        ]
        for several in product(*layers):
            values = {name: getattr(DEFAULT, name) for name in named} | _of_names(named, self._practice)
            for kind, name in zip(layers, several, strict=True):
                values |= _of_names(named, kind[name])
            if values["work_from"] >= values["work_until"]:
                where = " with ".join(name for name in several if name) or "practice"
                raise SettingsError(
                    f"policy ({where}): working hours from {values['work_from']} until {values['work_until']} never open; "
                    "set both work_from and work_until there, the first earlier than the second."
                )

    @property
    def personal(self) -> bool:
        """Whether anything was agreed with single clients."""
        return bool(self._clients)

    def of(self, site: str = "", therapist: str = "", client_id: int | None = None, *, new: bool = False) -> Layered:
        """The policy for a client of that site and therapist; `new` says whether the therapist is."""
        if client_id is not None and client_id in self._clients:
            return self._layered(site, therapist, self._clients[client_id], new=new)
        kept = self._kept.get((site, therapist, new))
        if kept is None:
            kept = self._kept[site, therapist, new] = self._layered(site, therapist, {}, new=new)
        return kept

    def _layered(self, site: str, therapist: str, client: Mapping[str, Any], *, new: bool) -> Layered:
        values: dict[str, Any] = {}
        origin: dict[str, str] = {}
        for label, layer in (
            ("practice", self._practice),
            (f"site {site}", self._sites.get(site, {})),
            ("new therapist", self._new if new else {}),
            (f"therapist {therapist}", self._therapists.get(therapist, {})),
            ("agreed with this client", client),
        ):
            values |= layer
            origin |= dict.fromkeys(layer, label)
        return Layered(replace(self._default, **values), origin)

    def fingerprint(self) -> str:
        """A hash of every layer: when it differs, everybody is looked at again and what is already true is a list, not notices."""
        if not self._fingerprint:
            decides = self.layers()
            for layer in ("default", "practice"):  # how long things are kept decides nothing about anybody
                decides[layer] = {name: value for name, value in decides[layer].items() if name not in KEEPING}
            text = json.dumps(decides, sort_keys=True)
            self._fingerprint = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        return self._fingerprint
