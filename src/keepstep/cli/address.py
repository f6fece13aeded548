"""HOST:PORT on the command line."""

from __future__ import annotations

import click


class Bind(click.ParamType):  # type: ignore[type-arg]  # older ones of click are not generic
    """HOST:PORT; an IPv6 address in square brackets. Gives host and port."""

    name = "HOST:PORT"

    def convert(
        self,
        value: str | tuple[str, int],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, int]:
        """Read the address; anything else is a usage error."""
        if isinstance(value, tuple):
            return value
        host, colon, port = value.rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        bracketed = host != bare
        if not colon or not bare or (":" in bare) != bracketed:
            self.fail(f"{value[:60]!r} is not HOST:PORT such as 127.0.0.1:8000.", param, ctx)
        if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
            self.fail(f"{port[:20]!r} is no port from 0 to 65535.", param, ctx)
        return bare, int(port)
