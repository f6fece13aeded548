"""Text made fit to be kept: characters, length, HTML."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepstep.core.html_text import LAID_OUT
from keepstep.core.text import CUT_MARK, clean, cut, plain_text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc\nd\te", "a\nb\nc\nd\te"),
        ("a\x00b\x08c\x0bd\x0ce\x1ff\x7fg", "abcdefg"),
        ("a\ud800b\udfffc\ufffed\uffffe", "abcde"),
        (
            "\U0001f4c5 \u05e9\u05dc\u05d5\u05dd e\u0301 \u202e",
            "\U0001f4c5 \u05e9\u05dc\u05d5\u05dd e\u0301 \u202e",
        ),
        ("", ""),
    ],
)
def test_forbidden_characters_go_and_all_others_stay(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text(st.characters()))
def test_what_is_cleaned_can_be_kept_anywhere(text: str) -> None:
    kept = clean(text)
    kept.encode("utf-8")
    assert "\r" not in kept
    assert all(each in "\t\n" or each >= " " for each in kept)
    assert clean(kept) == kept


def test_text_that_fits_is_not_cut() -> None:
    assert cut("abc") == "abc"
    assert cut("é" * 100, 200) == "é" * 100


def test_long_text_is_cut_with_a_mark_and_not_within_a_character() -> None:
    shortened = cut("\U0001f4c5" * 100, 301)
    assert shortened.endswith(CUT_MARK)
    assert set(shortened.removesuffix(CUT_MARK)) == {"\U0001f4c5"}
    assert 301 - 4 < len(shortened.encode()) <= 301


@given(st.text(min_size=20), st.integers(0, 200))
def test_cut_text_never_exceeds_its_limit(text: str, limit: int) -> None:
    shortened = cut(text, limit)
    assert len(shortened.encode()) <= limit
    assert shortened == text or text.startswith(shortened.removesuffix(CUT_MARK))


def test_a_body_of_more_than_five_million_bytes_is_cut() -> None:
    shortened = cut("x" * 6_000_000)
    assert len(shortened) == 5_000_000
    assert shortened.endswith(CUT_MARK)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain\ntext", "plain text"),
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
        ("<html><head><title>t</title><style>p{}</style></head><body>seen</body></html>", "seen"),
        ("<!-- no --><script>no()</script>seen<div style='display: none'>no</div>", "seen"),
        ("5 &lt; 6 &amp;&amp; &eacute; &#128197;", "5 < 6 && é \U0001f4c5"),
        ("written as &amp;lt;b&amp;gt;", "written as &lt;b&gt;"),
        ("<ul><li>one</li><li>two</li></ul>", "* one\n  * two"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n 2. two"),
        ("<table><tr><td>Day</td><td>Monday</td></tr><tr><td>Hour</td><td>9</td></tr></table>",
         "Day  Monday\nHour  9"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<b>bold</b>er <i>text</i>", "bolder text"),
        ("<p>a</p><p>&nbsp;</p><p>&nbsp;</p><p>&nbsp;</p><p>b</p>", "a\n\nb"),
        ('<?xml version="1.0" encoding="utf-8"?><p>a</p>', "a"),
        ("<div style='padding-left:99999em;margin-top:99999em'>a</div>", "a"),
    ],
)  # fmt: skip
def test_html_becomes_plain_text(html: str, text: str) -> None:
    assert plain_text(html) == text


LINKS = [
    ("<a href='https://meet.example/j?a=1&amp;reg=2&amp;copy=3'>Join</a> now",
     "Join <https://meet.example/j?a=1&reg=2&copy=3> now"),
    ("<a href='https://meet.example/j'>https://meet.example/j</a>", "https://meet.example/j"),
    ("<a href='https://meet.example/'>meet.example</a>", "meet.example"),
    ("<a href='mailto:a@b.example'>a@b.example</a>", "a@b.example"),
    ("<a href='tel:+491234'>Call us</a>", "Call us <tel:+491234>"),
    ("<a href='https://x.example'><img src='cid:1'></a>", "<https://x.example>"),
    ("<a href='#top'>Up</a> <a href='javascript:no()'>No</a> <a name='x'>Here</a>", "Up No Here"),
    ("<a href='https://x.example/a b'>Odd</a>", "Odd <https://x.example/ab>"),
    ("<a href='https://x.example'>One <b>and</b> two</a>", "One and two <https://x.example>"),
]  # fmt: skip


@pytest.mark.parametrize(("html", "text"), LINKS)
def test_links_are_kept(html: str, text: str) -> None:
    assert plain_text(html) == text


@pytest.mark.parametrize(("html", "text"), LINKS)
def test_links_are_kept_where_only_the_tags_are_dropped(html: str, text: str) -> None:
    """Nested more deeply than the library's parser goes."""
    deep = "<div>" * 3000
    assert " ".join(plain_text(deep + html).split()) == text


