"""`messages preview` shows what would be sent, and what a locked telephone shows of it; `check` says where a protocol is missing."""

import re


def test_a_lock_screen_is_shown_with_how_the_mail_begins_and_nothing_of_what_it_is_about(practice, tending):
    for kind in tending("messages", "list", "--json").json:
        shown = tending("messages", "preview", kind, "--lock-screen").out
        assert "What it is stands further down" in shown, kind
        today = kind in ("item9", "screen", "unanswered.safety", "risk_unmatched", "risk_set_aside")
        assert ("1 item, please read today" in shown) is ("1 item for you, please read today." in shown) is today, kind
        assert not re.search("C-7F3|PHQ|Quiet", shown), kind
    made = tending("messages", "preview", "item9", "--json").json
    assert " ".join(made["text"].split()).startswith(made["preview"])
    assert "PHQ-9" in made["text"]


def test_a_preview_invents_no_protocol(practice, tending):
    for kind in ("item9", "screen", "unanswered.safety", "risk_unmatched", "risk_set_aside"):
        shown = tending("messages", "preview", kind).out
        assert "[safety] protocol in practice.toml" in shown, kind
        assert not re.search("folder|Call the client", shown), kind
    assert "protocol" not in tending("messages", "preview", "quiet").out
    with practice.open("a") as file:
        file.write('\n[safety]\nprotocol = "Our binder, page 3."\n')
    shown = tending("messages", "preview", "item9").out
    assert "Our binder, page 3. This is not a crisis service." in " ".join(shown.split())
    assert "practice.toml" not in shown


def test_a_preview_speaks_as_the_mail_does_where_it_leads_to_the_desk(practice, tending):
    kinds = ("ending_step", "ending_confirm.confirmed", "referral_follow_up", "more")
    assert all("`tending " in " ".join(tending("messages", "preview", kind).out.split()) for kind in kinds)
    with practice.open("a") as file:
        file.write('\n[desk]\npublic_url = "https://desk.example.org"\n')
    for kind in kinds:
        assert "`" not in tending("messages", "preview", kind).out, kind


def test_check_asks_for_a_protocol_once_scores_are_told(clinic, read, codes, today, tending):
    def said():
        return [
            (line["level"], line["sentence"]) for line in tending("check", "--json").json if line["what"] == "safety"
        ]

    ((level, sentence),) = said()
    assert (level, sentence.startswith("[safety] protocol is not set")) == ("note", True)
    (clinic / "exports" / "scores.csv").write_text(f"client,measure,taken,score,risk\n1001,PHQ-9,{today},9,0\n")
    text = read.read_text()
    read.write_text(f'{text}\n[[source]]\nname = "scores"\nkind = "records"\npath = "exports/scores.csv"\n')
    assert tending("sync").code == 0
    assert [level for level, _ in said()] == ["MEND"]
    read.write_text(f'{read.read_text()}\n[safety]\nprotocol = "Our binder, page 3."\n')
    assert [level for level, _ in said()] == ["ok"]


def test_a_preview_of_an_invitation_is_in_the_practices_own_zone_and_manner(practice, tending):
    assert re.search(r"on \w{3} \d+ \w{3} \d{4} at 10:00 \(Europe/Berlin\)", _preview(tending))
    text = practice.read_text().replace('zone = "Europe/Berlin"', 'zone = "America/Chicago"\nlocale = "en_US"', 1)
    practice.write_text(re.sub(r'(?m)^locale = "en_GB"\n', "", text))
    said = _preview(tending)
    assert re.search(r"on \w{3}, \w{3} \d+, \d{4} at 10:00 am \(America/Chicago\)", said), said
    assert "Berlin" not in said


def _preview(tending):
    return " ".join(tending("messages", "preview", "invitation.request").out.split())


def test_check_notes_that_an_invitation_names_no_number_to_call(practice, tending):
    def said():
        return [
            (one["level"], one["sentence"]) for one in tending("check", "--json").json if one["what"] == "invitations"
        ]

    assert said() == []  # nothing is mailed
    mail = '\n[mail]\nsender = "tending@example.org"\n'
    text = practice.read_text()
    practice.write_text(text + mail)
    ((level, sentence),) = said()
    assert (level, "names no number to call" in sentence) == ("note", True)
    practice.write_text(f'{text}{mail}\n[invitations]\nphone = "030 1234"\n')
    assert said() == []
