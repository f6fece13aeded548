"""Bodies as text and as HTML, each from the other, as a server does on request."""

import re
from html import escape as html_escape

from lxml import html

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BLOCKS = frozenset(
    ("p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "blockquote", "hr")
)
_SILENT = frozenset(("head", "style", "script", "title"))


def xml(text: str) -> str:
    """Text for an element or a quoted attribute; characters that XML forbids are left out."""
    if _FORBIDDEN.search(text):
        text = _FORBIDDEN.sub("", text)
    if "&" in text or "<" in text or ">" in text or '"' in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        text = text.replace('"', "&quot;")
    return text.replace("\r", "&#xD;") if "\r" in text else text


def html_of(text: str) -> str:
    """Give a text body in the simple page that a server wraps around it."""
    lines = html_escape(text, quote=False).replace("\n", "<br>\n")
    return (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
        f'</head><body><div class="PlainText">{lines}</div></body></html>'
    )


def text_of(markup: str) -> str:
    """Give an HTML body as plain text: blocks on lines of their own, links behind their words."""
    if not markup.strip():
        return ""
    parts: list[str] = []
    _collect(html.document_fromstring(markup), parts)
    lines = (re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _collect(element: html.HtmlElement, parts: list[str]) -> None:
    tag = element.tag
    if isinstance(tag, str) and tag not in _SILENT:
        if tag in _BLOCKS:
            parts.append("\n")
        parts.append((element.text or "").replace("\n", " "))
        for child in element:
            _collect(child, parts)
        link = element.get("href") if tag == "a" else None
        if link and link not in (element.text or ""):
            parts.append(f"<{link}>")
        if tag in _BLOCKS and tag != "br":
            parts.append("\n")
    parts.append((element.tail or "").replace("\n", " "))
