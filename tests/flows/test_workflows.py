"""Each workflow as a flow on a real server: what it does, how it is named, what an administrator sees, and nothing of anybody."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun

from flows import workflows
from flows.calendar_sync import calendar_sync
from flows.client_looks import client_looks
from flows.deliver_notices import deliver_notices
from flows.nightly_check import nightly_check
from flows.record_sync import record_sync
from flows.referral_followups import referral_followups
from flows.terminations import terminations
from flows.weekly_letters import weekly_letters
from integrations import referring
from integrations.ending import begin, say
from integrations.opened import lend
from integrations.practice import open_practice
from integrations.store import leases, lookups, providers
from integrations.store.terminations import Start
from models.ending_acts import What
from models.errors import SettingsError, UsageError
from models.instants import DAY, HOUR, utc_text
from models.referral_acts import ReferralAct
from models.referral_acts import What as ReferralWhat
from tending.server import Server
from tests.faults.canary import Search, files_in
from tests.flows.clinic import NAME, OTHER, SECRETS, Clinic

PROVIDER = "Løvlie-Halvorsen"
ALL = {
    "calendar_sync": calendar_sync,
    "deliver_notices": deliver_notices,
    "nightly_check": nightly_check,
    "record_sync": record_sync,
    "terminations": terminations,
    "client_looks": client_looks,
    "referral_followups": referral_followups,
    "weekly_letters": weekly_letters,
}


async def run(clinic: Clinic, name: str, later: int = 0, **parameters: Any) -> tuple[FlowRun, dict[str, Any]]:
    """Run a workflow in this process; its run as the server knows it, and its counts."""
    with lend(clinic.practice, "test"):
        state = await ALL[name](now=utc_text(clinic.now + later), **parameters, return_state=True)
    async with get_client() as client:
        only = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
        (found,) = await client.read_flow_runs(flow_run_filter=only)
    return found, await state.result()


async def artifact(key: str) -> Any:
    return await Artifact.aget(key)


async def everything_in_prefect(server: Server) -> str:
    """All files of the server as text: database with its log, storage, its own log."""
    await asyncio.sleep(1.5)  # events and logs are on their way for a moment
    found = [p.read_bytes() for p in Path(server.folder).rglob("*") if p.is_file() and "/ui/" not in str(p)]
    return b"\n".join(found).decode("utf-8", "replace") + b"\n".join(found).decode("utf-16-le", "replace")


def test_every_workflow_is_found_by_its_place() -> None:
    assert [each.name for each in workflows()] == sorted(ALL)
    for each in workflows():
        assert each.cron
        assert each.entrypoint == f"flows.{each.name}.{each.name}"


async def test_a_cancellation_becomes_one_mail_and_clears_when_somebody_books(
    prefect_server: Server, clinic_anywhere: Clinic
) -> None:
    clinic = clinic_anywhere
    clinic.arm()
    _, first = await run(clinic, "client_looks")
    assert first["looked"] == 2
    assert first["opened"] == 0
    clinic.write_calendar()
    sync, counts = await run(clinic, "calendar_sync", HOUR)
    assert sync.name == "Calendar sync: 1 of 1 read"
    assert counts["vanished"] == 1
    code = clinic.code()
    looked, counts = await run(clinic, "client_looks", HOUR, clients=[code])
    assert looked.name == "Client looks: 1 looked at"
    assert looked.parameters == {"clients": [code], "now": utc_text(clinic.now + HOUR)}
    assert (counts["opened"], counts["sent"], counts["changes"]) == (1, 1, 1)
    (mail,) = clinic.mails()
    assert code in mail
    table = await artifact("open-findings")
    rows = json.loads(table.data)
    assert [(row["code"], row["therapist"]) for row in rows] == [(code, "T1")]
    assert set(rows[0]) == {"code", "what", "since", "therapist"}
    assert table.description == "1 finding is open: each waits for its therapist."
    # Again and again: nothing more.
    await run(clinic, "client_looks", 2 * HOUR)
    await run(clinic, "deliver_notices", 2 * HOUR)
    assert len(clinic.mails()) == 1
    clinic.write_calendar(8)
    await run(clinic, "calendar_sync", 3 * HOUR)
    _, counts = await run(clinic, "client_looks", 3 * HOUR)
    assert counts["cleared"] == 1
    table = await artifact("open-findings")
    assert table.description == "Nothing needs doing: no finding is open."
    assert len(clinic.mails()) == 1
    assert clinic.rows("SELECT count(*) FROM change WHERE drained_at IS NULL") == [(0,)]
    runs = {row["workflow"]: row["came to"] for row in json.loads((await artifact("last-run")).data)}
    assert runs["Calendar sync"].startswith("1 read, ")
    assert "1 looked at" in runs["Client looks"]


async def test_referrals_are_shown_by_code_stage_and_next_step(prefect_server: Server, clinic: Clinic) -> None:
    await run(clinic, "client_looks")
    none, _ = await run(clinic, "referral_followups", HOUR)
    assert none.name == "Referral follow-ups: 0 open"
    assert (await artifact("referrals")).description == "Nothing needs doing: no referral is open."
    code, now = clinic.code(), clinic.now + HOUR
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO provider VALUES ('P1', ?, 'Leeds', '[]', '[]', '[]', '[]', 0, 'open', NULL)",
            (clinic.practice.vault.seal(providers.Contact(PROVIDER, "", "", "")._asdict()),),
        )
        client = lookups.about(connection, code)
        assert client is not None
        offer = ReferralAct(
            "R-1", ReferralWhat.offered, now, by="test", providers=("P1",), follow_up=True, reason="language"
        )
        referring.say(clinic.practice, connection, client.id, offer, now)
        referring.say(
            clinic.practice, connection, client.id, ReferralAct("R-1", ReferralWhat.self_arranged, now, by="test"), now
        )
    shown, counts = await run(clinic, "referral_followups", 8 * DAY)
    assert shown.name == "Referral follow-ups: 1 open"
    assert counts == {"open": 1, "stuck": 0, "looked": 1, "notices": 1}
    table = await artifact("referrals")
    assert table.description == "1 referral is open, 0 of them not going on: their therapists are asked."
    (row,) = json.loads(table.data)
    assert (row["code"], row["stage"], row["next"]) == (code, "the client calls themselves", "hear how it goes")
    # Again and again: nothing more.
    assert (await run(clinic, "referral_followups", 8 * DAY + HOUR))[1]["notices"] == 0
    assert code in await everything_in_prefect(prefect_server)
    assert not Search([NAME, OTHER, PROVIDER]).in_sink(files_in(prefect_server.folder, without="ui"))


async def test_the_other_workflows_run_and_name_themselves_in_plain_words(
    prefect_server: Server, clinic: Clinic
) -> None:
    await run(clinic, "client_looks")
    clinic.arm()
    records, _ = await run(clinic, "record_sync", HOUR)
    assert records.name == "Record sync: 1 of 1 read"
    night, counts = await run(clinic, "nightly_check", HOUR)
    assert night.name == "Nightly check: 2 checked, 0 differ"
    assert counts == {"looked": 2, "differences": 0, "sealed": 1, "whole": True}
    assert (
        await artifact("nightly-check")
    ).data == "What stands is what a fresh look at everybody finds. Nothing needs doing."
    letters, counts = await run(clinic, "weekly_letters", HOUR)
    assert letters.name == "Weekly letters: 1 written"
    assert (await run(clinic, "weekly_letters", 2 * HOUR))[1]["written"] == 0
    sent, counts = await run(clinic, "deliver_notices", DAY)
    assert sent.name == "Deliver notices: 1 sent"
    assert counts["armed"]
    assert [mail.to for mail in clinic.mailbox.mails()] == ["admin@example.org"]


async def test_endings_are_looked_at_and_shown_by_code_stage_and_next_step(
    prefect_server: Server, clinic_anywhere: Clinic
) -> None:
    clinic = clinic_anywhere
    clinic.arm()
    await run(clinic, "client_looks")
    none, counts = await run(clinic, "terminations")
    assert none.name == "Endings: 0, 0 to be confirmed"
    assert (await artifact("endings")).description == "Nothing needs doing: no ending of care is going on."
    code = clinic.code()
    with clinic.practice.store.write() as connection:
        client = connection.exec_driver_sql(f"SELECT id FROM client WHERE code = '{code}'").scalar_one()
        begin(clinic.practice, connection, client, Start("wish", "no"), "test", clinic.now)
    found, counts = await run(clinic, "terminations", HOUR)
    assert (counts["open"], counts["waiting"], found.name) == (1, 0, "Endings: 1, 0 to be confirmed")
    shown = await artifact("endings")
    (row,) = json.loads(shown.data)
    assert (row["code"], row["stage"], row["next step"]) == (code, "going on", "Where to go next")
    assert set(row) == {"code", "stage", "next step", "since", "therapist"}
    assert (await run(clinic, "terminations", 2 * HOUR))[1] == counts  # done again it changes nothing
    with clinic.practice.store.write() as connection:
        say(clinic.practice, connection, client, What.withdrawn, "test", clinic.now + 2 * HOUR)
    assert (await run(clinic, "terminations", 3 * HOUR))[1]["open"] == 0
    text = await everything_in_prefect(prefect_server)
    assert code in text
    assert not any(secret in text for secret in SECRETS)


async def test_an_audit_that_was_cut_is_found_the_next_night(prefect_server: Server, clinic: Clinic) -> None:
    clinic.arm()
    assert (await run(clinic, "nightly_check"))[1]["whole"]
    clinic.arm()
    assert (await run(clinic, "nightly_check", DAY))[1]["whole"]
    with clinic.practice.store.write() as connection:
        for name in [
            row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ]:
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        connection.exec_driver_sql("DELETE FROM audit WHERE place = (SELECT max(place) FROM audit)")
    night, counts = await run(clinic, "nightly_check", 2 * DAY)
    assert not counts["whole"]
    assert night.state
    assert night.state.name == "Differs"


async def test_one_source_that_fails_does_not_stop_the_others(prefect_server: Server, clinic: Clinic) -> None:
    text = clinic.toml.read_text()
    clinic.toml.write_text(
        text + '[[source]]\nname = "a-gone"\nkind = "calendar"\npath = "gone.ics"\n', encoding="utf-8"
    )
    with open_practice(clinic.toml) as practice:
        clinic.practice.close()
        clinic.practice = practice
        state, counts = await run(clinic, "calendar_sync", HOUR)
        assert state.state
        assert state.state.name == "Some unread"
        assert state.name == "Calendar sync: 1 of 2 read"
        assert counts["read"] == 1
        assert counts["failed"] == {"a-gone": "SourceError"}


async def test_not_armed_is_loud_and_sends_nothing(prefect_server: Server, clinic: Clinic) -> None:
    await run(clinic, "client_looks")
    clinic.write_calendar()
    await run(clinic, "calendar_sync", HOUR)
    _, counts = await run(clinic, "client_looks", HOUR)
    assert counts["sent"] == 0
    state, counts = await run(clinic, "deliver_notices", 2 * HOUR)
    assert counts == {"armed": False, "due": 1}
    assert state.state
    assert state.state.is_completed()
    assert state.state.message == "not armed: nothing sent"
    assert (await artifact("delivery")).data.startswith("# NOT ARMED: nothing is sent")
    assert clinic.mails() == []
    clinic.arm()
    _, counts = await run(clinic, "deliver_notices", 2 * HOUR)
    assert counts["sent"] == 1
    assert (await artifact("delivery")).data.startswith("Nothing needs doing")


@pytest.mark.parametrize("name", sorted(ALL))
async def test_the_second_run_of_a_workflow_ends_at_once(prefect_server: Server, clinic: Clinic, name: str) -> None:
    clinic.arm()
    with leases.lease(clinic.practice.store, name, "other", int(time.time()), 60):
        found, counts = await run(clinic, name)
    assert counts == {"already": True}
    assert found.state
    assert found.state.is_completed()
    assert found.state.name == "Already running"
    assert clinic.mails() == []


async def test_what_a_run_was_given_or_finds_missing_is_said_plainly(
    prefect_server: Server, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lend(clinic.practice, "test"), pytest.raises(UsageError, match="ISO instant"):
        await client_looks(now="yesterday")
    with pytest.raises(SettingsError, match="TENDING_PRACTICE"):
        await client_looks()
    monkeypatch.setenv("TENDING_PRACTICE", str(clinic.toml))
    assert (await client_looks(now=utc_text(clinic.now)))["looked"] == 2


async def test_one_client_whose_look_fails_keeps_nobody_from_theirs(prefect_server: Server, clinic: Clinic) -> None:
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE digest SET line = x'0102' WHERE client_id = (SELECT id FROM client WHERE status = 'ended')"
        )
    found, counts = await run(clinic, "client_looks")
    assert (counts["looked"], counts["put_off"]) == (1, 1)
    assert found.state
    assert found.state.name == "Some put off"
    assert clinic.rows("SELECT count(*) FROM look WHERE next_look = 0") == [(0,)]
    assert (await run(clinic, "client_looks", 60))[1]["looked"] == 0
    assert (await run(clinic, "client_looks", 2 * HOUR))[1]["put_off"] == 1


async def test_two_at_once_make_one_mail(prefect_server: Server, clinic_anywhere: Clinic) -> None:
    clinic = clinic_anywhere
    clinic.arm()
    await run(clinic, "client_looks")
    clinic.write_calendar()
    clinic.read(clinic.now + HOUR)
    await asyncio.gather(*[run(clinic, "client_looks", HOUR) for _ in range(3)], run(clinic, "deliver_notices", HOUR))
    await run(clinic, "client_looks", HOUR)
    assert len(clinic.mails()) == 1
    assert clinic.rows("SELECT count(*) FROM message WHERE state = 'sent'") == [(1,)]


async def test_nothing_of_a_client_is_anywhere_in_prefect(prefect_server: Server, clinic: Clinic) -> None:
    clinic.arm()
    await run(clinic, "client_looks")
    clinic.write_calendar()
    await run(clinic, "calendar_sync", HOUR)
    await run(clinic, "client_looks", HOUR)
    (clinic.folder / "exports" / "clients.csv").write_text(
        "id,name,therapist,status,intake\n1001,Zoë\tX,,?,99\n", encoding="utf-8"
    )
    await run(clinic, "record_sync", 2 * HOUR)
    with pytest.raises(UsageError), lend(clinic.practice, "test"):
        await client_looks(now="Zoe is no instant")
    held = await everything_in_prefect(prefect_server)
    assert clinic.code() in held  # the search does find what is there
    for secret in SECRETS:
        assert secret not in held
