"""Seeded calendars and their life: believable, of every kind, and the same for the same seed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from keepstep_simulator import (
    CustomRules,
    Life,
    Simulator,
    YearlyRule,
    custom_zone,
    zone_of,
)
from keepstep_simulator.ews.zone_reader import read_zone
from keepstep_simulator.ews.zone_xml import definition
from keepstep_simulator.ids import case_twin
from keepstep_simulator.items import KINDS
from keepstep_simulator.text import text_of
from tests.simulator.soap import Clock, Follower, T, ask, get, shape, valid


def seeded(seed: int = 1, n: int = 5, items: int = 60) -> Simulator:
    simulator = Simulator(clock=Clock(), seed=seed)
    simulator.seed_calendars(n, items_each=items)
    return simulator


def everything(simulator: Simulator) -> list[object]:
    return [each.items() for each in simulator.mailboxes.values()]


def test_the_same_seed_makes_the_same_calendars() -> None:
    assert everything(seeded(1)) == everything(seeded(1))
    assert everything(seeded(1)) != everything(seeded(2))


def test_a_seeded_office_holds_every_kind_of_appointment() -> None:
    simulator = seeded()
    items = [each for mailbox in simulator.mailboxes.values() for each in mailbox.items()]
    assert {each.recurrence.kind for each in items if each.recurrence} == set(KINDS)
    assert {each.sensitivity for each in items} == {
        "normal",
        "private",
        "personal",
        "confidential",
    }
    assert any(each.all_day and each.end - each.start > timedelta(days=2) for each in items)
    assert any(each.cancelled for each in items)
    assert any(each.exceptions for each in items)
    assert any(each.deleted_occurrences for each in items)
    assert any(not each.subject for each in items)
    assert any(len(each.subject or "") > 1000 for each in items)
    assert any(each.start_zone != each.end_zone for each in items)
    assert {each.body_type for each in items if each.body} == {"HTML", "Text"}
    assert any(guest.role == "resource" for each in items for guest in each.attendees)
    uids: dict[str, set[str]] = {}
    for mailbox in simulator.mailboxes.values():
        for each in mailbox.items():
            uids.setdefault(each.uid, set()).add(mailbox.email)
    assert any(len(emails) > 1 for emails in uids.values())


def test_each_mailbox_has_about_as_many_items_as_asked() -> None:
    for mailbox in seeded(n=6, items=40).mailboxes.values():
        assert 40 <= len(mailbox) <= 70


def test_life_goes_on_alike_for_the_same_seed_and_is_told_by_the_feed() -> None:
    def story() -> tuple[list[str], list[object]]:
        simulator = seeded(items=30)
        life = Life(simulator)
        deeds = life.step(60)
        return [f"{each.mailbox} {each.what} {each.subject}" for each in deeds], everything(
            simulator
        )

    assert story() == story()
    assert len({line.split()[1] for line in story()[0]}) >= 5


def test_who_follows_a_living_calendar_knows_what_is_there() -> None:
    simulator = seeded(items=30)
    followers = [Follower(simulator, each) for each in simulator.mailboxes.values()]
    life = Life(simulator)
    for _ in range(5):
        life.step(20)
        for follower in followers:
            follower.round(16)
            assert follower.known == {each.id for each in follower.mailbox.items()}


def test_in_an_office_of_5000_mailboxes_the_log_stays_bounded() -> None:
    simulator = Simulator(clock=Clock(), log_limit=100)
    for number in range(5000):
        simulator.add_mailbox(f"u{number}@example.com")
    follower = Follower(simulator, simulator.mailboxes["u17@example.com"])
    for _ in range(150):
        assert follower.round() == []
    assert len(simulator.requests("SyncFolderItems", "u17@example.com")) == 100


def test_a_twin_differs_by_case_alone() -> None:
    item_id = next(iter(next(iter(seeded(n=1).mailboxes.values())).items())).id
    twin = case_twin(item_id)
    assert twin != item_id
    assert twin.lower() == item_id.lower()


def test_a_custom_zone_is_told_by_its_rules_and_read_back() -> None:
    zone = custom_zone(
        timedelta(hours=1),
        timedelta(hours=2),
        YearlyRule(3, 6, 5, timedelta(hours=2)),
        YearlyRule(10, 6, 5, timedelta(hours=3)),
    )
    simulator = Simulator(clock=Clock())
    mailbox = simulator.add_mailbox("anna@example.com", time_zone=zone)
    start = datetime(2026, 7, 1, 9, 0)  # noqa: DTZ001 - wall time of the zone
    item_id = mailbox.create(start=start, end=start)
    assert mailbox.get(item_id).start == datetime(2026, 7, 1, 7, 0, tzinfo=UTC)
    wanted = get(item_id, item_shape=shape("IdOnly", "calendar:StartTimeZone"))
    told = valid(ask(simulator, wanted, mailbox=mailbox))
    element = next(told.iter(T + "StartTimeZone"))
    assert element.get("Id") == "Customized Time Zone"
    assert read_zone(element) == zone


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))  # noqa: DTZ001
def test_custom_rules_like_berlin_s_tell_berlin_s_time(drawn: datetime) -> None:
    wall = drawn.replace(fold=0)  # on the wire a wall time says no more than this
    rules = CustomRules(
        timedelta(hours=1),
        timedelta(hours=2),
        YearlyRule(3, 6, 5, timedelta(hours=2)),
        YearlyRule(10, 6, 5, timedelta(hours=3)),
    )
    berlin = zone_of("Europe/Berlin")
    custom = custom_zone(rules.standard, rules.daylight, rules.to_daylight, rules.to_standard)
    assert custom.instant(wall) == berlin.instant(wall)
    moment = wall.replace(tzinfo=UTC)
    assert custom.wall(moment) == berlin.wall(moment)


def test_definitions_name_the_rules_that_hold() -> None:
    berlin = definition(zone_of("Europe/Berlin"), "StartTimeZone")
    assert 'Bias="-PT1H" Name="Standard"' in berlin
    assert 'Bias="-PT2H" Name="Daylight"' in berlin
    assert berlin.count("<t:TransitionsGroup ") == 1
    assert "<t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>-1</t:Occurrence>" in berlin
    new_york = definition(zone_of("America/New_York"), "StartTimeZone")
    assert "<t:Month>3</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>2<" in new_york
    assert 'TransitionsGroup Id="1"' in definition(zone_of("America/Sao_Paulo"), "StartTimeZone")
    assert "RecurringDayTransition" not in definition(zone_of("Asia/Tokyo"), "StartTimeZone")


def test_html_becomes_text_with_its_links() -> None:
    text = text_of(
        "<html><head><style>p{}</style></head><body><p>Dear <b>all</b>,</p><ul><li>One</li>"
        '<li>Two &amp; three</li></ul>See <a href="https://x.example/?a=1&amp;b=2">this</a>.'
        "</body></html>"
    )
    assert text == ("Dear all,\n\nOne\n\nTwo & three\n\nSee this<https://x.example/?a=1&b=2>.")
