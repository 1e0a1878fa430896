"""How often one address may try links that open nothing, or have links mailed: in memory, by the minute, forgotten with it.

A link that opens counts for nothing: a practice behind one address opens its cards as often as it likes.
"""

from collections import Counter
from ipaddress import IPv6Address, ip_address

from models.instants import Instant

SECONDS = 60
MOST = 60  # tries of one address in that time; a person with old mails needs far fewer
MOST_ADDRESSES = 20_000  # so many are counted at once, so that asking from everywhere fills no memory
TOO_OFTEN = "That was asked for too often from where you are. Wait a minute, then try again."


class Limit:
    """Counts tries of addresses, this minute's alone."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts = Counter[str]()

    def allows(self, address: str, now: Instant) -> bool:
        """Whether that address is answered: it has tried less often than it may."""
        return now // SECONDS != self._minute or self._counts[address] < MOST

    def count(self, address: str, now: Instant) -> None:
        """That address has tried once more."""
        minute = now // SECONDS
        if minute != self._minute or len(self._counts) >= MOST_ADDRESSES:
            self._minute = minute
            self._counts.clear()
        self._counts[address] += 1


def address_of(peer: str, forwarded: str) -> str:
    """Whom a request counts for: the last address that the web server in front wrote down, which nobody else can write, else whoever
    connected; of IPv6 the network that one household or machine has to itself."""
    word = forwarded.rpartition(",")[2].strip() or peer
    try:
        found = ip_address(word)
    except ValueError:
        return peer
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    return found.compressed if found.version == 4 else f"{IPv6Address(int(found) >> 64 << 64)}/64"
