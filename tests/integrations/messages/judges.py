"""Programs that none of us wrote, which say whether an invitation is one: ical.js, as Thunderbird uses it, libical, and a CalDAV server
that takes invitations in from mail."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from tests.needs import need

HERE = Path(__file__).parent
ICAL_JS = "ical.js@2.2.1"
XANDIKOS = "xandikos==0.4.10"
SYSTEM_PYTHON = "/usr/bin/python3"


def _cache(name: str) -> Path:
    """A folder of the user's cache, where such a program lies once it was fetched."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tending-tests" / name


@cache
def _ical_js() -> tuple[str, str]:
    """Node, and where ical.js lies: fetched once into the user's cache. Empty where either is not to be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    folder = _cache(ICAL_JS.replace("@", "-"))
    module = folder / "node_modules" / "ical.js" / "dist" / "ical.js"
    if node and npm and not module.exists():
        folder.mkdir(parents=True, exist_ok=True)
        words = [npm, "install", "--prefix", f"{folder}", "--ignore-scripts", "--no-audit", "--no-fund", ICAL_JS]
        subprocess.run(words, check=False, capture_output=True, timeout=120)
    return (node or "", f"{module}" if module.exists() else "")


def held_by_ical_js(texts: Iterable[str]) -> list[dict[str, Any]]:
    """The events that a calendar holds which has taken in these messages, in this order."""
    node, module = _ical_js()
    if not node:
        need("node and npm", "ical.js reads our invitations as Thunderbird does", "apt-get install nodejs npm")
    if not module:
        need(
            ICAL_JS, "it reads our invitations as Thunderbird does", f"npm install {ICAL_JS} with the network reachable"
        )
    done = subprocess.run(
        [node, f"{HERE / 'receiver.mjs'}", module],
        input=json.dumps(list(texts)),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@cache
def _has_libical() -> bool:
    if not Path(SYSTEM_PYTHON).exists():
        return False
    loads = "import gi; gi.require_version('ICalGLib', '3.0')"
    return subprocess.run([SYSTEM_PYTHON, "-c", loads], check=False, capture_output=True).returncode == 0


def wrong_by_libical(text: str) -> list[str]:
    """What of an iTIP message breaks the tables of RFC 5546."""
    if not _has_libical():
        need(
            "libical for the system's Python",
            "it checks our invitations by RFC 5546's tables",
            "apt-get install gir1.2-ical-3.0 python3-gi",
        )
    done = subprocess.run(
        [SYSTEM_PYTHON, f"{HERE / 'restrictions.py'}"], input=text.encode(), capture_output=True, check=True, timeout=60
    )
    return [line for line in done.stdout.decode().splitlines() if line]


@cache
def _xandikos() -> str:
    """The server's program, in an environment of its own: what it needs would not fit beside ours. Empty where it is not to be had."""
    folder = _cache(f"{XANDIKOS.replace('==', '-')}-py{sys.version_info.major}.{sys.version_info.minor}")
    program = folder / "bin" / "xandikos"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", f"{folder}"], check=False, capture_output=True, timeout=120)
        words = [f"{folder / 'bin' / 'pip'}", "install", "--quiet", "--disable-pip-version-check", XANDIKOS]
        subprocess.run(words, check=False, capture_output=True, timeout=300)
    return f"{program}" if program.exists() else ""


def calendar_of_xandikos(mails: Iterable[bytes], folder: Path) -> list[str]:
    """What lies in somebody's calendar on a CalDAV server that takes in these mails, in this order."""
    program = _xandikos()
    if not program:
        enable = f"pip install {XANDIKOS} with the network reachable"
        need(XANDIKOS, "a calendar server acts on our invitations as they arrive by mail", enable)
    words = [program, "import-imip", "-d", f"{folder}", "--principal", "/t1/", "--autocreate"]
    for mail in mails:
        subprocess.run(words, input=mail, check=True, capture_output=True, timeout=60)
    entries = sorted((folder / "t1" / "calendars" / "calendar").glob("*.ics"))
    return [entry.read_text(encoding="utf-8") for entry in entries]
