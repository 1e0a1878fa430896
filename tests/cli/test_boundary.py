"""`boundary`: the answer, the list, what is recorded; and that all that is said of a former client is the same years later."""

import json
import re
from datetime import timedelta

import pytest

from tests.cli.clinic import NAMES


def test_may_i_contact_a_client_in_care(codes, tending):
    code = codes["1001"]
    done = tending("boundary", code.lower())
    assert (done.code, done.err) == (0, "")
    lines = [line.split("  ") for line in done.out.splitlines()]
    assert done.out.startswith(f"{code}: may I contact this client?\n")
    said = {" ".join(row).split()[0]: " ".join(row) for row in lines}
    assert "restricted" in said["personal"]
    assert "restricted" in said["outreach"]
    for kind in ("clinical", "administrative", "return"):
        assert " open " in said[kind], kind
    assert "American Psychological Association, 2017" in done.out
    assert "at least two years after therapy has ended. (APA 2017, 10.08(a))" in done.out
    assert "from memory" in done.out
    facts = tending("boundary", code, "--json").json
    assert facts["code"] == code
    assert [one["kind"] for one in facts["contact"] if one["standing"] == "restricted"] == ["personal", "outreach"]
    acts = [(act["act"], act["subject"]) for act in tending("audit", "--json").json[:2]]
    assert acts == [("boundary asked", code)] * 2


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ('ethics = "aca"', "for five years after the last professional contact"),
        ('ethics = "aamft"', "Never a sexual relationship"),
        ('ethics = "nasw"', "the code names no period"),
        ('ethics_text = "At Northside: never."', "At Northside: never. (this practice's own text)"),
    ],
)
def test_the_code_that_is_quoted_is_the_practices(codes, practice, tending, setting, says):
    practice.write_text(practice.read_text().replace("[practice]", f"[practice]\n{setting}", 1))
    assert says in tending("boundary", codes["1002"]).out


def test_an_unknown_code_of_ethics_is_one_sentence(practice, tending):
    practice.write_text(practice.read_text().replace("[practice]", '[practice]\nethics = "ours"', 1))
    done = tending("boundary", "--restricted")
    assert (done.code, done.out) == (3, "")
    assert "practice.ethics" in done.err


def test_the_list_for_other_systems_is_codes_alone(codes, tending):
    done = tending("boundary", "--restricted")
    assert done.out.splitlines() == sorted(codes.values())
    assert tending("boundary", "--restricted", "--json").json == sorted(codes.values())
    act = tending("audit", "--json").json[0]
    assert (act["act"], act["subject"], act["details"]) == ("boundary list read", "", {"clients": 6})


def test_what_does_not_fit_is_one_sentence(codes, tending):
    for words in ((), (codes["1001"], "--restricted"), ("Müllenbröck",), ("C-0000000",)):
        done = tending("boundary", *words)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), words
        assert not any(name in done.err for name in NAMES)


AGO = {"a day": 1, "two years": 731, "six years": 2192}  # days since the last contact
FORMER = {name: (f"20{n}1", f"20{n}2") for n, name in enumerate(AGO)}  # of each, one whose care ended and one who died


@pytest.fixture
def former(clinic, today):
    """The clinic with former clients who differ in nothing but how long ago the last contact was, before anything of it was read."""
    exports = clinic / "exports"
    rows = (exports / "clients.csv").read_text(encoding="utf-8").splitlines()
    rows = [rows[0] + ",ended,died", *(f"{row},," for row in rows[1:])]
    seen = []
    for name, days in AGO.items():
        began, ended = (str(today - timedelta(days=days + more)) for more in (300, 0))
        for client, died in zip(FORMER[name], ("", ended), strict=True):
            rows.append(f"{client},Gudrun {client} Ångström,T1,ended,{began},,{ended},{died}")
            days_seen = [today - timedelta(days=days + 7 * n) for n in range(10)]
            seen += [f"f{client}{n},{client},T1,{day} 10:00,50,attended" for n, day in enumerate(days_seen)]
    (exports / "clients.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with (exports / "appointments.csv").open("a", encoding="utf-8") as file:
        file.write("\n".join(seen) + "\n")


DAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?: \d{4})?"
ELAPSED = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?", "INSTANT"),
    (r"\d{4}-\d\d-\d\d", "DAY"),
    (DAY, "DAY"),
    (r"DAY, (yesterday|today|\d+ days ago)", "DAY"),
    (r"(a moment|\d+ (minutes|hours)) ago", "AGO"),
    (r"\btoday, \d\d:\d\d|\bDAY, \d\d:\d\d", "DAY"),
    (r" +", " "),  # columns are as wide as their days
)


def test_all_that_is_said_of_a_former_client_is_the_same_years_later(former, read, tending):
    """Everything the commands say of them, for people and machines."""
    said = {name: [_said(tending, client) for client in clients] for name, clients in FORMER.items()}
    for of_one in said["a day"]:
        assert {len(text) > 1 for text in of_one.values()} == {True}
        assert "restricted" in of_one["boundary"]
    assert "Care has ended." in said["a day"][0]["why"]
    assert "The client has died" in said["a day"][1]["why"]
    for name in ("two years", "six years"):
        for then, now in zip(said["a day"], said[name], strict=True):
            for words, text in then.items():
                assert now[words] == text, (name, words)


def _said(tending, client):
    code = tending("code", client, "--json").json[0]["code"]
    said = {}
    for words in (("why", code), ("boundary", code), ("policy", code), ("code", client)):
        for form in ((), ("--json",)):
            done = tending(*words, *form)
            assert done.code == 0, words
            said[" ".join([words[0], *form])] = plain(done.out, code)
    for words in (("findings", "--all"), ("outbox",), ("unmatched",)):
        said[words[0]] = plain(json.dumps([o for o in tending(*words, "--json").json if code in json.dumps(o)]), code)
    acts = tending("audit", "list", "--about", code, "--json").json
    said["audit"] = plain(json.dumps([(act["act"], act["details"]) for act in acts]), code)
    said["listed"] = f"{tending('boundary', '--restricted').out.split().count(code)} time"
    return said


def plain(text: str, code: str) -> str:
    """What was said without the elapsed time in it."""
    text = text.replace(code, "CODE")
    for pattern, word in ELAPSED:
        text = re.sub(pattern, word, text)
    return text
