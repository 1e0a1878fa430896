"""`refer`, `referrals` and `providers`: the loop at the terminal, what is refused with one sentence, and nobody's name anywhere."""

import getpass
import re
from datetime import timedelta

import pytest

from tests.cli.clinic import NAMES

PROVIDERS = """id,name,place,specialty,language,phone,capacity,verified
P1,Praxis Løvlie,Leeds,trauma,german,1,open,{fresh}
P2,Praxis Güney,Leeds,trauma;grief,german;english,2,waiting,{fresh}
P3,Praxis Ansa,York,grief,,3,open,{stale}
P4,Praxis Bö,York,trauma,finnish,4,open,
"""
NEWS = "client,referral,provider,news,told,visit\n"


@pytest.fixture
def directory(clinic, today):
    """A providers file and one of news among the exports."""
    days = {"fresh": today - timedelta(days=10), "stale": today - timedelta(days=200)}
    (clinic / "exports" / "providers.csv").write_text(PROVIDERS.format(**days), encoding="utf-8")
    (clinic / "exports" / "referral_news.csv").write_text(NEWS, encoding="utf-8")


@pytest.fixture
def code(directory, codes):
    return codes["1001"]


def offer(tending, code, *more):
    return tending("refer", code, "offer", "--providers", "p1,P2,P3", "--follow-up", "yes", "--asked", *more)


def reference(tending):
    return tending("referrals", "--json").json[0]["referral"]


def test_three_that_suit_with_reasons(code, tending):
    done = tending("providers", "--specialty", "trauma", "--language", "German")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "P1  Praxis Løvlie, Leeds"
    assert "  suits: specialty: trauma; language: german; has room" in lines
    assert "  ask: has a waiting list" in lines
    assert "P4" not in done.out
    facts = tending("providers", "--specialty", "grief", "--json").json
    assert [(f["id"], f["name"]) for f in facts] == [("P2", "Praxis Güney"), ("P3", "Praxis Ansa")]
    assert facts[1]["ask"] == ["last checked 200 days ago: ask before offering"]
    assert [f["id"] for f in tending("providers", "--place", "york", "--json").json] == ["P3", "P4"]
    assert [f["id"] for f in tending("providers", "--unchecked", "--json").json] == ["P4", "P3"]
    assert tending("providers", "--language", "welsh", "--specialty", "trauma").out.startswith("None of the 4")
    assert "Nobody has checked 2 providers of the directory for 180 days" in tending("check").out


def test_the_client_calls_attends_and_it_fits(code, today, tending):
    done = offer(tending, code)
    assert (done.code, done.err) == (0, "")
    assert re.match(
        rf"{code}, R-[0-9A-Z]{{6}}: options are offered, since \w+ \d+ \w+\. Next: the client chooses", done.out
    )
    for words, says in (
        (["self-arranged"], "the client calls themselves, since"),
        (["news", "accepted", "--provider", "P2"], "Next: hear how it goes."),
        (["news", "booked", "--day", str(today + timedelta(days=9))], "Next: hear how it goes."),
        (["attended", str(today)], "the client attended, since"),
        (["fits", "yes"], "closed: it fits, since"),
    ):
        done = tending("refer", code, *words)
        assert (done.code, done.err) == (0, ""), words
        assert says in done.out
    assert tending("referrals").out == "No referral is open.\n"
    (closed,) = tending("referrals", "--all", "--json").json
    assert (closed["state"], closed["next"], closed["asked_next"]) == ("fits", "", None)
    acts = [act["act"] for act in tending("audit", "--json").json if act["act"].startswith("referral ")]
    assert acts[::-1] == [f"referral {w}" for w in ("offered", "self-arranged", "news", "news", "attended", "fits")]


