"""What answers at the address of the server: the listener for Exchange, the pages for people."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.core.asgi import get_asgi_application

from keepstep.sync.delivery.front import Front
from keepstep.web.listener import Listener


def application(desk: Front) -> ASGI3Application:
    """Give the application; what is for the listener never waits for a page."""
    listener = Listener(desk)
    # Now, while there is one thread: it makes Django look at its models anew.
    import_module("keepstep.web.single_sign_on.provider")
    pages = cast("ASGI3Application", get_asgi_application())

    async def answer(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "http" and (token := listener.token_in(scope["path"])) is not None:
            await listener.answer(token, scope, receive, send)
        else:
            await pages(scope, receive, send)

    return answer
