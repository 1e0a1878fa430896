"""Policy: working hours that never open are refused, wherever the layers that make them lie."""

from dataclasses import fields
from typing import Any

import pytest

from models.errors import SettingsError
from models.policy import Policy
from models.policy_layers import PolicyBook

EARLY, LATE = {"work_until": "12:00"}, {"work_from": "13:00"}
CODE = "C-7F3K9QX"


@pytest.mark.parametrize(
    ("layers", "where"),
    [
        ({"practice": {"work_from": "18:00"}}, "practice"),
        ({"practice": {"work_from": "22:00", "work_until": "06:00"}}, "practice"),
        ({"practice": {"work_from": "09:00", "work_until": "09:00"}}, "practice"),
        ({"practice": EARLY, "therapists": {"T1": LATE}}, "therapist T1"),
        ({"sites": {"North": EARLY}, "therapists": {"T1": LATE}}, "site North with therapist T1"),
        ({"therapists": {"T1": EARLY}, "clients": {CODE: LATE}}, f"therapist T1 with client {CODE}"),
    ],
)
def test_hours_that_never_open_are_refused_and_the_layers_named(layers: dict[str, Any], where: str) -> None:
    with pytest.raises(SettingsError, match=rf"policy \({where}\): working hours from .* never open; set both"):
        PolicyBook(**layers)


@pytest.mark.parametrize(
    "layers",
    [
        {"practice": {"work_from": "00:00", "work_until": "23:59"}},
        {"practice": EARLY, "therapists": {"T1": {**LATE, "work_until": "20:00"}}},
        {"sites": {"North": EARLY, "South": LATE}, "therapists": {"T1": {"quiet_after_days": 21}}},
    ],
)
def test_hours_that_open_stand(layers: dict[str, Any]) -> None:
    book = PolicyBook(**layers)
    policy = book.of("North", "T1").policy
    assert policy.work_from < policy.work_until


@pytest.mark.parametrize("time", ["8:00", "24:00", "08:60", "0800", "٠٨:٠٠", "08:00 ", ""])
def test_what_is_no_time_of_day_is_refused(time: str) -> None:
    with pytest.raises(SettingsError, match="a time such as 08:00"):
        PolicyBook({"work_from": time})


@pytest.mark.parametrize("peer", [3, "T2\n", "x" * 41, "T2;T3"])
def test_who_confirms_endings_is_a_therapists_id(peer: Any) -> None:
    with pytest.raises(SettingsError, match="ending_confirmed_by_peer has to be a therapist's id"):
        PolicyBook({"ending_confirmed_by_peer": peer})


def test_who_confirms_endings_may_differ_for_each_therapist() -> None:
    book = PolicyBook({"ending_confirmed_by_peer": "T2"}, therapists={"T2": {"ending_confirmed_by_peer": "Dr Ü."}})
    assert book.of(therapist="T1").policy.ending_confirmed_by_peer == "T2"
    assert book.of(therapist="T2").policy.ending_confirmed_by_peer == "Dr Ü."
    assert PolicyBook().of().line("ending_confirmed_by_peer").startswith("ending_confirmed_by_peer = none (default")


def test_a_reason_reads_as_a_statement_before_its_value() -> None:
    asked = [field.name for field in fields(Policy) if "?" in field.metadata["reason"]]
    assert asked == []
