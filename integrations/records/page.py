"""The documented form as a page: rendered from the forms themselves, so that docs/forms.md cannot say anything else."""

import csv
import io
from collections.abc import Iterable

from integrations.records.columns import Form
from integrations.records.forms import FORMS
from integrations.records.look_alikes import LOOK_ALIKES
from integrations.records.vocabularies import (
    ACHIEVEMENT_WORDS,
    CAPACITY_WORDS,
    CLIENT_WORDS,
    GOAL_WORDS,
    NEWS_WORDS,
    VOCABULARIES,
    Status,
)
from models.directory import CAPACITY
from models.entries import Attendance, CancelledBy, Plan
from models.measures import REGISTRY
from models.referral_table import WORDS

_INTRO = """\
# CSV files that Tending reads

Ten files in one folder, each with a header row. Only those you have are needed. Columns may stand in any order, and
capitals, spaces and underscores in their names do not matter. A column that is not listed here is left at the border
and only counted; notes of sessions are never read.

If your system names a column differently, say so in `practice.toml` under `columns`. Names listed under *also read as*
are understood without that. To leave a column unread, give it an empty name.

A file that has another name stands in `practice.toml` under `files`; an empty name there leaves it unread. Files that `files`
does not name are read under the names below, also those that come later; `tending check` names every other CSV file beside
them, since nothing reads it.

- **Encoding**: UTF-8, UTF-16 or Windows-1252. **Separator**: comma, semicolon, tab or `|`. Both are found out.
- **Dates**: `2026-03-14` is always understood. `14/03/2026` and `03/14/2026` are told apart by the other dates in the
  files; where they cannot be, you are asked to set `date_order` to `dmy` or `mdy`.
- **Times** are as the clock on the wall shows them, in the source's zone, unless they end in `Z` or an offset such as
  `+02:00`.
- **Ids** have to be the same in every export. Spreadsheets turn long numbers into `2.98725E+13`; such ids are refused,
  since what they stood for is lost. Format the column as text.
- **One bad row never stops the rest**: it is kept in quarantine with its file, row and reason. Row numbers are those a
  spreadsheet shows.
- **A row that is there twice** is read once. Two different rows with one id are both put aside.
- **What is missing**: a future appointment, break, leave, goal, time on a waiting list or provider that was in the last export
  and is not in this one counts as gone, unless the file does not even have a header, or a quotation mark in it is out of
  place. While the id of some row of that file could not be read, any of what is missing may be that row: nothing is
  concluded until the row is corrected or discarded.
  Where more than a few future appointments, goals, breaks or times on a waiting list are missing at once, nothing is concluded
  before a person has spoken: `tending held SOURCE`. Clients, therapists, scores and news of referrals stay: that care has ended
  has to be said. Where more than half of the clients are missing, `tending sync` and `tending check` ask whether the export
  was whole.
"""


_SYSTEMS = """\
## From your system

`tending init --from FOLDER` finds most of this out by itself, and lists what it leaves out. What we know of each system is
second-hand: we have seen no real export of either. Compare yours.

**Without ids.** A client needs an id that never changes, and a report of names has none. Keep one spreadsheet of all
clients with a column `id` that you number yourself (1, 2, 3; a number is never given twice), beside `name` and `therapist`,
and save it as `clients.csv`; a new client is a new row. Appointments may then come from a report of names: its column is
read as `client name`, and found among that therapist's clients. Two clients of one therapist with one name are not told
apart; such appointments are listed by `tending unmatched`. Goals, scores, breaks and waits need the id. Therapists may be
given by name in every file; without ids of therapists, the name is the id.

**SimplePractice** has reports as CSV. Its report of appointments has been shown to us with the columns *Client, Client type,
Date added, Primary clinician, Start time, End time, Minutes, Status*, and others that are left out. *Date added* is the day
the row was added, not that of the appointment, so a report with times alone cannot be read: choose one that has the day of
the appointment. *Show* stands on every row that nobody has touched, and is believed after `trust_attendance_after_days`.

```toml
statuses = "simplepractice"

[source.columns.appointments]
"client name" = "Client"
client = ""
therapist = "Primary clinician"
```

**Jane** says *arrived*, *no show* and *cancelled*. Clinics often mark a late cancellation as no show, and delete an early
one: what is deleted is missing from the next export and counts as gone. *Staff Member* is read as the therapist, and
*Discharged* (a day, or yes) as the end of care where no column says otherwise.

```toml
statuses = "jane"

[source.columns.appointments]
therapist = "Staff Member"
```
"""


