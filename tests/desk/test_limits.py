"""A limit of requests for one address: a plain sentence, no hint, nobody else is kept out, and it ends with the minute."""

import pytest

from tending.desk.limits import MOST, MOST_ADDRESSES, SECONDS, TOO_OFTEN, Limit, address_of
from tests.builders import NOW

MINUTE = NOW // SECONDS * SECONDS


def test_one_address_is_kept_out_for_the_rest_of_the_minute_and_no_other():
    limit = Limit()
    for _ in range(MOST):
        assert limit.allows("a", MINUTE)
        limit.count("a", MINUTE)
    assert not limit.allows("a", MINUTE)
    assert limit.allows("b", MINUTE)
    assert not limit.allows("a", MINUTE + SECONDS - 1)
    assert limit.allows("a", MINUTE + SECONDS)


def test_asking_from_everywhere_fills_no_memory():
    limit = Limit()
    for number in range(2 * MOST_ADDRESSES + 10):
        limit.count(str(number), MINUTE)
    assert len(limit._counts) <= MOST_ADDRESSES


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "10.9.9.9, 203.0.113.9", "203.0.113.9"),  # what a client writes stands before it
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("127.0.0.1", "2001:db8:1:2::77", "2001:db8:1:2::/64"),
        ("127.0.0.1", "2001:db8:1:3::77", "2001:db8:1:3::/64"),
        ("", "", ""),
    ],
)
def test_whom_a_request_counts_for(peer, forwarded, counted):
    assert address_of(peer, forwarded) == counted


def test_the_desk_says_one_sentence_whatever_was_asked_for(served):
    served.time[0] = MINUTE
    link = served.link("card", "therapist:T1", "1001", "quiet")
    kim = served.seated("therapist", "T1")
    browser = served.browser()
    here, there = {"x-forwarded-for": "203.0.113.9"}, {"x-forwarded-for": "203.0.113.10"}
    for _ in range(MOST):
        assert browser.get("/card/" + "t" * 43, headers=here).status_code == 410
    pages = {browser.get(path, headers=here).text for path in ("/sign-in", f"/card/{link}", "/card/" + "t" * 43)}
    pages |= {browser.post(path, headers=here, data={"address": "x"}).text for path in ("/sign-in", f"/in/{link}")}
    assert len(pages) == 1
    (text,) = pages
    assert TOO_OFTEN in text
    assert browser.get("/sign-in", headers=here).status_code == 429
    assert browser.get(f"/card/{link}", headers=there).status_code == 200
    assert kim.browser.get("/today", headers=here).status_code == 200, "who is signed in is not counted"
    assert browser.get("/desk.css", headers=here).status_code == 200
    served.later(SECONDS)
    assert browser.get(f"/card/{link}", headers=here).status_code == 200


@pytest.mark.long
def test_a_link_that_opens_counts_for_nothing_and_each_way_of_trying_counts(served):
    served.time[0] = MINUTE
    link = served.link("card", "therapist:T1", "1001", "quiet")
    browser = served.browser()
    here = {"x-forwarded-for": "203.0.113.9"}
    for _ in range(MOST + 5):  # a whole practice reads its mails
        assert browser.get(f"/card/{link}", headers=here).status_code == 200
    ways = (
        lambda: browser.get("/in/" + "t" * 43, headers=here),
        lambda: browser.get("/reply/" + "t" * 43, headers=here),
        lambda: browser.post(f"/card/{link}", headers=here, data={"form": "x"}),
        lambda: browser.post("/sign-in", headers=here, data={"address": "nobody@example.org"}),
    )
    for turn in range(MOST):
        assert browser.get(f"/card/{link}", headers=here).status_code == 200
        assert ways[turn % len(ways)]().status_code != 429
    assert {way().status_code for way in ways} == {429}
