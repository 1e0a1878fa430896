"""Codes by RFC 6238, whose own examples they meet; each works about now, and once."""

import base64

import pytest

from models.totp import STEP, address_of, code_at, new_secret, step_of

SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW = 1_795_426_200


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_examples_of_the_standard(at: int, code: str) -> None:
    assert code_at(SECRET, at, digits=8) == code
    assert code_at(SECRET, at) == code[2:]


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_a_step_off(steps: int, fits: bool) -> None:
    code = code_at(SECRET, NOW + steps * STEP)
    assert (step_of(SECRET, code, NOW, 0) == NOW // STEP + steps) is fits


def test_a_code_works_once() -> None:
    step = step_of(SECRET, f" {code_at(SECRET, NOW)[:3]} {code_at(SECRET, NOW)[3:]} ", NOW, 0)
    assert step is not None
    assert step_of(SECRET, code_at(SECRET, NOW), NOW, step) is None


@pytest.mark.parametrize("given", ["", "12345", "1234567", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666", "é" * 6])
def test_what_is_no_code_never_fits(given: str) -> None:
    assert step_of(SECRET, given, NOW, 0) is None


def test_secrets_differ_and_are_read_by_telephones() -> None:
    assert len({new_secret() for _ in range(20)}) == 20
    assert address_of(SECRET, "North side", "a@example.org") == (
        f"otpauth://totp/North%20side%3Aa%40example.org?secret={SECRET}&issuer=North+side"
    )
