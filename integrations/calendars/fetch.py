"""Getting a calendar's bytes from a file, a folder or a URL; what is not surely a whole answer raises."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from models.errors import SourceError
from models.settings_source import ADDRESSES

MOST_BYTES = 64 * 1024 * 1024
MOST_SECONDS = 60.0
_MOST_REDIRECTS = 5
_TIMEOUT = httpx.Timeout(20.0, connect=10.0)

# A calendar's private address is a password, and httpx writes every address it asks into its log.
logging.getLogger("httpx").addFilter(lambda record: record.levelno >= logging.WARNING)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a place gave: its files as (name, bytes), those written first first, or `unchanged` where the server said so.

    `etag` and `last_modified` are what to show the server next time, empty where it gave none. A URL's file is named
    for its host.
    """

    files: tuple[tuple[str, bytes], ...] = ()
    unchanged: bool = False
    etag: str = ""
    last_modified: str = ""


def is_url(place: str) -> bool:
    """Whether a place is an address rather than a path."""
    return place.lower().startswith(ADDRESSES)


def fetch(
    place: str, *, etag: str = "", last_modified: str = "", transport: httpx.BaseTransport | None = None
) -> Fetched:
    """Fetch a calendar; blocks, so call it in a thread from the event loop.

    `etag` and `last_modified` are those of the last answer that was read: leave them out when it must be read again in
    any case (another window, another zone). Raises SourceError, which names the file or the host, never the rest of an
    address.
    """
    if is_url(place):
        return _from_url(place, etag, last_modified, transport)
    path = Path(place).expanduser()
    try:
        if path.is_dir():
            return _from_folder(path)
        return Fetched(files=((path.name, _bytes_of(path)),))
    except FileNotFoundError:
        raise _refused(f"The calendar {path} is not there. Correct its path, or export it again.") from None
    except OSError as error:
        raise _refused(f"The calendar {path} cannot be read ({error.strerror}). Check who may read it.") from None


def _from_folder(folder: Path) -> Fetched:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".ics" and not path.name.startswith("."))
    if not paths:
        # A folder that is not mounted looks just like this, so it is no calendar without entries.
        raise _refused(f"The folder {folder} holds no .ics file. Correct its path, or export the calendars into it.")
    paths.sort(key=lambda path: path.stat().st_mtime_ns)
    return Fetched(files=tuple((path.name, _bytes_of(path)) for path in paths))


def _bytes_of(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise _refused(f"The calendar {path} is larger than {MOST_BYTES // 2**20} MB. Export fewer years of it.")
    return path.read_bytes()


def _from_url(place: str, etag: str, last_modified: str, transport: httpx.BaseTransport | None) -> Fetched:
    scheme, _, rest = place.partition("://")
    scheme = {"webcal": "https", "webcals": "https"}.get(scheme.lower(), scheme.lower())
    headers = {"Accept": "text/calendar, */*;q=0.1", "User-Agent": "Tending calendar reader"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    host = "its server"
    try:
        url = httpx.URL(f"{scheme}://{rest}")
        host = url.host or host
        with httpx.Client(timeout=_TIMEOUT, transport=transport, headers=headers) as client:
            return _asked(client, client.build_request("GET", url), time.monotonic() + MOST_SECONDS)
    except httpx.TimeoutException:
        raise _refused(f"The calendar at {host} did not answer in time. It is tried again at the next sync.") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise _refused(f"The address of the calendar at {host} cannot be right. Copy it anew.") from None
    except (httpx.HTTPError, UnicodeError):
        raise _refused(f"The calendar at {host} cannot be reached. Check the connection and the address.") from None


def _asked(client: httpx.Client, request: httpx.Request, deadline: float) -> Fetched:
    host = request.url.host
    for _ in range(_MOST_REDIRECTS + 1):
        host = request.url.host
        response = client.send(request, stream=True)
        try:
            onward = response.next_request
            if onward is None:
                return _answer(response, host, deadline)
        finally:
            response.close()
        if request.url.scheme == "https" and onward.url.scheme != "https":
            raise _refused(
                f"The calendar at {host} sends on to an address that is not encrypted. Copy its address anew."
            )
        request = onward
    raise _refused(f"The calendar at {host} sends on from one address to the next without end. Copy its address anew.")


def _answer(response: httpx.Response, host: str, deadline: float) -> Fetched:
    if response.status_code == httpx.codes.NOT_MODIFIED:
        return Fetched((), True, *_validators(response))
    if response.status_code != httpx.codes.OK:
        raise _refused(f"The calendar at {host} {_refusal(response.status_code)}")
    if "html" in response.headers.get("content-type", "").lower():
        raise _refused(
            f"The address at {host} gives a web page, not a calendar: probably a login page. "
            "Copy the calendar's private iCal address from its settings."
        )
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise _refused(
                f"The calendar at {host} is larger than {MOST_BYTES // 2**20} MB. Publish fewer years of it."
            )
        if time.monotonic() > deadline:
            raise _refused(f"The calendar at {host} did not come in time. It is tried again at the next sync.")
    return Fetched(((host, bytes(body)),), False, *_validators(response))


def _validators(response: httpx.Response) -> tuple[str, str]:
    return response.headers.get("etag", ""), response.headers.get("last-modified", "")


def _refusal(status: int) -> str:
    if status in (401, 403):
        return f"refused (status {status}). Check that it is still shared, and copy its private address anew."
    if status in (404, 410):
        return f"is not there any more (status {status}). Copy its address anew from the calendar's settings."
    if status == 429 or status >= 500:
        return f"could not answer now (status {status}). It is tried again at the next sync."
    return f"gave an unexpected answer (status {status}). Copy its address anew from the calendar's settings."


def _refused(sentence: str) -> SourceError:
    return SourceError(f"{sentence} Nothing was taken from it.")
