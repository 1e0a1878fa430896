"""The process that is the embedded Prefect server: it serves on a socket it was handed and ends when whoever started
it does.

Run as a file (`python -P server_process.py SOCKET PORT`), so that it needs nothing of this project on its path.
Standard input is its lifeline: the starter holds the other end and never writes; end of file means that the starter
is gone, however it died.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

GRACE_SECONDS = 3
NAMES = (b"127.0.0.1", b"localhost")  # it listens on no IPv6 address


class OnlyThisMachine:
    """Refuses requests that a web page of another origin makes through the browser on this machine, and keeps the
    pages from calling out: Prefect's API has no users, so the browser must not be a way into it or out of it."""

    def __init__(self, app: App, port: int) -> None:
        self.app = app
        self.origins = {b"http://%s:%d" % (name, port) for name in NAMES}
        places = b" ".join(sorted(self.origins | {b"ws" + origin[4:] for origin in self.origins}))
        self.policy = (b"content-security-policy", b"connect-src 'self' " + places)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"")
        origin = headers.get(b"origin")
        known_host = any(host == name or host.startswith(name + b":") for name in NAMES)
        if not known_host or (origin is not None and origin not in self.origins and origin != b"http://" + host):
            await self.refuse(scope, receive, send)
            return

        async def send_with_policy(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), self.policy]
            await send(message)

        await self.app(scope, receive, send_with_policy)

    async def refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 to a request, close a websocket before it opens."""
        await receive()
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"Only pages of this server may ask it."})


def end_with_the_starter() -> None:
    """Wait for end of file on standard input, then stop in order, and at the latest some seconds later in any case."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS + 5)  # a thread of its own: nothing waits for it
    os._exit(1)


def main(descriptor: int, port: int) -> int:
    """Serve until told to stop; 3 when the server could not start."""
    threading.Thread(target=end_with_the_starter, daemon=True).start()

    # Imported after the lifeline is watched: it takes seconds, in which the starter may die.
    import uvicorn
    from prefect.server.api.server import create_app

    app = OnlyThisMachine(create_app(final=True), port)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    server.run(sockets=[socket.socket(fileno=descriptor)])
    return 0 if server.started else 3


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
