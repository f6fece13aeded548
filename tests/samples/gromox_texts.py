"""What the items in answers of gromox hold: texts, people, batches."""
# ruff: noqa: E501, RUF001 - texts of the samples, in their scripts

from __future__ import annotations

from tests.samples.expectation import Expected

TEXTS: dict[str, tuple[Expected, ...]] = {
    "gromox/getitem-response-batch-of-10.xml": (
        Expected(
            subject="Customer visit Müller & Söhne GmbH",
            start="2027-01-12T08:00:00Z",
            end="2027-01-12T09:30:00Z",
            uid="ks-001-berlin@client.example",
            location="Straße der Einheit 4, Berlin",
            body="Agenda:\n1. Preise\n2. Lieferung <2 Wochen>",
        ),
        Expected(
            subject="Call with Fabrikam NY",
            start="2027-01-13T14:00:00Z",
            end="2027-01-13T14:30:00Z",
            zone="America/New_York",
            uid="ks-002-newyork@client.example",
            location="Phone +1 212 555 0100",
        ),
        Expected(
            subject="東京オフィスとの打ち合わせ",
            start="2027-01-14T01:00:00Z",
            end="2027-01-14T02:00:00Z",
            zone="Asia/Tokyo",
            uid="ks-003-tokyo@client.example",
            location="第三会議室",
            body="資料を持参してください。",
        ),
        Expected(
            subject="London quarterly",
            start="2027-07-01T13:00:00Z",
            end="2027-07-01T14:00:00Z",
            zone="Europe/London",
            uid="040000008200e00074c5b7101a82e008000000000000000000000000000000000000000010000000616e227227a80a4e8b0a5dd0631f08b5",
            location="Room 12",
        ),
        Expected(
            subject="Sydney handover",
            start="2027-01-14T21:00:00Z",
            end="2027-01-14T22:00:00Z",
            zone="Australia/Sydney",
            uid="ks-005-sydney@client.example",
        ),
        Expected(
            subject="Kolkata support review",
            start="2027-02-02T12:00:00Z",
            end="2027-02-02T12:45:00Z",
            zone="Asia/Calcutta",
            uid="ks-006-kolkata@client.example",
        ),
        Expected(
            subject="Reunião de vendas",
            start="2027-02-03T14:00:00Z",
            end="2027-02-03T15:00:00Z",
            zone="America/Sao_Paulo",
            uid="ks-007-saopaulo@client.example",
        ),
        Expected(
            subject="Kathmandu +05:45",
            start="2027-02-04T04:15:00Z",
            end="2027-02-04T05:15:00Z",
            zone="Asia/Katmandu",
            uid="ks-008-kathmandu@client.example",
        ),
        Expected(
            subject="Phoenix (no DST)",
            start="2027-07-06T16:00:00Z",
            end="2027-07-06T17:00:00Z",
            zone="America/Phoenix",
            uid="ks-009-phoenix@client.example",
        ),
        Expected(
            subject="St John's half-hour zone",
            start="2027-06-01T11:30:00Z",
            end="2027-06-01T12:15:00Z",
            zone="America/St_Johns",
            uid="ks-010-stjohns@client.example",
        ),
    ),
    "gromox/getitem-response-cancelled-meeting.xml": (
        Expected(
            subject="Canceled: Vendor demo",
            start="2027-02-12T09:00:00Z",
            end="2027-02-12T10:00:00Z",
            uid="ks-059-cancelled@client.example",
            show_as="free",
            cancelled=True,
            response="none",
            organizer="dave@peer.example",
            attendees=("required none Bob Peer <bob@peer.example>",),
        ),
    ),
    "gromox/getitem-response-categories-with-japanese.xml": (
        Expected(
            subject="With categories",
            start="2027-01-19T10:00:00Z",
            end="2027-01-19T11:00:00Z",
            uid="ks-028-categories@client.example",
            categories=("Red Category", "Key Account", "日本"),
        ),
    ),
    "gromox/getitem-response-freebusy-free.xml": (
        Expected(
            subject="Focus time",
            start="2027-01-20T07:00:00Z",
            end="2027-01-20T08:00:00Z",
            uid="ks-029-free@client.example",
            show_as="free",
        ),
    ),
    "gromox/getitem-response-freebusy-tentative-importance-high-reminder.xml": (
        Expected(
            subject="Maybe: lunch",
            start="2027-01-20T11:00:00Z",
            end="2027-01-20T12:00:00Z",
            uid="ks-030-tentative@client.example",
            show_as="tentative",
        ),
    ),
    "gromox/getitem-response-html-body-as-html.xml": (
        Expected(
            subject="HTML body",
            start="2027-01-21T08:00:00Z",
            end="2027-01-21T09:00:00Z",
            uid="ks-031-html@client.example",
            body="Привет, мир! 😀 & café\n\nодин\n\n二\n\ndeal <https://crm.example/deal?id=7&x=1>",
        ),
    ),
    "gromox/getitem-response-html-body-best.xml": (
        Expected(
            subject="HTML body",
            start="2027-01-21T08:00:00Z",
            end="2027-01-21T09:00:00Z",
            uid="ks-031-html@client.example",
            body="Привет, мир! 😀 & café\n\nодин\n\n二\n\ndeal <https://crm.example/deal?id=7&x=1>",
        ),
    ),
    "gromox/getitem-response-html-only-body-asked-as-text-comes-empty.xml": (
        Expected(
            subject="HTML body",
            start="2027-01-21T08:00:00Z",
            end="2027-01-21T09:00:00Z",
            uid="ks-031-html@client.example",
        ),
    ),
    "gromox/getitem-response-meeting-as-attendee-accepted.xml": (
        Expected(
            subject="Alice invites: budget",
            start="2027-02-08T08:00:00Z",
            end="2027-02-08T09:00:00Z",
            zone=None,
            uid="ks-inv-accept@organizer.example",
            all_day=None,
            location="Room 2",
            body="budget 2027",
            cancelled=False,
            response="accepted",
            organizer="alice@peer.example",
            attendees=(
                "required none Alice Peer <alice@peer.example>",
                "required none Dave Peer <dave@peer.example>",
                "required none Bob Peer <bob@peer.example>",
            ),
        ),
    ),
    "gromox/getitem-response-meeting-as-attendee-organizer-cancelled.xml": (
        Expected(
            subject="Alice invites: to be cancelled",
            start="2027-02-09T08:00:00Z",
            end="2027-02-09T09:00:00Z",
            zone=None,
            uid="ks-inv-cancel@organizer.example",
            all_day=None,
            cancelled=False,
            response="accepted",
            organizer="alice@peer.example",
            attendees=(
                "required none Alice Peer <alice@peer.example>",
                "required none Dave Peer <dave@peer.example>",
            ),
        ),
    ),
    "gromox/getitem-response-meeting-as-organizer-invitations-sent.xml": (
        Expected(
            subject="Planning with Bob",
            start="2027-01-28T08:00:00Z",
            end="2027-01-28T09:00:00Z",
            uid="ks-040-meeting-bob@client.example",
            location="Cafeteria",
            body="agenda follows",
            cancelled=False,
            response="none",
            organizer="dave@peer.example",
            attendees=(
                "required none Bob Peer <bob@peer.example>",
                "optional none Carol Peer <carol@peer.example>",
            ),
        ),
    ),
    "gromox/getitem-response-meeting-attendees-all-responses.xml": (
        Expected(
            subject="Project meeting",
            start="2027-01-26T08:00:00Z",
            end="2027-01-26T09:00:00Z",
            uid="ks-038-meeting@client.example",
            location="Room 1",
            body="see you",
            cancelled=False,
            response="none",
            organizer="dave@peer.example",
            attendees=(
                "required accepted Bob Peer <bob@peer.example>",
                "required declined Carol Peer <carol@peer.example>",
                "required tentative Zoë O'Neil (Customer) <ext1@customer.example>",
                "required none Room 1 <room1@peer.example>",
                "optional none Opt Person <ext2@customer.example>",
                "optional none Alice Peer <alice@peer.example>",
            ),
        ),
    ),
    "gromox/getitem-response-meeting-external-attendees.xml": (
        Expected(
            subject="Offer review",
            start="2027-01-27T20:00:00Z",
            end="2027-01-27T21:00:00Z",
            zone="America/New_York",
            uid="ks-039-meeting-ext@client.example",
            cancelled=False,
            response="none",
            organizer="dave@peer.example",
            attendees=(
                "required none Kim, Lee <kim@customer.example>",
                "required none legacy@customer.example <legacy@customer.example>",
            ),
        ),
    ),
    "gromox/getitem-response-meeting-only-optional-attendee.xml": (
        Expected(
            subject="Meeting, only optional attendee",
            start="2027-01-28T12:00:00Z",
            end="2027-01-28T13:00:00Z",
            uid="ks-041-meeting-alone@client.example",
            cancelled=False,
            response="none",
            organizer="dave@peer.example",
            attendees=("optional none Carol Peer <carol@peer.example>",),
        ),
    ),
    "gromox/getitem-response-meeting-received-not-answered.xml": (
        Expected(
            subject="Received from outside",
            start="2027-02-12T13:00:00Z",
            end="2027-02-12T14:00:00Z",
            uid="ks-060-received@organizer.example",
            show_as="tentative",
            cancelled=False,
            response="none",
            organizer="dave@peer.example",
            attendees=("required none Dave Peer <dave@peer.example>",),
        ),
    ),
    "gromox/getitem-response-mime-content.xml": (
        Expected(zone=None, all_day=None, body=None, sensitivity=None, show_as=None),
    ),
    "gromox/getitem-response-no-subject.xml": (
        Expected(
            subject="",
            start="2027-01-22T10:00:00Z",
            end="2027-01-22T11:00:00Z",
            uid="ks-034-nosubject@client.example",
        ),
    ),
    "gromox/getitem-response-online-meeting-url.xml": (
        Expected(
            subject="Online demo",
            start="2027-01-25T13:00:00Z",
            end="2027-01-25T14:00:00Z",
            uid="ks-037-onlinemeeting@client.example",
            location="https://meet.example/j/123?pwd=a&lang=de",
            body="Join: https://meet.example/j/123?pwd=a&lang=de",
        ),
    ),
    "gromox/getitem-response-partial-batch-good-garbage-deleted.xml": (
        Expected(
            subject="Customer visit Müller & Söhne GmbH",
            start="2027-01-12T08:00:00Z",
            end="2027-01-12T09:30:00Z",
            uid="ks-001-berlin@client.example",
            location="Straße der Einheit 4, Berlin",
            body="Agenda:\n1. Preise\n2. Lieferung <2 Wochen>",
        ),
        Expected(
            subject="東京オフィスとの打ち合わせ",
            start="2027-01-14T01:00:00Z",
            end="2027-01-14T02:00:00Z",
            zone="Asia/Tokyo",
            uid="ks-003-tokyo@client.example",
            location="第三会議室",
            body="資料を持参してください。",
        ),
    ),
    "gromox/getitem-response-sensitivity-confidential-categories.xml": (
        Expected(
            subject="Merger talks",
            start="2027-01-19T07:00:00Z",
            end="2027-01-19T08:00:00Z",
            uid="ks-027-confidential@client.example",
            sensitivity="confidential",
            categories=("Board", "Legal & Compliance"),
        ),
    ),
    "gromox/getitem-response-sensitivity-personal.xml": (
        Expected(
            subject="School pick-up",
            start="2027-01-18T15:00:00Z",
            end="2027-01-18T16:00:00Z",
            uid="ks-026-personal@client.example",
            sensitivity="personal",
        ),
    ),
    "gromox/getitem-response-sensitivity-private.xml": (
        Expected(
            subject="Doctor",
            start="2027-01-18T07:00:00Z",
            end="2027-01-18T08:00:00Z",
            uid="ks-025-private@client.example",
            location="Dr. Grün",
            body="Do not disclose",
            sensitivity="private",
        ),
    ),
    "gromox/getitem-response-subject-255-characters.xml": (
        Expected(
            subject="Very long subject with words that repeat Very long subject with words that repeat Very long subject with words that repeat Very long subject with words that repeat Very long subject with words that repeat Very long subject with words that repeat Very long",
            start="2027-01-22T08:00:00Z",
            end="2027-01-22T09:00:00Z",
            uid="ks-033-longsubject@client.example",
        ),
    ),
    "gromox/getitem-response-text-emoji-arabic-hebrew.xml": (
        Expected(
            subject="Kick-off 🚀 für Ⅷ “Ñandú” — مرحبا שלום",
            start="2027-01-21T10:00:00Z",
            end="2027-01-21T11:00:00Z",
            uid="ks-032-emoji@client.example",
            location="☎ 030/555 01 00",
            body="👩\u200d👩\u200d👧 family emoji, é combining, \u202eRTL",
        ),
    ),
    "gromox/getitem-response-text-long-body.xml": (
        Expected(
            subject="Long body",
            start="2027-01-25T08:00:00Z",
            end="2027-01-25T09:00:00Z",
            uid="ks-036-longbody@client.example",
            body="\n".join(f"{n}. Absatz mit Umlauten äöüß und Text." for n in range(120)),
        ),
    ),
    "gromox/getitem-response-text-special-characters.xml": (
        Expected(
            subject='  leading, trailing and <angle> "quotes" & amp; ]]> ',
            start="2027-01-22T12:00:00Z",
            end="2027-01-22T13:00:00Z",
            uid="ks-035-blanks@client.example",
            location="A\tB",
            body="line1\n\nline3\n   indented",
        ),
    ),
    "gromox/getitem-response-unknown-fielduri-silently-ignored.xml": (
        Expected(zone=None, all_day=None, body=None, sensitivity=None, show_as=None),
    ),
}
