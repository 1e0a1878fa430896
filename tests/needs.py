"""What tests need from the machine: a skip that says what is missing, why it matters and which command enables it."""

from typing import NoReturn

import pytest


def need(what: str, why: str, enable: str) -> NoReturn:
    """Skip the running test because `what` is not here; `enable` is one command. A failure with TENDING_REQUIRE=all."""
    pytest.skip(f"needs {what} ({why}); to enable: {enable}")
