"""A real web server for what a practice meets on the web: a calendar that is read, a pager that is sent to, a watchdog that is called."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE, ALIVE = "/page", "/alive"


class Web:
    """Where it listens, and the two files in which it keeps what it heard, a line each: pages whole, and of each call of the
    watchdog whether the calendar that had gone was there."""

    def __init__(self, port: int, base: Path) -> None:
        self.calendar = f"http://127.0.0.1:{port}/t1.ics"
        self.pages, self.pings = base / "pages", base / "pings"
        self.environment = {"STORY_PAGER": f"json://127.0.0.1:{port}{PAGE}"}
        self.watchdog = {"TENDING_WATCHDOG_URL": f"http://127.0.0.1:{port}{ALIVE}"}

    def forget(self) -> None:
        """As if nobody had called."""
        for file in (self.pages, self.pings):
            file.unlink(missing_ok=True)


def heard(file: Path | str) -> list[str]:
    """The lines of one of them, as they came."""
    return Path(file).read_text(encoding="utf-8").splitlines() if Path(file).exists() else []


@contextmanager
def serving(base: Path) -> Iterator[Web]:
    """Serves `base / "practice"` until the end, and keeps what it hears in `base`. Each line is kept before the answer is given."""
    folder, keeping = base / "practice", threading.Lock()

    class Answer(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != ALIVE:
                super().do_GET()
                return
            self._keep(web.pings, json.dumps((folder / "t2.ics").exists()))

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if (
                self.path.rstrip("/") == PAGE and len(body) == length
            ):  # of who dies on the way half arrives, which is nothing
                self._keep(web.pages, json.dumps(json.loads(body), sort_keys=True))

        def _keep(self, file: Path, line: str) -> None:
            with keeping, file.open("a", encoding="utf-8") as kept:
                kept.write(f"{line}\n")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: Answer(*given, directory=str(folder))) as server:
        web = Web(server.server_port, base)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield web
        server.shutdown()
        thread.join()
