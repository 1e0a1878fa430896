"""Two people leave: one by an ending of care, one by a referral, with their letters and their workflows, which show them by code alone."""

import asyncio
import json
from datetime import UTC, datetime

from prefect.artifacts import Artifact

from flows.referral_followups import referral_followups
from flows.terminations import terminations
from integrations.opened import lend
from models.instants import DAY, instant_of, utc_text
from tests.faults.canary_practice import IDS, NOTES, PROVIDER, PROVIDER_ID, QUIET, TWIN, Run, must_fail


async def leaving(run: Run) -> None:
    """An ending begins and a referral is sent; a week later their workflows look at both, and fail; then the ending is withdrawn."""
    ending, referral = run.code_of(IDS[0]), run.code_of(IDS[1])
    await asyncio.to_thread(an_ending_begins, run, ending)
    await asyncio.to_thread(a_referral_goes_out, run, referral)
    later = utc_text(instant_of(datetime.now(UTC)) + 8 * DAY)
    with lend(run.practice, "test"):
        assert (await terminations(now=later))["open"] == 1
        assert (await referral_followups(now=later))["open"] == 1
        await must_fail(run, terminations, "termination", "next_step")
        await must_fail(run, referral_followups, "referral", "rung")
    # Else the search would have nothing to look through.
    assert await codes_in("endings") == [ending]
    assert await codes_in("referrals") == [referral]
    run.command("ending", expect=0)
    run.command("referrals", expect=0)
    run.command("referrals", "--json", expect=0)
    run.command("ending", ending, "withdraw", expect=0)


async def codes_in(artifact: str) -> list[str]:
    """Whom a table in Prefect's pages shows."""
    shown = await Artifact.aget(artifact)
    assert shown is not None
    return [row["code"] for row in json.loads(str(shown.data))]


def an_ending_begins(run: Run, code: str) -> None:
    """With a letter that alone holds a name."""
    letter = run.folder / "letter.txt"
    run.command("end", code, "--reason", "goals", "--personal", "yes", expect=2)
    run.command("end", code, "--reason", "wish", "--personal", "no", expect=0)
    run.command("ending", code, "--json", expect=0)
    run.command("ending", QUIET, "done", "letter", expect=2)
    run.command("ending", code, "letter", "--out", str(letter), expect=0)
    assert QUIET in letter.read_text(encoding="utf-8")
    letter.unlink()


def a_referral_goes_out(run: Run, code: str) -> None:
    """To a provider whose name is told where somebody asks for it, and nowhere else."""
    letter = run.folder / "referral.txt"
    offer = ("--providers", PROVIDER_ID, "--fewer", "none-nearby", "--follow-up", "yes", "--asked")
    run.command("refer", TWIN, "offer", *offer, expect=2)
    run.command("refer", code, "offer", *offer, expect=0)
    run.command("refer", code, "choose", PROVIDER, expect=2)
    run.command("refer", code, "choose", PROVIDER_ID, expect=0)
    run.command("refer", code, "consent", "--for", f"{NOTES}, {TWIN}", expect=0)
    run.command("refer", code, "send", "--yes", "--to", str(letter), expect=0)
    assert PROVIDER in letter.read_text(encoding="utf-8")
    letter.unlink()
    run.command("providers", expect=0, shows=True)
    run.command("refer", code, "news", "accepted", "--provider", PROVIDER_ID, expect=0)