def test_a_page_too_deep_to_be_laid_out_loses_no_text() -> None:
    page = "<div>first" + "<span>" * 5000 + "deep" + "</span>" * 5000 + "</div><p>last</p>"
    assert plain_text(page).split() == ["firstdeep", "last"]


def test_a_page_too_long_to_be_laid_out_loses_no_text() -> None:
    page = "<p>one &amp; two</p>" * (LAID_OUT // 10)
    assert set(plain_text(page).split("\n")) == {"one & two", ""}
    assert plain_text(page).count("one & two") == LAID_OUT // 10


def test_a_page_beyond_all_measure_is_cut_with_a_mark() -> None:
    assert plain_text("x" * 11_000_000).endswith(CUT_MARK)


HOSTILE = {
    "unclosed tags": "<div>" * 90_000,
    "tables in tables": "<table><tr><td>" * 30_000 + "x",
    "lists in lists": "<ul><li>" * 200 + "x<br>" * 80_000,
    "wide cell, many rows": "<table><tr><td>" + "x" * 200_000 + "</td></tr>" + "<tr><td>y" * 30_000,
    "open comments": "<!--" * 120_000,
    "open scripts": "<script>" * 500_000,
    "unclosed attributes": '<a href="' * 500_000,
    "links in links": '<a href="http://x.example">' * 200_000,
    "less-than": "<" * 2_000_000,
    "ampersands": "&" * 2_000_000,
    "spaces": "<pre>" + " " * 400_000 + "x",
    "spaces, long page": " " * 5_000_000 + "x",
    "entities": "&#0;&#2;&#3;&#55296;&#1114112;&bogus;" * 10_000,
    "one long link": "<a href='" + "x" * 400_000 + "'>y</a>",
    "numbers": "<ol>" + "<li value='" + "9" * 4000 + "'>x" * 3,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_that_means_harm_costs_little_and_grows_little(name: str) -> None:
    """Each takes well under two seconds; a bound of thirty tells growth by squares apart."""
    page = HOSTILE[name]
    began = time.process_time()
    text = plain_text(page)
    assert time.process_time() - began < 30
    assert len(text) <= 32 * len(page)
    assert clean(text) == text


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<a href='h'>", "</a>", "<table>", "<tr>", "<td>", "</td>", "<ul>",
             "<li>", "</ul>", "</li>", "<!--", "-->", "<script>", "</script>", "<pre>", "\x02",
             "\x03", "\x04", "\x05", "\ufdd0", "&amp;", "&#2;", "<br/>", "x", " ", "\n", "<", ">",
             "<ol>", "</ol>", "<![CDATA[", "<?xml ", "<!DOCTYPE x [<!ENTITY a 'b'>]>", "&a;"]
        )
    )
)  # fmt: skip
def test_no_page_raises_and_no_mark_is_left(pieces: list[str]) -> None:
    text = plain_text("".join(pieces))
    assert clean(text) == text
    assert "\ufdd0" not in text
