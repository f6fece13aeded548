"""HTML to plain text, by the library inscriptis, made safe against pages that mean harm.

What could make the text far larger than its page is kept from the library: lengths in style
sheets, columns padded to equal width, deep indentation. Cells of a row stand side by side, since
the tables of invitations are there for their looks.
"""

# The library comes without types.
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from inscriptis import get_text
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_document_state import HtmlDocumentState
from inscriptis.model.html_element import HtmlElement
from inscriptis.model.tag import CustomHtmlTagHandlerMapping
from inscriptis.model.tag.list_tag import ol_start_handler, ul_start_handler

from keepstep.core.text import clean

# Longer pages are not laid out: their tags are dropped, which costs next to nothing.
LAID_OUT = 500_000
_DEEPEST_INDENT = 24
_LONGEST_ADDRESS = 4000

# Marks put into the text while it is made; a cleaned page holds none of them.
_OPEN, _MIDDLE, _CLOSE, _CELL = "\x02", "\x03", "\x04", "\x05"
_LINK = re.compile("\x02([^\x02\x03\x04]*)\x03([^\x02\x03\x04]*)\x04")
_LOOSE_LINK = re.compile("\x03([^\x02\x03\x04]*)\x04")
_CELLS = re.compile("(?:\x05 ?)+")
_BLANK_LINES = re.compile(r"\n{3,}")

# At the end of a page: the library's parser stops in silence at what is nested too deeply.
_END = "\ufdd0"

_TOKEN = re.compile(r"<!--|-->|<[^<>]*>")
_TAG_NAME = re.compile(r"</?\s*([a-z][a-z0-9]*)", re.IGNORECASE)
_HREF = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_UNSEEN = frozenset({"script", "style", "head", "title"})
_BLOCKS = frozenset(
    {"br", "p", "div", "tr", "li", "ul", "ol", "table", "pre", "blockquote", "hr"}
    | {f"h{level}" for level in range(1, 7)}
)

_SCHEME = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_NO_ADDRESS = re.compile(r"(?:#|javascript:|vbscript:|data:|cid:|about:)", re.IGNORECASE)


def text_of_page(page: str) -> str:
    """Give the plain text of a page that was cleaned (`text.clean`)."""
    page = page.replace(_END, "")
    text = _laid_out(page) if len(page) <= LAID_OUT else None
    if text is None:
        text = _without_tags(page)
    text = _LOOSE_LINK.sub(_loose_link, _LINK.sub(_link, text))
    text = clean(_CELLS.sub("  ", text))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", text).strip()


def _laid_out(page: str) -> str | None:
    """Give the text as the library lays it out; None where it can't."""
    if not page.strip():
        return ""
    # The library resolves entities once more after its parser did.
    doubled = page.replace("&amp;", "&amp;amp;") + _END
    try:
        text = get_text(doubled, _configuration())
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError):
        return None
    return text.replace(_END, "") if _END in text else None


def _configuration() -> ParserConfig:
    """Give the library's settings; new ones each time, as it keeps state in them."""
    css = dict(STRICT_CSS_PROFILE)
    css["body"] = css["body"].__copy__()
    css["table"] = css["tr"] = HtmlElement(display=Display.block)
    handlers = CustomHtmlTagHandlerMapping(
        start_tag_mapping={
            "a": _begin_link,
            "ul": _begin_bullets,
            "ol": _begin_numbers,
            "table": _nothing,
            "tr": _nothing,
            "td": _nothing,
            "th": _nothing,
        },
        end_tag_mapping={
            "a": _end_link,
            "table": _end_nothing,
            "td": _end_cell,
            "th": _end_cell,
        },
    )
    configuration = ParserConfig(css=css, custom_html_tag_handler_mapping=handlers)
    configuration.attribute_handler.attribute_mapping = {"style": _apply_style}
    return configuration


def _apply_style(style: str, element: HtmlElement) -> None:
    if "display:none" in style.lower().replace(" ", ""):
        element.display = Display.none


def _nothing(state: HtmlDocumentState, attributes: Mapping[str, str]) -> None:
    """Stand in for a handler of the library that is not wanted."""


