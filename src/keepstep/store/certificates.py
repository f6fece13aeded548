"""Files of certificates to be trusted, as the setting `ca_file` names one."""

from __future__ import annotations

import ssl
from pathlib import Path

from keepstep.store.fields import shown

LARGEST_CERTIFICATES = 2_000_000


def check_certificates(path: str) -> None:
    """Raise ValueError, words that go on from the setting's name, for a file that is none."""
    try:
        with Path(path).open(encoding="ascii", errors="replace") as file:
            certificates = file.read(LARGEST_CERTIFICATES + 1)
        if len(certificates) > LARGEST_CERTIFICATES:
            raise ValueError(f"must have at most {LARGEST_CERTIFICATES} bytes of certificates")
        ssl.create_default_context(cadata=certificates)
    except ssl.SSLError:
        raise ValueError(
            f"must be a file of PEM certificates, which {shown(path)} is not"
        ) from None
    except (OSError, ValueError) as error:
        if str(error).startswith("must"):
            raise
        reason = error.strerror if isinstance(error, OSError) else "it holds no certificate"
        raise ValueError(f"names {shown(path)}, which can't be used: {reason}") from None
