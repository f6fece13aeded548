"""What the package takes from other makers is what the lock names; translations are compiled."""

from __future__ import annotations

import gettext
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import hatch_build
from hatch_build import BuildRefused
from keepstep.web.navigation import MENU

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / hatch_build.VENDOR
TEMPLATES = ROOT / "src/keepstep/web/templates"
REMEDY = "Remove .venv/.installed-dev and run `make install-dev`."

GERMAN = """
msgid ""
msgstr ""
"Language: de\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

#, python-format
msgid "%d operator in step"
msgid_plural "%d operators in step"
msgstr[0] "%d Benutzer im Gleichschritt"
msgstr[1] "{many}"
"""


def locked_packages() -> dict[str, dict[str, Any]]:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    return {path: entry for path, entry in lock["packages"].items() if path}


def translation(folder: Path, many: str) -> Path:
    source = folder / "de" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(GERMAN.replace("{many}", many), encoding="utf-8")
    return source


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A root in which one vendored file stands, as made from a lock."""
    for name in hatch_build.MADE_FROM:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    hatch_build.write_vendored(tmp_path, {"icons/x.svg": b"<svg/>"})
    return tmp_path


def test_the_lock_holds_a_hash_of_every_package() -> None:
    for path, entry in locked_packages().items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", entry["integrity"]), path


def test_the_lock_names_no_address() -> None:
    assert "resolved" not in {key for entry in locked_packages().values() for key in entry}
    for name in ("package-lock.json", "package.json", ".npmrc"):
        assert "://" not in (ROOT / name).read_text(encoding="utf-8"), name


def test_the_pages_take_exact_versions() -> None:
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert locked_packages()[f"node_modules/{name}"]["version"] == version


def test_the_vendored_files_are_those_of_the_locked_packages() -> None:
    assert hatch_build.is_fresh(ROOT), REMEDY
    assert hatch_build.has_packages(ROOT), REMEDY
    there = {
        path.relative_to(VENDOR).as_posix(): path.read_bytes()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != hatch_build.MANIFEST
    }
    assert there == hatch_build.vendored(ROOT)


def test_no_vendored_script_or_style_asks_for_another_file() -> None:
    for path in (*VENDOR.glob("*.js"), *VENDOR.glob("*.css")):
        content = path.read_text(encoding="utf-8")
        assert "sourceMappingURL" not in content, path
        assert "@import" not in content, path
        assert "url(" not in content, path


def test_every_vendored_package_comes_with_its_licence() -> None:
    licences = (VENDOR / hatch_build.LICENCES).read_text(encoding="utf-8")
    for path, entry in locked_packages().items():
        title = f"{path.removeprefix('node_modules/')} {entry['version']}\n"
        assert (title in licences) is not entry.get("dev", False)


def test_every_icon_of_the_pages_is_taken_along() -> None:
    named = {entry.icon for entry in MENU} | {
        name
        for template in TEMPLATES.rglob("*.html")
        for name in re.findall(r'{% icon "([^"]+)"', template.read_text(encoding="utf-8"))
    }
    assert named <= set(hatch_build.ICONS), "Add the icon to ICONS in hatch_build.py."


def test_the_parts_are_made_anew_when_the_lock_changes(made: Path) -> None:
    assert hatch_build.is_fresh(made)
    with (made / "package-lock.json").open("a") as lock:
        lock.write("\n")
    assert not hatch_build.is_fresh(made)


def test_the_parts_are_made_anew_when_one_was_altered_or_lost(made: Path) -> None:
    part = made / hatch_build.VENDOR / "icons/x.svg"
    part.write_bytes(b"<svg onload='x'/>")
    assert not hatch_build.is_fresh(made)
    part.unlink()
    assert not hatch_build.is_fresh(made)


def test_nothing_stays_of_parts_that_are_no_longer_taken(made: Path) -> None:
    hatch_build.write_vendored(made, {"htmx.min.js": b"1"})
    assert not (made / hatch_build.VENDOR / "icons").exists()


def test_a_wrong_hash_is_told_apart_from_a_registry_out_of_reach() -> None:
    assert "not that of package-lock.json" in hatch_build.explain("npm error code EINTEGRITY")
    told = hatch_build.explain("npm error code ECONNREFUSED")
    assert "HTTPS_PROXY" in told
    assert told.endswith("npm error code ECONNREFUSED")


def test_a_translation_is_compiled_beside_its_source(tmp_path: Path) -> None:
    source = translation(tmp_path, "%d Benutzer im Gleichschritt, alle")
    hatch_build.compile_translations(tmp_path)
    compiled = gettext.GNUTranslations(io.BytesIO(source.with_suffix(".mo").read_bytes()))
    words = compiled.ngettext("%d operator in step", "%d operators in step", 7)
    assert words == "%d Benutzer im Gleichschritt, alle"


def test_a_translation_that_loses_a_placeholder_is_refused(tmp_path: Path) -> None:
    translation(tmp_path, "%s Benutzer im Gleichschritt")
    with pytest.raises(BuildRefused, match=r"django\.po, line \d+: "):
        hatch_build.compile_translations(tmp_path)


def test_a_broken_translation_is_refused(tmp_path: Path) -> None:
    translation(tmp_path, 'an end"\nwithout quotes')
    with pytest.raises(BuildRefused, match=r"django\.po can't be compiled"):
        hatch_build.compile_translations(tmp_path)