def _end_nothing(state: HtmlDocumentState) -> None:
    """Stand in for a handler of the library that is not wanted."""


def _end_cell(state: HtmlDocumentState) -> None:
    state.tags[-1].write(_CELL)


def _begin_bullets(state: HtmlDocumentState, attributes: Mapping[str, str]) -> None:
    _limit_indent(state)
    ul_start_handler(state, dict(attributes))


def _begin_numbers(state: HtmlDocumentState, attributes: Mapping[str, str]) -> None:
    _limit_indent(state)
    ol_start_handler(state, dict(attributes))


def _limit_indent(state: HtmlDocumentState) -> None:
    if state.canvas.left_margin >= _DEEPEST_INDENT:
        state.tags[-1].padding_inline = 0


def _begin_link(state: HtmlDocumentState, attributes: Mapping[str, str]) -> None:
    state.link_target = _address(attributes.get("href", ""))
    if state.link_target:
        state.tags[-1].write(_OPEN)


def _end_link(state: HtmlDocumentState) -> None:
    if state.link_target:
        # The library resolves entities in what it writes.
        address = state.link_target.replace("&amp;", "&").replace("&", "&amp;")
        state.tags[-1].write(f"{_MIDDLE}{address}{_CLOSE}")
        state.link_target = ""


def _address(href: str) -> str:
    """Give the address of a link worth keeping, without white space; "" for others."""
    address = clean("".join(href.split()))
    return "" if _NO_ADDRESS.match(address) or len(address) > _LONGEST_ADDRESS else address


def _link(match: re.Match[str]) -> str:
    text, address = match[1], match[2]
    if not text.strip():
        return f"{text}<{address}>" if address else text
    if _bare(text) == _bare(address):
        return text
    kept = text.rstrip()
    return f"{kept} <{address}>{text[len(kept) :]}"


def _loose_link(match: re.Match[str]) -> str:
    return f" <{match[1]}>"


def _bare(address: str) -> str:
    """Reduce an address to what a reader would compare: no scheme, no last slash, any case."""
    return _SCHEME.sub("", address.strip(), count=1).rstrip("/").casefold()


def _without_tags(page: str) -> str:
    """Drop the tags, in time that grows with the page alone; links and lines are kept."""
    pieces: list[str] = []
    hidden, position, target = "", 0, ""
    for token in _TOKEN.finditer(page):
        tag = token[0]
        if not hidden:
            pieces.append(html.unescape(page[position : token.start()]))
        position = token.end()
        if tag in ("<!--", "-->"):
            hidden = _after_comment_mark(hidden, tag)
            continue
        name = _name(tag)
        if hidden:
            if hidden == name and tag.startswith("</"):
                hidden = ""
        elif name in _UNSEEN:
            hidden = "" if tag.startswith("</") else name
        elif name == "a":
            target, mark = _link_mark(tag, target)
            pieces.append(mark)
        elif name in _BLOCKS:
            pieces.append("\n")
        elif name in ("td", "th") and tag.startswith("</"):
            pieces.append(_CELL)
        elif not name:
            pieces.append(tag)
    if not hidden:
        pieces.append(html.unescape(page[position:]))
    return "".join(pieces)


def _after_comment_mark(hidden: str, mark: str) -> str:
    if mark == "<!--":
        return hidden or "!"
    return "" if hidden == "!" else hidden


def _name(tag: str) -> str:
    """Give the name of a tag; "!" for a declaration, "" for what is no tag."""
    if tag.startswith(("<!", "<?")):
        return "!"
    found = _TAG_NAME.match(tag)
    return found[1].lower() if found else ""


def _link_mark(tag: str, target: str) -> tuple[str, str]:
    """Give the address of the link that is open after the tag, and what to put for the tag."""
    closing = f"{_MIDDLE}{target}{_CLOSE}" if target else ""
    if tag.startswith("</"):
        return "", closing
    found = _HREF.search(tag[: 2 * _LONGEST_ADDRESS])
    address = _address(html.unescape(found[1] or found[2] or found[3] or "")) if found else ""
    return address, closing + (_OPEN if address else "")