def test_a_letter_is_a_draft_until_a_person_says_yes(code, tending, tmp_path):
    offer(tending, code, "--part2")
    assert "before the client's consent" in tending("refer", code, "send", "--yes").err
    assert tending("refer", code, "choose", "p1").code == 0
    assert "Say what the consent is for" in tending("refer", code, "consent").err
    assert tending("refer", code, "consent", "--for", "Name und Grund, Løvlie ruft an").code == 0
    assert "42 CFR Part 2; nothing is sent" in tending("refer", code, "send", "--yes").err
    assert tending("refer", code, "consent", "--for", "the same", "--part2").code == 0
    draft = tending("refer", code, "send")
    assert draft.err.startswith("Nothing was changed.")
    assert "Praxis Løvlie" in draft.out
    assert "42 CFR part 2 prohibits" in draft.out
    assert code in draft.out
    assert not any(name in draft.out for name in NAMES)
    assert tending("referrals", "--json").json[0]["state"] == "consented"
    file = tmp_path / "letter.txt"
    sent = tending("refer", code, "send", "--yes", "--to", str(file))
    assert (sent.code, sent.err) == (0, "")
    assert "sent: nothing heard, since" in sent.out
    assert "Praxis Løvlie" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600, "the link in it answers for the provider"
    again = tending("refer", code, "send", "--yes", "--to", str(tmp_path / "again.txt"))
    assert (again.code, "sent already" in again.err) == (2, True)
    late = tending("refer", code, "news", "missed")
    assert late.code == 0
    assert (
        "kept. That does not follow from where the referral stands (sent, nothing heard); what follows there is accepted,"
        in late.out
    )
    assert tending("refer", code, "news", "accepted", "--json").json["status"] == "3"
    shown = tending("referrals", code)
    lines = shown.out.splitlines()
    (aside,) = [line for line in lines if "(kept aside: That does not follow" in line]
    assert "news missed" in aside
    assert [line.split("  ")[-1] for line in lines[1:] if "consented" in line] == [
        f"consented P1 client Name und Grund, Løvlie ruft an by {getpass.getuser()}",
        f"consented P1 client 42 CFR Part 2 the same by {getpass.getuser()}",
    ]
    assert tending("audit", "--json").json[0]["act"] == "referrals shown"


def test_a_file_that_is_there_is_not_written_over_and_nothing_is_sent(code, tending, tmp_path):
    offer(tending, code)
    tending("refer", code, "choose", "P1")
    tending("refer", code, "consent", "--for", "all")
    file = tmp_path / "letter.txt"
    file.write_text("mine")
    done = tending("refer", code, "send", "--yes", "--to", str(file))
    assert (done.code, file.read_text()) == (2, "mine")
    assert "could not be written" in done.err
    assert tending("referrals", "--json").json[0]["state"] == "consented"


def test_several_at_once_are_told_apart(code, tending):
    offer(tending, code)
    first = reference(tending)
    assert "were offered already" in offer(tending, code).err
    assert offer(tending, code, "--another").code == 0
    both = [one["referral"] for one in tending("referrals", "--json").json]
    assert len(both) == 2
    # Each with what was said of it below.
    assert [line.strip().split("  ")[1].split()[0] for line in tending("referrals", code).out.splitlines()] == [
        both[0],
        "offered",
        both[1],
        "offered",
    ]
    unclear = tending("refer", code, "refuse")
    assert (unclear.code, all(one in unclear.err for one in both)) == (2, True)
    assert tending("refer", code, "refuse", "--referral", first.lower()).code == 0
    assert "is closed (the client said no)" in tending("refer", code, "refuse", "--referral", first).err
    assert tending("refer", code, "close", "--reason", "came-back").code == 0


