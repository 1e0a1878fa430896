"""One client's findings while a look is recorded: what was answered, opens, speaks again, stays and clears, and who hears of it next."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from integrations.store import telling
from integrations.store.tables import insert_new, table
from models.answers import Reply
from models.findings import Became, FindingHistory, Opened, Settled, Standing
from models.instants import DAY, FAR, Instant
from models.looking import DigestRow
from models.notices import Notice
from models.noticing import TO_SUPERVISOR, finding_notice, next_step, therapist_recipient
from models.policy import Policy
from models.rule import Facts, Kind, Verdict
from models.told import REPLIES, Answered, number_of, unpacked

if TYPE_CHECKING:
    from integrations.store.recording import Recorder

ASKS = "trust"  # the rule whose prompts ask a question
DONE, ENDING = REPLIES.index(Reply.done), REPLIES.index(Reply.ending)


class OneClient:
    """One client's findings while they are recorded."""

    def __init__(self, recorder: "Recorder", row: DigestRow, policy: Policy, standing: dict[str, Standing]) -> None:
        self._recorder = recorder
        self._client, self._therapist = row[0], row[1]
        self._policy = policy
        self._standing = standing
        self._recipient = therapist_recipient(self._therapist)
        self._now = recorder.now
        self._answers: dict[int, Answered] = {a.kind: a for a in unpacked(row[-1]).by(self._now).answers}
        self._endings = unpacked(row[-1]).endings
        self.next_word = min((self._speaks(s) for s in standing.values()), default=FAR)

    def _speaks(self, standing: Standing) -> Instant:
        if standing.cleared_at is not None:
            return FAR
        return min((at for at in (standing.speaks_at, standing.climbs_at) if at is not None), default=FAR)

    # -------------------------------------------------------- answers

    def answered(self, before: Standing) -> Standing:
        """The finding with what was answered to it since, or with that taken back."""
        last = self._answers.get(number_of(before.kind))
        at = last.at if last is not None else None
        if at == before.answered_at or (at is not None and before.answered_at is None and at < before.opened_at):
            return before
        says = self._recorder.said[self._client, before.kind]
        rule, kind = self._recorder.rules[before.kind].name, self._recorder.kinds[before.kind]
        newer = last is not None and (before.answered_at is None or last.at > before.answered_at)
        if last is not None and (newer or self._stands(last, before)):
            speaks_at = self._rests_until(last, kind, says[1]["facts"])
            values: dict[str, Any] = {"answered": True, "answered_at": at, "speaks_at": speaks_at, "climbs_at": None}
            what = Became.answered
        else:
            what = Became.unanswered
            telling.wait_again(self._recorder.connection, self._client, f"{rule}.{before.kind}", before.generation)
            climbs = self._climbs_from(0, kind, self._now) if before.told_to else None
            values = {"answered": False, "answered_at": at, "speaks_at": None, "climbs_at": climbs}
        self._became(what, before.kind, before.generation, before.opened, says)
        self._recorder.change(self._client, before.kind, {**values, "heard": says[1]["facts"]})
        after = before._replace(**values, heard=says[1]["facts"])
        self.next_word = min(self.next_word, self._speaks(after))
        return after

    def _stands(self, last: Answered, before: Standing) -> bool:
        """Whether an older answer holds once a newer one was taken back: it was about this, told no later, and its day has not come."""
        rows = table(FindingHistory)
        spoke = select(func.max(rows.c.at)).where(
            rows.c.client_id == self._client,
            rows.c.kind == before.kind,
            rows.c.what.in_([Became.opened.value, Became.raised.value]),
        )
        spoke_at = self._recorder.connection.execute(spoke).scalar() or before.opened_at
        return last.at >= spoke_at and last.until > self._now

    def _rests_until(self, last: Answered, kind: Kind, facts: Facts) -> Instant | None:
        """When something that was answered speaks by itself again, if it is still so: on the day that was named; what asks for safety on no
        other day; a weekly list asks each week."""
        if last.until < FAR:
            return last.until
        if kind.speaks != "notice":
            return None
        longest = int(self._policy.answer_rests_days * DAY)
        own = kind.rests(facts) if last.reply == DONE and kind.rests is not None else longest
        return last.at + min(own, longest)

    # -------------------------------------------------------- what changes

    def write(self, settled: Settled, already: frozenset[str]) -> None:
        """Take up what settling came to."""
        for verdict, generation in settled.opened:
            self._open(verdict, generation, already)
        for verdict, generation in settled.raised:
            self._raise(verdict, generation)
        for verdict in settled.kept:
            self._keep(verdict)
        for kind in settled.cleared:
            before = self._standing[kind]
            says = self._recorder.said[self._client, kind]
            self._became(Became.cleared, kind, before.generation, before.opened, says)
            gone = {"cleared_at": self._now, "speaks_at": None, "climbs_at": None, "answered": False}
            self._recorder.change(self._client, kind, gone)
            self._recorder.changes.cleared += 1

    def _became(self, what: Became, kind: str, generation: int, opened: str, says: tuple[str, Any]) -> None:
        self._recorder.became(what, self._client, self._therapist, kind, generation, opened, says)

    def _notice(self, verdict: Verdict, generation: int, step: int = 0, recipient: str = "") -> dict[str, Any]:
        rule, kind = self._recorder.rules[verdict.kind].name, self._recorder.kinds[verdict.kind]
        to = recipient or self._recipient
        hours = self._recorder.recipients.hours(to.partition(":")[2], self._policy)
        return finding_notice(
            self._client, rule, kind, verdict, generation, to, self._policy, hours, self._now, step=step
        )

    def _open(self, verdict: Verdict, generation: int, already: frozenset[str]) -> None:
        recorder, client, now = self._recorder, self._client, self._now
        rule, kind = recorder.rules[verdict.kind], recorder.kinds[verdict.kind]
        before = self._standing.get(verdict.kind)
        told_to, speaks_at, climbs_at = before.told_to if before else "", None, None
        # What asks for safety is news at first sight too, unless it was old already.
        sorted_first = verdict.kind in already and (kind.old is None or kind.old(verdict.facts))
        if not sorted_first and kind.speaks != "weekly_list":
            notice = self._notice(verdict, generation)
            made = insert_new(recorder.connection, Notice, notice) or telling.again(recorder.connection, notice)
            recorder.changes.notices += made
            if made or telling.waits(recorder.connection, notice):
                told_to, climbs_at = self._recipient, self._climbs_from(0, kind, notice["not_before"])
            else:  # back within its grace time, and told before: once it has stayed for as long it is told again
                speaks_at = now + int(self._policy.grace_days * DAY)
        evidence = self._evidence(verdict)
        values: dict[str, Any] = {
            "rule": rule.name,
            "rule_version": rule.version,
            "generation": generation,
            "opened": (Opened.day_one if sorted_first else Opened.noticed).value,
            "opened_at": now,
            "cleared_at": None,
            "reason": verdict.reason,
            "evidence": evidence,
            "speaks_at": speaks_at,
            "told_to": told_to,
            "heard": list(verdict.facts),
            "step": 0,
            "climbs_at": climbs_at,
            "answered": False,
            "answered_at": None,
        }
        self._say_by(speaks_at, climbs_at)
        if before:
            recorder.change(client, verdict.kind, values)
        else:
            recorder.add(client, verdict.kind, values)
        self._became(Became.opened, verdict.kind, generation, values["opened"], (verdict.reason, evidence))
        recorder.changes.opened += 1
        recorder.changes.day_one += sorted_first
        recorder.changes.kinds[verdict.kind] = recorder.changes.kinds.get(verdict.kind, 0) + 1

    def _raise(self, verdict: Verdict, generation: int) -> None:
        """It was open all the time and is told again: it stayed after coming back, got worse, or a reminder was asked for."""
        recorder, client = self._recorder, self._client
        before = self._standing[verdict.kind]
        kind = recorder.kinds[verdict.kind]
        notice = self._notice(verdict, generation)
        recorder.changes.notices += insert_new(recorder.connection, Notice, notice)
        evidence = self._evidence(verdict)
        if before.answered:
            evidence["again"] = [self._why_again(before), before.answered_at]
        climbs_at = self._climbs_from(0, kind, notice["not_before"])
        self._say_by(climbs_at)
        # What is told to somebody is on no list to sort any more.
        opened = Opened.noticed.value
        self._became(Became.raised, verdict.kind, generation, opened, (verdict.reason, evidence))
        recorder.change(
            client,
            verdict.kind,
            {
                "generation": generation,
                "opened": opened,
                "reason": verdict.reason,
                "evidence": evidence,
                "speaks_at": None,
                "told_to": self._recipient,
                "heard": list(verdict.facts),
                "step": 0,
                "climbs_at": climbs_at,
                "answered": False,
            },
        )

    def _why_again(self, before: Standing) -> str:
        last = self._answers.get(number_of(before.kind))
        if last is None or before.speaks_at is None or before.speaks_at > self._now:
            return "changed"
        if last.reply == ENDING and not any(ending.started_at >= last.at - DAY for ending in self._endings):
            return "no_ending"
        return "still" if last.until >= FAR else "until"

    def _keep(self, verdict: Verdict) -> None:
        recorder, client = self._recorder, self._client
        before = self._standing[verdict.kind]
        reason, stood = recorder.said.get((client, verdict.kind), ("", {}))
        evidence = {**stood, "facts": list(verdict.facts)}
        to, speaks_at = before.told_to, before.speaks_at
        changed: dict[str, Any] = {}
        if to not in ("", self._recipient):
            kind = recorder.kinds[verdict.kind]
            # What was answered speaks on its day, to whoever has the client then; of a risk they hear at once, whatever was answered.
            told_anew = not before.answered or kind.speaks == "safety"
            notice = self._notice(verdict, before.generation)
            made = telling.hand_on(recorder.connection, notice, to, told_anew=told_anew)
            recorder.changes.notices += made
            to, speaks_at = self._recipient, before.speaks_at if before.answered else None
            if made and before.answered:
                says = (verdict.reason, evidence)
                self._became(Became.unanswered, verdict.kind, before.generation, before.opened, says)
                changed = {"answered": False, "climbs_at": self._climbs_from(0, kind, self._now)}
                self._say_by(changed["climbs_at"])
        if before.climbs_at is not None and before.climbs_at <= self._now:
            changed = self._climb(verdict, before)
        other = (verdict.reason, evidence) != (reason, stood)
        if other:
            says = (verdict.reason, evidence)
            self._became(Became.said, verdict.kind, before.generation, before.opened, says)
        if other or to != before.told_to:
            changed |= {"reason": verdict.reason, "evidence": evidence, "speaks_at": speaks_at, "told_to": to}
        if changed:
            recorder.change(client, verdict.kind, changed)

    # -------------------------------------------------------- who hears next

    def _climbs_from(self, step: int, kind: Kind, told_at: Instant) -> Instant | None:
        """When a finding that was told at an instant goes to the next person, if nobody answers; None where nobody comes next."""
        supervised = bool(self._recorder.recipients.supervisor(self._therapist))
        after = next_step(step, self._policy, supervised=supervised, safety=kind.speaks == "safety")
        return None if after is None or not self._therapist else told_at + after.seconds

    def _climb(self, verdict: Verdict, before: Standing) -> dict[str, Any]:
        """Nobody has answered: the next person hears of it too. Answers what changes about the finding."""
        kind = self._recorder.kinds[verdict.kind]
        supervisor = self._recorder.recipients.supervisor(self._therapist)
        step = next_step(before.step, self._policy, supervised=bool(supervisor), safety=kind.speaks == "safety")
        if step is None:
            return {"climbs_at": None}
        safety = kind.speaks == "safety"
        # Nobody can have answered what has not been sent: counted from then; of a risk from when it should have left, arrived or not.
        notice = self._notice(verdict, before.generation)
        told_at = telling.told_at(self._recorder.connection, notice, before.step, arrived=not safety)
        due = (self._now if told_at is None else told_at) + step.seconds
        if due > self._now:
            self._say_by(due)
            return {"climbs_at": due}
        connection = self._recorder.connection
        number, people = step.number, [therapist_recipient(supervisor if step.number == TO_SUPERVISOR else "")]
        if safety:
            cover = self._recorder.recipients.cover(self._therapist)
            number, people = telling.next_to_hear(connection, notice, step, supervisor, cover)
        for recipient in people:
            notice = self._notice(verdict, before.generation, number, recipient)
            self._recorder.changes.notices += insert_new(connection, Notice, notice)
        climbs_at = self._climbs_from(number, kind, self._now)
        self._say_by(climbs_at)
        return {"step": number, "climbs_at": climbs_at}

    def _say_by(self, *instants: Instant | None) -> None:
        self.next_word = min([self.next_word, *(at for at in instants if at is not None and at > self._now)])

    def _evidence(self, verdict: Verdict) -> dict[str, Any]:
        """What a finding rests on; what asks a question has the number of that question, by the therapist's turn."""
        evidence: dict[str, Any] = {"facts": list(verdict.facts)}
        if self._recorder.rules[verdict.kind].name == ASKS:
            evidence["question"] = self._recorder.question_for(self._therapist)
        return evidence
