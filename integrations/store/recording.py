"""What looks change about findings, gathered and written together: opened, told again, kept, cleared; who hears of them, and who next."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from integrations.store.one_client import ASKS, OneClient
from integrations.store.recipients import Recipients
from integrations.store.tables import Prepared, insert_rows, table
from models.findings import Became, Finding, FindingHistory, Standing, settle
from models.instants import DAY, FAR, Instant
from models.looking import DigestRow, Looked, Shared
from models.rule import Kind, Rule

_FINDINGS = table(Finding)
_CHANGE_FINDING = Prepared(
    update(_FINDINGS).where(_FINDINGS.c.client_id == bindparam("of_client"), _FINDINGS.c.kind == bindparam("of_kind"))
)


@dataclass(slots=True)
class Changes:
    """How many findings opened (and of which kinds), were already so at first sight, cleared; and how many notices were made."""

    opened: int = 0
    day_one: int = 0
    cleared: int = 0
    notices: int = 0
    kinds: dict[str, int] = field(default_factory=dict)


class Recorder:
    """Writes what a batch of looks changes: a statement for each client would cost a round trip each, so rows are gathered first."""

    def __init__(self, connection: Connection, together: Shared, recipients: Recipients, now: Instant) -> None:
        self.connection = connection
        self.together = together
        self.recipients = recipients
        self.now = now
        self.changes = Changes()
        self.kinds, self.rules = by_kind(together.rules)
        self.said: dict[tuple[int, str], tuple[str, dict[str, Any]]] = {}  # reason and evidence as they stand
        self._new: list[dict[str, Any]] = []
        self._again: dict[
            frozenset[str], list[dict[str, Any]]
        ] = {}  # changes of findings, by which columns they change
        self._history: list[dict[str, Any]] = []
        self._questions: dict[str, int] | None = None  # how many each therapist was asked

    def record(self, row: DigestRow, looked: Looked, standing: dict[str, Standing], already: frozenset[str]) -> Instant:
        """Take up what one look changes about one client; `already` are the kinds that were so before anybody looked. Answers when
        something is to be said next though nothing changes."""
        if not standing and not any(v.fired for v in looked.said):
            return FAR
        policy = self.together.policy(row).policy
        one = OneClient(self, row, policy, standing)
        for kind, before in standing.items():
            if before.cleared_at is None:
                standing[kind] = one.answered(before)
        settled = settle(looked.verdicts, standing, self.now, int(policy.grace_days * DAY), self.kinds)
        one.write(settled, already)
        return one.next_word

    def became(
        self,
        what: Became,
        client: int,
        therapist: str,
        kind: str,
        generation: int,
        opened: str,
        says: tuple[str, Any],
    ) -> None:
        """Keep what becomes of a finding."""
        rule = self.rules[kind]
        self._history.append(
            {
                "client_id": client,
                "therapist_id": therapist,
                "at": self.now,
                "what": what.value,
                "rule": rule.name,
                "kind": kind,
                "rule_version": rule.version,
                "generation": generation,
                "opened": opened,
                "reason": says[0],
                "evidence": says[1],
            }
        )

    def question_for(self, therapist: str) -> int:
        """How many questions a therapist was asked before: each is the next one's number. Read once for a batch."""
        if self._questions is None:
            rows = table(FindingHistory)
            spoke = (rows.c.rule == ASKS) & rows.c.what.in_([Became.opened.value, Became.raised.value])
            asked = select(rows.c.therapist_id, func.count()).where(spoke).group_by(rows.c.therapist_id)
            self._questions = dict(self.connection.execute(asked).tuples().all())
        number = self._questions.get(therapist, 0)
        self._questions[therapist] = number + 1
        return number

    def add(self, client: int, kind: str, values: dict[str, Any]) -> None:
        """A finding that was never there before."""
        self._new.append({"client_id": client, "kind": kind, **values})

    def change(self, client: int, kind: str, values: dict[str, Any]) -> None:
        """Other values for a finding that is there."""
        self._again.setdefault(frozenset(values), []).append({"of_client": client, "of_kind": kind, **values})

    def write(self) -> None:
        """Write all that was gathered."""
        insert_rows(self.connection, Finding, self._new)
        for rows in self._again.values():
            _CHANGE_FINDING.run(self.connection, rows)
        insert_rows(self.connection, FindingHistory, self._history)


@lru_cache(maxsize=8)
def by_kind(rules: tuple[Rule, ...]) -> tuple[dict[str, Kind], dict[str, Rule]]:
    """Kinds by their names, and the rule that each is of."""
    return (
        {name: kind for rule in rules for name, kind in rule.kinds.items()},
        {name: rule for rule in rules for name in rule.kinds},
    )
