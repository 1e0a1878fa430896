"""The forms that tell of referrals: the directory of providers, and what providers told of a referral."""

from integrations.records import cells
from integrations.records.columns import CLIENT_ID, UPDATED, Column, Form

_VERIFIED = ("last verified", "verified on", "last checked", "checked on")
_NEWS = ("referral status", "referral news")
_REFERENCE = ("referral id", "referral reference", "referral ref")

PROVIDERS = Form(
    "providers",
    "provider",
    "One row for each provider to whom clients may be referred. In a column that may hold several words they are separated by semicolons.",
    (
        Column(
            "id",
            "the provider's id, by which referrals name them; without it a row is known by name and place",
            "P1",
            cells.client_id,
            ("provider id", "npi"),
        ),
        Column("name", "the provider's name", "Dr Lena Fischer", cells.words, ("provider name",), True, identity=True),
        Column("place", "town or district", "Leeds", cells.words, ("city", "town", "district"), required=True),
        Column(
            "specialty",
            "what they are known for",
            "trauma; eating disorders",
            cells.several_words,
            ("specialties", "speciality", "specialities"),
        ),
        Column("modality", "how they work", "EMDR", cells.several_words, ("modalities", "approach")),
        Column("language", "the languages they speak", "English; German", cells.several_words, ("languages",)),
        Column("insurer", "the insurers that pay them", "Aetna", cells.several_words, ("insurers", "insurance")),
        Column("telehealth", "yes if they also see clients by video", "yes", cells.yes_no, ("online", "video")),
        Column("address", "postal address", "4 Mill Lane, Leeds", cells.words, ("street address",), identity=True),
        Column("phone", "telephone number", "+44 113 496 0000", cells.words, ("telephone",), identity=True),
        Column("email", "mail address", "", cells.mail_address, ("mail", "email address"), identity=True),
        Column("capacity", "open, waiting (a list) or full; empty where nobody said", "open", cells.capacity),
        Column("verified", "the day on which somebody last checked this row", "2026-02-03", cells.day, _VERIFIED),
        UPDATED,
    ),
    one_of=(("address", "phone", "email"),),
    signs=("specialty", "modality", "capacity", "verified", *_VERIFIED),
    without_id=("name", "two different rows tell of the same provider in the same place"),
)

REFERRAL_NEWS = Form(
    "referral_news",
    "referral",
    "One row for each thing that a provider told of a referral. Rows that are no longer in the file stay known.",
    (
        Column("id", "the row's id; without it a row is known by all it says", "", cells.own_id, ("news id",)),
        Column("client", "id or code of the client", "C-7F3K9QX", cells.client_id, CLIENT_ID, required=True),
        Column(
            "referral",
            "the referral's reference, as `tending referrals` and the letter show it",
            "R-4MZ81K",
            cells.client_id,
            _REFERENCE,
            required=True,
        ),
        Column("provider", "the provider's id, as in the providers file", "P1", cells.client_id, ("provider id",)),
        Column("news", "what was told, a word from the list below", "booked", cells.news, _NEWS, required=True),
        Column("told", "the day on which it was told", "2026-03-16", cells.day, ("told on", "date"), required=True),
        Column(
            "visit", "with booked or seen: the day of the visit", "2026-03-24", cells.day, ("visit on", "visit date")
        ),
        UPDATED,
    ),
    signs=("news", *_NEWS, *_REFERENCE),
    without_id=("news", "two different rows tell the same"),
)
