"""Our own documented CSV forms as data: each column with its meaning, example, other names and parser."""

from integrations.records import cells
from integrations.records.columns import CLIENT_ID, FROM, NAME, THERAPIST_ID, THERAPIST_NAME, TO, UPDATED, Column, Form
from integrations.records.progress_forms import GOALS, HOLDS, SCORES
from integrations.records.referral_forms import PROVIDERS, REFERRAL_NEWS

CLIENTS = Form(
    "clients",
    "client",
    "One row for each client, also for those whose care has ended.",
    (
        Column(
            "id",
            "the client's id in your system, never the name",
            "1042",
            cells.client_id,
            CLIENT_ID,
            required=True,
        ),
        Column("name", "the client's name", "Ágnes Kovács", cells.words, NAME, identity=True),
        Column("first name", "instead of name: the first name", "", cells.words, ("given name",), identity=True),
        Column(
            "last name",
            "instead of name: the last name",
            "",
            cells.words,
            ("surname", "family name"),
            identity=True,
        ),
        Column(
            "code",
            "the client's code, if you assign it yourself: C- and seven or more letters or digits",
            "",
            cells.code,
        ),
        Column(
            "therapist", "id or name of the main therapist, as in the therapists file", "T1", cells.own_id, THERAPIST_ID
        ),
        Column(
            "status",
            "where care stands: intake, active or ended; empty means active, or ended if ended date says so",
            "active",
            cells.client_status,
            ("client status", "state"),
        ),
        Column(
            "intake date",
            "the day of the first contact or referral",
            "2026-01-12",
            cells.day,
            ("intake", "intake on", "referred on", "referral date"),
        ),
        Column(
            "ended date",
            "the day care ended, or yes if it is not known",
            "",
            cells.day_or_yes,
            ("ended", "ended on", "end date", "discharge date", "discharged on", "discharged", "closed on"),
        ),
        Column(
            "died",
            "the day of death, or yes if it is not known",
            "",
            cells.day_or_yes,
            ("deceased", "date of death", "died on", "deceased on"),
        ),
        Column(
            "paused until",
            "the last day of an agreed pause, or yes if it is open",
            "",
            cells.day_or_yes,
            ("paused", "on hold until", "on hold"),
        ),
        Column(
            "opted out",
            "yes if the client wants no messages",
            "no",
            cells.yes_no,
            ("opt out", "no contact", "do not contact"),
        ),
        Column("site", "where the client is seen", "North", cells.words, ("location", "office", "clinic")),
        Column(
            "contact",
            "mail address or telephone number",
            "client@example.org",
            cells.words,
            ("email", "phone", "mobile"),
            identity=True,
        ),
        UPDATED,
    ),
    one_of=(("name", "last name"),),
)

THERAPISTS = Form(
    "therapists",
    "therapist",
    "One row for each therapist.",
    (
        Column(
            "id",
            "the therapist's id, to which the other files refer; without it the name is the id",
            "T1",
            cells.own_id,
            ("therapist id", "clinician id", "practitioner id", "provider id", "staff id"),
        ),
        Column(
            "name",
            "the therapist's name, by which the other files may refer too",
            "Dr Ruth Adler",
            cells.words,
            (*THERAPIST_NAME, "full name"),
            required=True,
        ),
        Column("email", "where alerts go", "adler@example.org", cells.mail_address, ("mail", "email address")),
        Column(
            "zone",
            "IANA time zone; empty means the practice's",
            "Europe/London",
            cells.zone,
            ("time zone", "tz"),
        ),
        Column("site", "where the therapist works", "North", cells.words, ("location", "office", "clinic")),
        Column(
            "supervisor",
            "id or name of the supervising therapist",
            "T2",
            cells.own_id,
            ("supervisor id", "supervised by"),
        ),
        Column(
            "started", "the first working day", "2024-09-01", cells.day, ("started on", "start date", "hired", "joined")
        ),
        UPDATED,
    ),
    signs=THERAPIST_NAME,
    without_id=("name", "two different rows bear the same name"),
)