def forms_page() -> str:
    """All of docs/forms.md."""
    parts = [_INTRO, _SYSTEMS]
    parts += [_form(form) for form in FORMS.values()]
    parts += [_statuses(), _goal_words(), _referral_words(), _measures()]
    return "\n".join(parts)


def example(form: Form) -> str:
    """The form's example as CSV text: header and one row, of the columns that have an example."""
    shown = [column for column in form.columns if column.example]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in shown])
    writer.writerow([column.example for column in shown])
    return out.getvalue()


def _form(form: Form) -> str:
    lines = [
        f"## {form.file}",
        "",
        form.meaning,
        "",
        "| column | needed | what it holds | also read as |",
        "|---|---|---|---|",
    ]
    groups = {name: group for group in form.one_of for name in group}
    for column in form.columns:
        if column.required:
            needed = "yes"
        elif column.name in groups:
            needed = f"one of {', '.join(groups[column.name])}"
        else:
            needed = ""
        what = column.meaning + (" *(identity: encrypted)*" if column.identity else "")
        what += " *(only whether it is filled in is kept)*" if column.only_whether else ""
        lines.append(f"| `{column.name}` | {needed} | {what} | {', '.join(column.synonyms)} |")
    if form.name == "appointments":
        lines += [
            "",
            "One of start, date or time has to hold the day. These columns never do and are refused:",
            "",
        ]
        lines += ["| column | because it is |", "|---|---|"]
        lines += [f"| {_shown(names)} | {why} |" for why, names in _by_reason().items()]
    return "\n".join([*lines, "", "```csv", example(form).rstrip("\n"), "```", ""])


def _by_reason() -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for name, why in LOOK_ALIKES.items():
        reasons.setdefault(why, []).append(name)
    return reasons


def _shown(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _statuses() -> str:
    lines = [
        "## Status words",
        "",
        "Set `statuses` to the vocabulary of your system, and add words of your own under `status_words`. Capitals and",
        "hyphens do not matter. Nothing that lies ahead is ever read as attended or missed.",
        "",
        "| vocabulary | word | read as |",
        "|---|---|---|",
    ]
    for name, words in VOCABULARIES.items():
        lines += [f"| `{name}` | {word} | {_meaning(status)} |" for word, status in words.items()]
    lines += ["", "For clients, with more under `client_status_words`:", "", "| word | read as |", "|---|---|"]
    lines += [f"| {word} | {status.value} |" for word, status in CLIENT_WORDS.items()]
    return "\n".join([*lines, ""])


def _goal_words() -> str:
    lines = ["## Words of goals", "", "| column | word | read as |", "|---|---|---|"]
    lines += [f"| `status` | {word} | {status.value} |" for word, status in GOAL_WORDS.items()]
    lines += [f"| `achievement` | {word} | {found.value} |" for word, found in ACHIEVEMENT_WORDS.items()]
    return "\n".join([*lines, ""])


def _referral_words() -> str:
    lines = ["## Words of providers and referrals", "", "| file | column | word | read as |", "|---|---|---|---|"]
    lines += [
        f"| `providers.csv` | `capacity` | {word} | {CAPACITY[found]} |" for word, found in CAPACITY_WORDS.items()
    ]
    meant = {word: meaning for word, (_, _, meaning) in WORDS.items()}
    lines += [f"| `referral_news.csv` | `news` | {word} | {meant[found]} |" for word, found in NEWS_WORDS.items()]
    return "\n".join([*lines, ""])


def _measures() -> str:
    lines = [
        "## Measures",
        "",
        "A score of a measure that is not listed here, or outside of its range, is put aside. Capitals and hyphens do not",
        "matter. A measure that exists in several codings is read in the one shown.",
        "",
        "| measure | what it is | scores | also read as | `risk` |",
        "|---|---|---|---|---|",
    ]
    for one in REGISTRY.values():
        scores = f"{one.low:g} to {one.high:g}: {one.coding}"
        risk = "" if one.risk is None else "yes or no" if one.is_screen else f"0 to {one.risk}"
        lines.append(f"| {one.name} | {one.title} | {scores} | {', '.join(one.other_names)} | {risk} |")
    return "\n".join([*lines, ""])


def _meaning(status: Status) -> str:
    if status.presumed:
        return "attended, but unknown until `trust_attendance_after_days` have passed: the system writes it by itself"
    if status.plan is Plan.cancelled:
        by = "" if status.cancelled_by in (None, CancelledBy.unknown) else f" by the {status.cancelled_by.value}"
        return f"cancelled{by}"
    if status.plan is Plan.proposed:
        return "proposed, not booked"
    return {
        Attendance.attended: "attended",
        Attendance.no_show: "missed",
        Attendance.unknown: "booked, attendance unknown",
    }[status.attendance]
