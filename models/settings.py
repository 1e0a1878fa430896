"""What practice.toml may say: the practice, its store, sources, mail, policy. Parsing and ranges only; nothing is opened here."""

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator

from models.errors import SettingsError
from models.policy_layers import PolicyBook
from models.settings_source import Name, Part, SourcePart, known_zone

LOOPBACK = ("localhost", "127.0.0.1", "::1")
OWN_SOURCE = "desk"  # of what people answer


class PracticePart(Part):
    """[practice]: who we are, and where our data lie."""

    name: str = Field(min_length=1, max_length=60, description="A neutral name: it stands in subject lines.")
    zone: str = Field(description="IANA time zone of the practice, such as Europe/Berlin.")
    locale: Literal["en_GB", "en_US"] = Field(default="en_GB", description="How dates and lists are written.")
    holidays: str = Field(
        default="", description="Public holidays that do not count: country or country-subdivision, DE or DE-BE."
    )
    data: str = Field(
        default="data", description="Folder for databases, logs and the installation token, relative to this file."
    )

    ethics: Literal["apa", "aca", "aamft", "nasw"] = Field(
        default="apa",
        description="The code of ethics whose text is quoted about personal relationships: APA, ACA, AAMFT or NASW; see ethics.md.",
    )
    ethics_text: str = Field(
        default="",
        max_length=600,
        description="What is quoted about former clients in place of that code's text, in your own words; it is shown and"
        " never reckoned with.",
    )

    _zone = field_validator("zone")(known_zone)

    @field_validator("name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("it has to stand in one line, without signs that nobody sees")
        return value


class StorePart(Part):
    """[store]: the database and the keys."""

    url: str = Field(default="", description="Empty: SQLite in the data folder. Else postgresql://user@host/name.")
    key_file: str = Field(
        default="keys", description="File of mode 0600 with the keys; the environment's TENDING_KEYS wins."
    )


class MailPart(Part):
    """[mail]: how alerts leave."""

    host: str = Field(default="localhost", description="Name or address of the mail server.")
    port: int = Field(default=25, ge=1, le=65535, description="Its port: usually 25, 587 with starttls, 465 with tls.")
    security: Literal["none", "starttls", "tls"] = Field(
        default="none", description="How the connection is protected; none only for a server on this machine."
    )
    user: str = Field(default="", description="The login's name; empty: no login.")
    password_env: str = Field(
        default="TENDING_MAIL_PASSWORD", description="Environment variable that holds the password."
    )
    sender: str = Field(description="Address that alerts come from.")


class AdminPart(Part):
    """[admin]: who hears that the practice runs, or does not."""

    email: str = Field(description="The administrator's mail address.")
    channels: tuple[str, ...] = Field(default=(), description="Names of [[channel]]s that also tell the administrator.")

    @field_validator("email")
    @classmethod
    def _one_address(cls, value: str) -> str:
        if not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+", value):
            raise ValueError("this is not one mail address; write one such as office@example.org")
        return value


class ChannelPart(Part):
    """[[channel]]: another way to reach somebody, as an Apprise address kept in the environment."""

    name: Name = Field(description="A short name of your own: small letters, digits, hyphens.")
    url_env: str = Field(description="Environment variable that holds the Apprise address.")
    therapist: str = Field(default="", description="Whose channel it is; empty: the administrator's.")


class PrefectPart(Part):
    """[prefect]: the server that Tending starts itself, unless PREFECT_API_URL is set."""

    port: int = Field(
        default=4200,
        ge=1024,
        le=65535,
        description="Where its pages are looked for first; a taken port is stepped around.",
    )
    sweep_cron: str = Field(default="*/15 * * * *", description="When clients who fell due are looked at.")
    nightly_cron: str = Field(
        default="15 2 * * *", description="When everybody is looked at from scratch and compared."
    )
    weekly_cron: str = Field(default="0 7 * * 1", description="When the weekly line and lists are written.")
    referral_cron: str = Field(default="45 7 * * *", description="When what became of referrals is asked and shown.")
    sync_cron: str = Field(
        default="0 * * * *", description="When all sources are read, besides each one's every_minutes."
    )
    endings_cron: str = Field(
        default="30 6 * * *", description="When endings are looked at, and shown by code, stage and next step."
    )
    deliver_cron: str = Field(default="*/5 * * * *", description="When what is due is sent, besides at once.")


class DeskPart(Part):
    """[desk]: the pages on which therapists say what happened; `tending up` serves them while this table is there."""

    public_url: str = Field(
        default="",
        description="Address under which people reach the desk, such as https://desk.example.org; needed before links are"
        " mailed. https, but on this machine itself.",
    )
    port: int = Field(
        default=4280,
        ge=1024,
        le=65535,
        description="Where it listens on this machine (127.0.0.1), for the web server in front; a taken port is refused.",
    )
    label: Literal["code", "initials", "name"] = Field(
        default="code",
        description="What stands on the cards of somebody who is signed in; a link alone shows the code.",
    )

    @field_validator("public_url")
    @classmethod
    def _safe(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("public_url is an address without a path, such as https://desk.example.org")
        if "@" in parts.netloc or parts.fragment:
            raise ValueError(
                "public_url is an address without a name, a password or a #, such as https://desk.example.org"
            )
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("public_url has to begin with https://: what is answered there concerns clients")
        return value.rstrip("/")


class WatchdogPart(Part):
    """[watchdog]: who outside is told that all is well, so that silence is noticed."""

    url_env: str = Field(
        default="TENDING_WATCHDOG_URL", description="Environment variable with an address to call after good runs."
    )


class SafetyPart(Part):
    """[safety]: what stands in a notice about a result that asks for safety. Tending gives no clinical advice, and is no crisis service."""

    protocol: str = Field(
        default="",
        max_length=500,
        description="Your own protocol in a sentence or two, or where it lies; it stands in every safety notice.",
    )


class InvitationsPart(Part):
    """[invitations]: what stands in an appointment that is put into somebody's calendar. Say nothing in it that tells of therapy."""

    title: str = Field(
        default="Appointment",
        min_length=1,
        max_length=60,
        description="What the calendar shows; in a therapist's the client's code stands behind it.",
    )
    place: str = Field(
        default="", max_length=100, description="Where it takes place, the same for all; empty: not said."
    )
    phone: str = Field(
        default="",
        max_length=40,
        description="The telephone number by which clients reach you about an appointment; empty: not said.",
    )
    minutes: int = Field(default=50, ge=5, le=480, description="How long an appointment lasts, unless said otherwise.")
    remind_minutes: int = Field(
        default=15, ge=0, le=2880, description="So many minutes before it the calendar reminds; 0: it does not."
    )


class EndingsPart(Part):
    """[endings]: what stands in the drafts of closing letters. A person reads and changes each of them; none is sent by Tending."""

    crisis: tuple[str, ...] = Field(
        default=(), description="Whom to call in need, one line each, with the telephone number."
    )
    referrals: tuple[str, ...] = Field(
        default=(), description="Places to go, one line each, with address and telephone; three or more are offered."
    )
    forms: str = Field(
        default="",
        description="Folder with letter forms of your own, closing.txt and out_of_contact.txt; empty: ours, in"
        " integrations/letter_forms.",
    )


class Settings(Part):
    """All of practice.toml."""

    practice: PracticePart
    store: StorePart = StorePart()
    source: tuple[SourcePart, ...] = ()
    mail: MailPart | None = None
    admin: AdminPart | None = None
    channel: tuple[ChannelPart, ...] = ()
    prefect: PrefectPart = PrefectPart()
    watchdog: WatchdogPart = WatchdogPart()
    safety: SafetyPart = SafetyPart()
    endings: EndingsPart = EndingsPart()
    desk: DeskPart | None = None
    invitations: InvitationsPart = InvitationsPart()
    policy: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_once(self) -> "Settings":
        for kind, names in (("source", [s.name for s in self.source]), ("channel", [c.name for c in self.channel])):
            twice = {n for n in names if names.count(n) > 1}
            if twice:
                raise ValueError(f"two [[{kind}]]s are called {sorted(twice)[0]}; every name once")
        if any(s.name == OWN_SOURCE for s in self.source):
            raise ValueError(f"no [[source]] may be called {OWN_SOURCE}: what people answer is kept under that name")
        return self

    def source_named(self, name: str) -> SourcePart:
        """The source of that name. Raises SettingsError listing those there are."""
        for source in self.source:
            if source.name == name:
                return source
        there = ", ".join(s.name for s in self.source) or "none"
        # What was typed is not repeated: it may be somebody's name.
        raise SettingsError(f"There is no source of that name; there are: {there}.")

    def policy_book(self, client_ids: Mapping[str, int] | None = None) -> PolicyBook:
        """All layers of the policy; `client_ids` maps codes to ids for [policy.client]. Raises SettingsError for a value out of range."""
        layers = {k: v for k, v in self.policy.items() if isinstance(v, dict)}
        unknown = sorted(layers.keys() - {"site", "new", "therapist", "client"})
        if unknown:
            raise SettingsError(
                f"policy: there is no layer {unknown[0]}; the layers are site, new, therapist and client."
            )
        plain = {k: v for k, v in self.policy.items() if not isinstance(v, dict)}
        return PolicyBook(
            plain, layers.get("site"), layers.get("therapist"), layers.get("client"), client_ids, layers.get("new")
        )


def settings_from(data: Mapping[str, Any], place: str) -> Settings:
    """Checked settings. Raises SettingsError with one line for each thing that does not fit, naming where it stands."""
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_url=False, include_input=False):
            where = ".".join(str(step + 1) if isinstance(step, int) else step for step in problem["loc"]) or "file"
            what = (
                "is not a setting"
                if problem["type"] == "extra_forbidden"
                else "is missing; write it"
                if problem["type"] == "missing"
                else problem["msg"].removeprefix("Value error, ").replace("Input should", "it should")
            )
            lines.append(f"{place}: {where}: {what}")
        raise SettingsError("\n".join(lines)) from None
    settings.policy_book()
    return settings