def test_what_was_said_stands_in_the_order_of_saying_and_fits_no_is_no_yes(code, clinic, today, tending):
    """What a file tells has a day and no hour: it is not listed before the offer that it follows."""
    offer(tending, code)
    tending("refer", code, "self-arranged")
    news = f"{NEWS}1001,{reference(tending)},P1,accepted,{today},\n9999,R-NOBODY,P1,accepted,{today},\n"
    (clinic / "exports" / "referral_news.csv").write_text(news)
    tending("sync")
    tending("refer", code, "attended", str(today))
    tending("refer", code, "fits", "no")
    said = [
        line["what"].split(" by ")[0].split(" from ")[0]
        for line in tending("referrals", code, "--json").json[0]["said"]
    ]
    assert [line.split()[0] for line in said] == ["offered", "self-arranged", "news", "attended", "fits"]
    assert said[-1] == "fits no"
    assert "News of R-NOBODY about a client whom nobody knows is kept (1)" in tending("referrals").out


def test_news_that_belongs_to_no_referral_is_shown_with_its_client(code, clinic, today, tending):
    (clinic / "exports" / "referral_news.csv").write_text(f"{NEWS}1001,R-STRAY1,P1,accepted,{today},\n")
    tending("sync")
    assert tending("referrals", code).out == (
        f"Nothing was referred.\n{code}: news of R-STRAY1, which is no referral of this client, is kept (1).\n"
    )


def test_who_is_full_or_unchecked_is_offered_once_somebody_asked(code, clinic, tending):
    words = ["refer", code, "offer", "--providers", "P1,P2,P3", "--follow-up", "yes"]
    done = tending(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "Ask first whether they have a place (P3: last checked 200 days ago); when you have, the same with --asked. "
        "Nothing was changed.\n"
    )
    file = clinic / "exports" / "providers.csv"
    file.write_text(file.read_text().replace("waiting", "full"))
    tending("sync")
    assert "(P2: has no place at present; P3: last" in tending(*words).err
    assert tending("referrals").out == "No referral is open.\n"
    assert tending(*words, "--asked").code == 0


def test_who_is_not_in_the_directory_cannot_be_left_out(code, tending):
    wrong = tending("providers", "--without", "P1,P99")
    assert (wrong.code, "P99 is not in the directory" in wrong.err) == (2, True)
    assert [one["id"] for one in tending("providers", "--without", "p1,P2", "--json").json] == ["P3", "P4"]


def test_a_slip_of_the_keyboard_is_refused_and_not_kept(code, today, tending):
    offer(tending, code)
    tending("refer", code, "choose", "P1")
    tending("refer", code, "consent", "--for", "all")
    tending("refer", code, "send", "--yes")
    for words, sentence in (
        (["news", "seen", "--day", str(today + timedelta(days=3))], "That day lies ahead"),
        (["news", "booked", "--day", "1900-01-01"], "within a year"),
        (["attended", str(today - timedelta(days=2))], "before the referral was offered"),
    ):
        done = tending("refer", code, *words)
        assert (done.code, done.out, sentence in done.err) == (2, "", True), words
    assert "first that the client attended" in tending("refer", code, "fits", "yes").err
    assert tending("referrals", "--json").json[0]["kept_aside"] == 0


def test_without_a_follow_up_it_says_so(code, tending):
    done = tending("refer", code, "offer", "--providers", "P1", "--fewer", "language", "--follow-up", "no")
    assert "(offered, not followed)" in done.out
    assert tending("referrals", "--json").json[0]["asked_next"] is None
    assert "offered, not followed" in tending("why", code).out


WORDS = {
    "no such thing": (["end"], "Say what was said or done: offer, refuse"),
    "no follow-up": (["offer", "--providers", "P1,P2,P3"], "say --follow-up yes or no"),
    "a follow-up of maybe": (["offer", "--providers", "P1,P2,P3", "--follow-up", "maybe"], "Say yes or no"),
    "too few": (["offer", "--providers", "P1,P2", "--follow-up", "no"], "Offer 3 suitable options"),
    "unknown": (["offer", "--providers", "P1,P2,P77", "--follow-up", "no"], "not in the directory"),
    "nothing offered": (["choose", "P1"], "has no referral; begin with"),
    "another reference": (["refuse", "--referral", "R-NONE"], "no referral of that reference"),
    "an option of something else": (["refuse", "--day", "2026-01-01"], "--day goes with news; nothing was changed"),
    "a word too much": (["refuse", "P1"], "A word goes with choose and news and attended and fits"),
    "yes to nothing": (["news", "full", "--yes"], "--yes goes with send"),
}


