"""What a user would write instead: raw rows of appointments, and SQL that reads the rules' facts from them."""

from typing import Any

from benchmarks.clients import raw_rows
from benchmarks.practices import driver_connection, tidy
from integrations.practice import Practice
from integrations.store.tables import chunks
from models.instants import Instant

KEYS = ("client", "last_seen", "usual", "next_booked", "last_mark", "mark_before")

# As a record system keeps them: one row per appointment in the order in which they took place, and an index for this question.
COLUMNS = (
    "client BIGINT NOT NULL, therapist INTEGER NOT NULL, start BIGINT NOT NULL, until BIGINT NOT NULL,"
    " mark SMALLINT NOT NULL, booked SMALLINT NOT NULL"
)
INDEX = "CREATE INDEX raw_by_client ON raw_appointment (client, start)"

# One pass in the order of the key; every window has the same partition and order, so that nothing is sorted twice.
WINDOWS_SQLITE = """
WITH marked AS (
    SELECT client, start, mark, booked, start <= :now AS past,
        CASE WHEN start <= :now AND mark IN (1, 2) THEN 1 END AS came,
        CASE WHEN start <= :now AND mark > 0 THEN 1 END AS known
    FROM raw_appointment
),
counted AS (
    SELECT client, start, mark, booked, past, came, known,
        sum(came) OVER newest AS nth_came, sum(known) OVER newest AS nth_known
    FROM marked
    WINDOW newest AS (PARTITION BY client ORDER BY start DESC ROWS UNBOUNDED PRECEDING)
),
gap AS (
    SELECT client, lag(start) OVER w - start AS gap FROM counted WHERE came = 1 AND nth_came <= 7
    WINDOW w AS (PARTITION BY client ORDER BY start DESC)
),
ranked AS (
    SELECT client, gap, row_number() OVER (PARTITION BY client ORDER BY gap) AS nth,
        count(*) OVER (PARTITION BY client) AS many
    FROM gap WHERE gap IS NOT NULL
),
usual AS (
    SELECT client, avg(gap) AS usual FROM ranked WHERE nth IN ((many + 1) / 2, (many + 2) / 2) GROUP BY client
)
SELECT c.client,
    max(CASE WHEN past AND mark <> 3 THEN start END),
    max(u.usual),
    min(CASE WHEN NOT past AND booked = 1 THEN start END),
    max(CASE WHEN known = 1 AND nth_known = 1 THEN mark END),
    max(CASE WHEN known = 1 AND nth_known = 2 THEN mark END)
FROM counted c LEFT JOIN usual u ON u.client = c.client
GROUP BY c.client ORDER BY c.client
"""

# A few steps on the key's index for each client instead of a pass over everything.
STEPS_SQLITE = """
SELECT c.id,
    (SELECT start FROM raw_appointment r WHERE r.client = c.id AND start <= :now AND mark <> 3
        ORDER BY start DESC LIMIT 1),
    (SELECT avg(gap) FROM (
        SELECT gap, row_number() OVER (ORDER BY gap) AS nth, count(*) OVER () AS many FROM (
            SELECT lag(start) OVER (ORDER BY start DESC) - start AS gap FROM (
                SELECT start FROM raw_appointment r WHERE r.client = c.id AND start <= :now AND mark IN (1, 2)
                ORDER BY start DESC LIMIT 7))
        WHERE gap IS NOT NULL)
        WHERE nth IN ((many + 1) / 2, (many + 2) / 2)),
    (SELECT start FROM raw_appointment r WHERE r.client = c.id AND start > :now AND booked = 1
        ORDER BY start LIMIT 1),
    (SELECT mark FROM raw_appointment r WHERE r.client = c.id AND start <= :now AND mark > 0
        ORDER BY start DESC LIMIT 1),
    (SELECT mark FROM raw_appointment r WHERE r.client = c.id AND start <= :now AND mark > 0
        ORDER BY start DESC LIMIT 1 OFFSET 1)
FROM client c ORDER BY c.id
"""

# PostgreSQL has arrays and ordered-set aggregates.
ARRAYS_POSTGRESQL = """
WITH folded AS (
    SELECT client,
        max(start) FILTER (WHERE start <= :now AND mark <> 3) AS last_seen,
        min(start) FILTER (WHERE start > :now AND booked = 1) AS next_booked,
        (array_agg(start ORDER BY start DESC) FILTER (WHERE start <= :now AND mark IN (1, 2)))[1:7] AS came,
        (array_agg(mark ORDER BY start DESC) FILTER (WHERE start <= :now AND mark > 0))[1:2] AS marks
    FROM raw_appointment GROUP BY client
)
SELECT client, last_seen,
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY came[i] - came[i + 1])
        FROM generate_series(1, cardinality(came) - 1) AS i),
    next_booked, marks[1], marks[2]
FROM folded ORDER BY client
"""

STEPS_POSTGRESQL = """
SELECT c.id,
    (SELECT start FROM raw_appointment r WHERE r.client = c.id AND start <= :now AND mark <> 3
        ORDER BY start DESC LIMIT 1),
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) FROM (
        SELECT lag(start) OVER (ORDER BY start DESC) - start AS gap FROM (
            SELECT start FROM raw_appointment r WHERE r.client = c.id AND start <= :now AND mark IN (1, 2)
            ORDER BY start DESC LIMIT 7) seven) gaps),
    (SELECT start FROM raw_appointment r WHERE r.client = c.id AND start > :now AND booked = 1
        ORDER BY start LIMIT 1),
    marks[1], marks[2]
FROM client c, LATERAL (SELECT array(SELECT mark FROM raw_appointment r WHERE r.client = c.id AND start <= :now
    AND mark > 0 ORDER BY start DESC LIMIT 2) AS marks) AS two
ORDER BY c.id
"""

FORMS = {
    "sqlite": {"windows": WINDOWS_SQLITE, "steps": STEPS_SQLITE},
    "postgresql": {"arrays": ARRAYS_POSTGRESQL, "steps": STEPS_POSTGRESQL},
}


def keep_raw(practice: Practice, clients: int, now: Instant) -> None:
    """Write the raw rows that the digests came from."""
    raw: Any = driver_connection(practice)
    rows = raw_rows(range(1, clients + 1), now)
    sqlite = practice.store.dialect == "sqlite"
    raw.execute("CREATE TEMPORARY TABLE unsorted (client BIGINT, start BIGINT, mark SMALLINT, booked SMALLINT)")
    number = "id INTEGER PRIMARY KEY" if sqlite else "id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    raw.execute(f"CREATE TABLE raw_appointment ({number}, {COLUMNS})")
    if sqlite:
        raw.execute("BEGIN")
        for part in chunks(rows, 10_000):
            raw.executemany("INSERT INTO unsorted VALUES (?, ?, ?, ?)", part)
    else:
        with raw.cursor().copy("COPY unsorted FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    raw.execute(
        "INSERT INTO raw_appointment (client, therapist, start, until, mark, booked)"
        " SELECT client, client % 40, start, start + 3000, mark, booked FROM unsorted ORDER BY start"
    )
    raw.execute(INDEX)
    raw.execute("COMMIT")
    raw.close()
    tidy(practice)
