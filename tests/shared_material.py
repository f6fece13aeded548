"""The material that the tests share with the project's other repositories: schemas and samples.

It is not part of this repository. It is found by the environment variable ``KEEPSTEP_SHARED``, or
beside the repository as ``../shared``.
"""

import os
from pathlib import Path

_BESIDE = Path(__file__).resolve().parents[2] / "shared"


def shared(*parts: str) -> Path:
    """Give the path of a shared file or folder. Raises FileNotFoundError with the remedy."""
    root = Path(os.environ.get("KEEPSTEP_SHARED") or _BESIDE)
    path = root.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing. Put the shared material (ews-schema, ews-samples) beside the "
            "repository as ../shared, or name its folder in KEEPSTEP_SHARED."
        )
    return path
