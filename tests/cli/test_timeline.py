"""`timeline`: one client's care on a page; as text, as JSON and as a PDF the same, and redacted without anybody's name."""

import stat

import pytest
from pypdf import PdfReader

from tests.cli.clinic import NAMES
from tests.faults.canary import Search

PEOPLE = (*NAMES, "Anna-Sofía", "Dr Kärcher", "Kärcher", "kaercher@example.org")


def pdf_text(path):
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


@pytest.mark.parametrize("redacted", [(), ("--redacted",)])
def test_text_json_and_pdf_hold_the_same_lines(codes, tending, tmp_path, redacted):
    code = codes["1001"]
    facts = tending("timeline", code, *redacted, "--json").json
    text = tending("timeline", code, *redacted)
    pdf = tmp_path / "page.pdf"
    assert (
        tending("timeline", code, *redacted, "--pdf", str(pdf)).out
        == f"{code}: {len(facts['lines'])} lines, written as PDF.\n"
    )
    assert (text.code, text.err) == (0, "")
    assert len(facts["lines"]) >= 3
    for said in (pdf_text(pdf), " ".join(text.out.split())):
        place = 0
        for line in facts["lines"]:
            place = said.index(f"{line['part']} {line['text']}", place)
        for label, value in facts["head"].items():
            assert f"{label} {value}" in said
        for sentence in facts["foot"][:-1]:  # the last names a head of the record, which has grown with each look
            assert sentence in said
        assert ("Anna-Sofía Müllenbröck" in said) == (not redacted)
    assert stat.S_IMODE(pdf.stat().st_mode) == 0o600


def test_redacted_nothing_says_who_anybody_is(codes, tending, tmp_path):
    code = codes["1001"]
    pdf = tmp_path / "page.pdf"
    given = [tending("timeline", code, "--redacted", "--reads", *more).out for more in ((), ("--json",))]
    tending("timeline", code, "--redacted", "--reads", "--pdf", str(pdf))
    search = Search(PEOPLE)
    for data in (*(out.encode() for out in given), pdf.read_bytes(), pdf_text(pdf).encode()):
        assert code.encode() in data or data.startswith(b"%PDF")
        assert search.found(data) == []
    plain = tending("timeline", code).out
    assert "Anna-Sofía Müllenbröck" in plain
    assert "Dr Kärcher (T1)" in plain


def test_each_look_is_recorded_even_a_redacted_one(codes, tending):
    code = codes["1002"]
    tending("timeline", code, "--redacted")
    tending("timeline", code)
    acts = tending("audit", "list", "--about", code, "--json").json[:2]
    assert [(act["act"], act["details"]) for act in acts] == [
        ("timeline read", {"redacted": False}),
        ("timeline read", {"redacted": True}),
    ]


def test_the_head_on_the_page_is_one_that_the_record_goes_through(codes, tending):
    foot = tending("timeline", codes["1002"], "--json").json["foot"][-1]
    head = foot.partition("sealed up to ")[2].partition(";")[0]
    tending("timeline", codes["1003"])
    done = tending("audit", "verify", "--head", head)
    assert (done.code, "goes through that head" in done.out) == (0, True)


def test_what_was_answered_stands_on_it_and_what_was_taken_back_says_so(codes, tending):
    code = codes["1002"]
    given = tending("answer", code, "quiet", "done", "--note", "Ünalsson ruft an", "--json").json["id"]
    assert tending("answer", "--undo", given).code == 0
    assert tending("answer", code, "quiet", "no-concern", "--reason", "planned").code == 0
    out = tending("timeline", code, "--redacted").out
    assert "Quiet: I have seen to it. By staff. Taken back on" in out
    assert "Quiet: This isn't a concern: it is as we planned. By staff." in out
    assert "ruft" not in out
    assert "Answered" not in out


def test_words_that_do_not_fit(codes, tending, tmp_path):
    there = tmp_path / "there.pdf"
    there.write_text("mine")
    wrong = (
        ([codes["1002"], "--from", "soon"], "A day is written like 2026-11-03"),
        ([codes["1002"], "--pdf", str(there)], "There is a file of that name already"),
        ([codes["1002"], "--pdf", str(tmp_path / "no" / "where.pdf")], "The PDF cannot be written"),
        (["Müllenbröck"], "A client code looks like"),
        (["C-0000000"], "No client has the code C-0000000"),
    )
    for words, sentence in wrong:
        done = tending("timeline", *words)
        assert (done.code, done.out, sentence in done.err) == (2, "", True), (words, done.err)
        assert done.err.count("\n") == 1
    assert there.read_text() == "mine"
