"""The address to join an online meeting by, out of what anybody may have written."""

import pytest

from keepstep.core.appointment import Details
from keepstep.core.online_meeting import JoinLink, join_link

TEAMS = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc%40thread.v2/0?context=%7b%7d"


@pytest.mark.parametrize(
    ("url", "service"),
    [
        (TEAMS, "Microsoft Teams"),
        ("https://teams.microsoft.com/meet/2345?p=abc", "Microsoft Teams"),
        ("https://teams.live.com/meet/9391234", "Microsoft Teams"),
        ("https://zoom.us/j/123456789?pwd=abc", "Zoom"),
        ("https://company.zoom.us/my/anna", "Zoom"),
        ("https://company.webex.com/company/j.php?MTID=m123", "Webex"),
        ("https://company.webex.com/meet/anna", "Webex"),
        ("https://meet.google.com/abc-defg-hij", "Google Meet"),
    ],
)
def test_the_link_of_each_service_is_found_in_the_place_and_in_the_text(url, service):
    link = join_link(Details(location=f"Online ({url})"))
    assert link is not None
    assert (link.url, link.service) == (url, service)
    body = f"Hello,\n\nJoin the meeting<{url}>.\nSee you"
    assert join_link(Details(body=body)) == link


def test_the_field_of_its_own_comes_first_whatever_the_service():
    details = Details(join_url="https://meet.example.com/4f", location=TEAMS)
    assert join_link(details) == JoinLink("https://meet.example.com/4f", "meet.example.com", "")


def test_the_place_comes_before_the_text():
    details = Details(location="https://zoom.us/j/1", body=TEAMS)
    assert join_link(details).service == "Zoom"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.com/l/meetup-join/1",
        "http://zoom.us/j/123",
        "https://zoom.us.example.com/j/123",
        "https://evilzoom.us/j/123",
        "https://zoom.us/pricing",
        "https://zoom.us",
        "https://help.webex.com/articles",
        "https://meet.google.com/about",
        "https://anna:secret@zoom.us/j/1",
        "https://zoom.us@example.com/j/1",
        "https://zoom.us:8443/j/1",
        "https://zoom.us\\@example.com/j/1",
        "https://[::1]/j/1",
        "https://zoom.us:99999999/j/1",
        "https://xn--zoom-.example/j/1",
    ],
)
def test_no_other_address_of_a_text_becomes_a_link_to_join_by(text):
    assert join_link(Details(location=text, body=text)) is None


@pytest.mark.parametrize(
    "told",
    [
        "javascript:alert(1)//https://zoom.us/j/1",
        "data:text/html,<script>alert(1)</script>",
        "HTTP://meet.example.com/1",
        "https://meet.example.com/1 onclick=alert(1)",
        'https://meet.example.com/"><script>',
        "https://user@meet.example.com/1",
        "https://münchen.example/1",
        "https://" + "a" * 3000,
    ],
)
def test_a_field_that_holds_anything_but_a_plain_https_address_is_passed_over(told):
    assert join_link(Details(join_url=told)) is None


def test_the_host_that_is_shown_is_the_one_that_the_link_leads_to():
    assert join_link(Details(body="https://ZOOM.us/j/12#@evil.example")).host == "zoom.us"


def test_a_long_text_of_addresses_is_read_in_a_moment():
    body = "https://example.com/x " * 200_000
    assert join_link(Details(body=body)) is None
    assert join_link(Details(body="https://" * 600_000)) is None