APPOINTMENTS = Form(
    "appointments",
    "appointment",
    "One row for each appointment, past and to come, cancelled ones too.",
    (
        Column(
            "id",
            "the appointment's id; without it a moved appointment counts as another one",
            "A-20871",
            cells.own_id,
            ("appointment id", "booking id", "event id", "session id", "uid"),
        ),
        Column(
            "client",
            "id or code of the client; several participants separated by semicolons",
            "1042",
            cells.client_ids,
            (*CLIENT_ID, "patient"),
        ),
        Column(
            "client name",
            "instead of client: the name, looked for among that therapist's clients",
            "",
            cells.words,
            NAME[1:],
            identity=True,
        ),
        Column("therapist", "id or name of the therapist, as in the therapists file", "T1", cells.own_id, THERAPIST_ID),
        Column(
            "start",
            "date and time of the beginning, as the clock on the wall shows it, or with Z or an offset",
            "2026-03-14 09:00",
            cells.when,
            (
                "starts at",
                "start at",
                "starts",
                "start date time",
                "appointment start",
                "date time",
                "date and time",
                "begin",
            ),
        ),
        Column(
            "date",
            "instead of start: the day of the appointment",
            "",
            cells.when,
            (
                "appointment date",
                "appointment day",
                "appt date",
                "session date",
                "date of service",
                "service date",
                "start date",
            ),
        ),
        Column(
            "time",
            "with date: the time of day",
            "",
            cells.when,
            ("start time", "appointment time", "appt time", "session time"),
        ),
        Column(
            "end",
            "time of the end, with or without the date",
            "",
            cells.when,
            ("ends at", "end at", "ends", "end time", "appointment end"),
        ),
        Column(
            "minutes",
            "instead of end: the length",
            "50",
            cells.minutes,
            ("duration", "length", "duration minutes", "duration in minutes"),
        ),
        Column(
            "status",
            "a word of the status vocabulary below; empty means booked, with attendance unknown",
            "attended",
            cells.appointment_status,
            ("appointment status", "attendance", "state", "outcome", "appt status"),
        ),
        Column(
            "zone",
            "IANA time zone of the times in this row; empty means the source's",
            "Europe/London",
            cells.zone,
            ("time zone", "tz"),
        ),
        UPDATED,
    ),
    one_of=(("client", "client name"),),
)

BREAKS = Form(
    "breaks",
    "break",
    "One row for each planned break of a client: a holiday, a stay elsewhere.",
    (
        Column("id", "the row's id; without it a row is known by its client and days", "", cells.own_id, ("break id",)),
        Column("client", "id of the client", "1042", cells.client_id, CLIENT_ID, required=True),
        Column("from", "the first day", "2026-07-20", cells.day, FROM, required=True),
        Column("to", "the last day", "2026-08-09", cells.day, TO, required=True),
        UPDATED,
    ),
)

LEAVE = Form(
    "leave",
    "leave",
    "One row for each leave of a therapist.",
    (
        Column(
            "id", "the row's id; without it a row is known by its therapist and days", "", cells.own_id, ("leave id",)
        ),
        Column("therapist", "id or name of the therapist", "T1", cells.own_id, THERAPIST_ID, required=True),
        Column("from", "the first day", "2026-08-03", cells.day, FROM, required=True),
        Column("to", "the last day", "2026-08-21", cells.day, TO, required=True),
        Column(
            "cover",
            "id or name of the therapist who stands in",
            "T2",
            cells.own_id,
            ("cover id", "covered by", "stand in"),
        ),
        UPDATED,
    ),
)

FORMS: dict[str, Form] = {
    form.name: form
    for form in (CLIENTS, THERAPISTS, APPOINTMENTS, BREAKS, LEAVE, GOALS, SCORES, HOLDS, PROVIDERS, REFERRAL_NEWS)
}