def test_what_does_not_fit_is_one_sentence(code, tending):
    for case, (words, sentence) in WORDS.items():
        done = tending("refer", code, *words)
        assert (done.code, done.out) == (2, ""), case
        assert sentence in done.err, (case, done.err)
        assert done.err.count("\n") == 1, case
        assert not any(name in done.err for name in NAMES), case
    offer(tending, code)
    for words, sentence in (
        (["choose"], "Say which provider was chosen"),
        (["news", "full", "--provider", "Lena"], "not in the directory"),
        (["news", "lost"], "Say what was heard: accepted"),
        (["news", "full", "--day", "2026-01-01"], "A day goes with news booked or seen"),
        (["attended", "soon"], "A day is written like"),
        (["attended"], "A day is written like"),
        (["attended", "2199-01-01"], "lies ahead"),
        (["fits", "perhaps"], "Say yes or no"),
        (["close"], "Say why it is closed; the reasons are"),
    ):
        done = tending("refer", code, *words)
        assert (done.code, done.out) == (2, ""), words
        assert sentence in done.err, (words, done.err)
    assert tending("referrals", "--json").json[0]["state"] == "offered"


def test_who_is_shown_a_list_sees_codes_alone(code, tending):
    offer(tending, code)
    tending("refer", code, "choose", "P1")
    out = tending("referrals").out + tending("referrals", "--json").out + tending("findings", "--all").out
    assert code in out
    assert not any(name in out for name in (*NAMES, "Løvlie", "Güney"))


def test_who_says_no_after_it_was_sent_has_somebody_waiting_until_they_are_told(code, tending):
    offer(tending, code)
    tending("refer", code, "choose", "P1")
    tending("refer", code, "consent", "--for", "name and number")
    tending("refer", code, "send", "--yes")
    tending("refer", code, "news", "accepted")
    mine = reference(tending)
    done = tending("refer", code, "refuse")
    assert (done.code, done.err) == (0, "")
    assert "closed: the client said no, and the provider may still be waiting for them, since" in done.out
    assert f"Once they know: tending refer {code} news cancel-asked --referral {mine}" in done.out
    assert "tell the provider that the client does not come" in tending("referrals").out
    late = tending("refer", code, "news", "booked")
    assert "kept. This referral is closed" in late.out
    told = tending("refer", code, "news", "cancel-asked")
    assert (told.code, "waiting" in told.out) == (0, False)
    assert tending("referrals").out == "No referral is open.\n"


def test_what_is_heard_of_who_calls_themselves_stands_since_it_was_heard(code, clinic, today, tending):
    offer(tending, code)
    tending("refer", code, "self-arranged")
    done = tending("refer", code, "news", "booked", "--day", str(today + timedelta(days=9)))
    assert re.search(rf"and a visit is said to be booked, since \w+ {today.day} \w+\.", done.out)


def test_once_places_are_offered_the_ending_says_what_comes_next(code, tending):
    assert tending("end", code, "--reason", "wish", "--personal", "no").code == 0
    assert "Next: Offer three suitable places" in tending("ending", code).out
    assert offer(tending, code).code == 0
    said = f"Next: places were offered; `tending ending {code} done referral` says that it is done.\n"
    assert tending("ending", code).out.endswith(said)
    assert "Closing letter" in tending("ending", code, "done", "referral").out
    again = tending("ending", code, "done", "referral")
    assert again.out == f"That was said already; nothing was changed. `tending ending {code}` shows how it stands.\n"
