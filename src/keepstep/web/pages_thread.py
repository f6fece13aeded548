"""The pages served by a thread of this process, beside what else it does."""

from __future__ import annotations

import socket
import threading
from importlib import import_module
from types import TracebackType

import uvicorn
from django.core.asgi import get_asgi_application

USUAL_PORT = 8000
_SECONDS_TO_STOP = 3


class PagesThread:
    """A context manager: within it the pages answer at `url`, to this machine alone.

    The port is the usual one, or any where that is taken.
    """

    def __init__(self) -> None:
        # Now, while there is one thread: it makes Django look at its models anew.
        import_module("keepstep.web.single_sign_on.provider")
        self._socket = _listening()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            get_asgi_application(),
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=_SECONDS_TO_STOP,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="keepstep-pages", daemon=True
        )

    def __enter__(self) -> PagesThread:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=_SECONDS_TO_STOP + 1)
        self._socket.close()


def _listening() -> socket.socket:
    for port in (USUAL_PORT, 0):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError:
            listening.close()
        else:
            listening.listen()
            return listening
    raise OSError("no port is free")
