"""One telling of the story after another, each from the same prepared practice, on either database."""

import shutil
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from integrations.messages.mailbox import Mailbox, read_mails
from tests.faults import story as the_story
from tests.faults.clinic import Clinic
from tests.faults.kills import Forge, Point, read_trace
from tests.faults.outcome import is_question, outcome
from tests.faults.web import Web


class Telling:
    """The prepared practice, put back before each telling at the same place, and what it meets outside."""

    def __init__(
        self, base: Path, mailbox: Mailbox, web: Web | None = None, server: str = "", story: ModuleType = the_story
    ) -> None:
        """`story` is a module with `prepare`, which is also the warm process that tells it. Without `web` nobody has a pager."""
        self._base = base
        self._mailbox, self._web = mailbox, web
        self._saved = base / "saved"
        self._server = make_url(server).set(drivername="postgresql") if server else None
        url = self._server.set(database="story").render_as_string(hide_password=False) if self._server else ""
        met = {"web": web.calendar, "pager": str(web.pages)} if web else {}
        self.clinic = Clinic(base / "practice", mailbox.port, url=url, **met)
        self.forge = self.a_forge(story.__name__)
        if self._server:
            self._sql("CREATE DATABASE story TEMPLATE template0")
        story.prepare(self.clinic)
        self.clinic.folder.rename(self._saved)
        if self._server:
            self._sql("ALTER DATABASE story RENAME TO prepared")

    def a_forge(self, module: str, **environment: str) -> Forge:
        """A warm process that knows where the pager is."""
        return Forge(module, **(self._web.environment if self._web else {}), **environment)

    def put_back(self) -> None:
        """As it was prepared: no mail, no page, and nobody asked."""
        if self._web:
            self._web.forget()
        for folder in (self.clinic.folder, self._mailbox.folder):
            shutil.rmtree(folder, ignore_errors=True)
        self._mailbox.folder.mkdir()
        (self._base / "asked").unlink(missing_ok=True)
        shutil.copytree(self._saved, self.clinic.folder)
        if self._server:
            self._sql("DROP DATABASE IF EXISTS story WITH (FORCE)", "CREATE DATABASE story TEMPLATE prepared")

    def tell(self, *, kill: int | None = None, first: int = 0, trace: str = "trace", **given: Any) -> int:
        """Tell the story in a process of its own. Answers how that ended."""
        return self.ask(self.forge, "tell", kill=kill, first=first, trace=self._base / trace, **given)

    def ask(self, forge: Forge, do: str, **given: Any) -> int:
        """Let a forge do something with this practice."""
        usual = {"trace": "", "kill": None, "mails": self._mailbox.folder, "asked": self._base / "asked"}
        return forge.run(do=do, **asdict(self.clinic), **usual | given)

    def trace(self) -> list[Point]:
        return read_trace(self._base / "trace")

    def outcome(self) -> dict[str, Any]:
        return outcome(self.clinic, self._mailbox.folder)

    def asked(self) -> int:
        """How often a person was asked whether a message had arrived."""
        file = self._base / "asked"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def questions(self) -> int:
        return sum(map(is_question, read_mails(self._mailbox.folder)))

    def close(self) -> None:
        self.forge.close()
        if self._server:
            self._sql("DROP DATABASE IF EXISTS story WITH (FORCE)", "DROP DATABASE IF EXISTS prepared WITH (FORCE)")

    def _sql(self, *statements: str) -> None:
        assert self._server is not None
        with psycopg.connect(self._server.render_as_string(hide_password=False), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)
