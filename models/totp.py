"""Codes that change every half minute (TOTP, RFC 6238): the second factor of an account that has one."""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

from models.instants import Instant

STEP = 30  # seconds
DIGITS = 6
DRIFT = 1  # steps that a telephone's clock may be ahead or behind
TRIES = 5  # wrong codes before a sign-in link opens nothing any more


def new_secret() -> str:
    """160 random bits, as telephones take them (base32)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, at: Instant, digits: int = DIGITS) -> str:
    """The code of an instant."""
    counter = (at // STEP).to_bytes(8, "big")
    mac = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(secret: str, code: str, at: Instant, after: int) -> int | None:
    """The step that a code belongs to, if it is one of about now and later than the step `after` (the last one that was used); else None.

    Spaces are taken as people write them.
    """
    given = "".join(code.split())
    now = at // STEP
    for step in range(now - DRIFT, now + DRIFT + 1):
        if step > after and hmac.compare_digest(code_at(secret, step * STEP), given if given.isascii() else ""):
            return step
    return None


def address_of(secret: str, practice: str, account: str) -> str:
    """What a telephone's app reads, as text or as a picture."""
    label = quote(f"{practice}:{account}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': practice})}"
