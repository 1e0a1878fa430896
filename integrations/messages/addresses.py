"""Mail addresses: whether a text is one, and how mail carries it."""

import re
from email.headerregistry import Address

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"\\\x00-\x1f\x7f]+@[^\s@<>()\[\],;:\"\\\x00-\x1f\x7f]+")


def is_address(text: str) -> bool:
    """Whether mail can be sent to this."""
    return bool(_ADDRESS.fullmatch(text)) and _has_domain(text)


def needs_utf8(*addresses: str) -> bool:
    """Whether one of them has letters before its @ that plain mail cannot carry."""
    return not all(address.rpartition("@")[0].isascii() for address in addresses)


def _has_domain(address: str) -> bool:
    try:
        return bool(domain(address))
    except UnicodeError:
        return False


def domain(address: str) -> str:
    """Its domain in ASCII. Raises UnicodeError for one that has no such form."""
    return address.rpartition("@")[2].encode("idna").decode("ascii")


def wire(address: str) -> str:
    """An address as mail carries it: its domain in ASCII."""
    return f"{address.rpartition('@')[0]}@{domain(address)}"


def as_address(address: str, name: str = "") -> Address:
    """As a header of a mail has it, with a name."""
    return Address(display_name=name, username=address.rpartition("@")[0], domain=domain(address))
