"""What the items in answers of gromox hold: single appointments in many zones, all-day ones."""

from __future__ import annotations

from tests.samples.expectation import Expected

TIMES: dict[str, tuple[Expected, ...]] = {
    "gromox/getitem-response-allday-bounds-newyork-midnight.xml": (
        Expected(
            subject="All-day, New York midnight",
            start="2027-02-16T05:00:00Z",
            end="2027-02-17T05:00:00Z",
            zone="America/New_York",
            uid="ks-020-allday-utc-bounds@client.example",
            all_day=True,
            show_as="free",
        ),
    ),
    "gromox/getitem-response-allday-five-days.xml": (
        Expected(
            subject="Trade fair Hannover",
            start="2027-04-19T00:00:00Z",
            end="2027-04-24T00:00:00Z",
            zone="UTC",
            uid="ks-021-allday-multi@client.example",
            all_day=True,
            location="Halle 7",
            show_as="out_of_office",
        ),
    ),
    "gromox/getitem-response-allday-on-dst-day.xml": (
        Expected(
            subject="All-day on the DST day",
            start="2027-03-28T00:00:00Z",
            end="2027-03-29T00:00:00Z",
            zone="UTC",
            uid="ks-024-allday-dst@client.example",
            all_day=True,
        ),
    ),
    "gromox/getitem-response-allday-one-day.xml": (
        Expected(
            subject="Company holiday",
            start="2027-02-15T00:00:00Z",
            end="2027-02-16T00:00:00Z",
            zone="UTC",
            uid="ks-019-allday@client.example",
            all_day=True,
            show_as="free",
        ),
    ),
    "gromox/getitem-response-single-across-eu-dst-change.xml": (
        Expected(
            subject="Night shift over the DST change",
            start="2027-03-27T21:00:00Z",
            end="2027-03-28T04:00:00Z",
            uid="ks-014-dst-span@client.example",
        ),
    ),
    "gromox/getitem-response-single-across-us-autumn-change.xml": (
        Expected(
            subject="Autumn change, New York",
            start="2027-11-07T04:30:00Z",
            end="2027-11-07T08:30:00Z",
            zone="America/New_York",
            uid="ks-015-dst-fall@client.example",
        ),
    ),
    "gromox/getitem-response-single-america-newyork.xml": (
        Expected(
            subject="Call with Fabrikam NY",
            start="2027-01-13T14:00:00Z",
            end="2027-01-13T14:30:00Z",
            zone="America/New_York",
            uid="ks-002-newyork@client.example",
            location="Phone +1 212 555 0100",
        ),
    ),
    "gromox/getitem-response-single-america-phoenix-no-dst.xml": (
        Expected(
            subject="Phoenix (no DST)",
            start="2027-07-06T16:00:00Z",
            end="2027-07-06T17:00:00Z",
            zone="America/Phoenix",
            uid="ks-009-phoenix@client.example",
        ),
    ),
    "gromox/getitem-response-single-america-saopaulo.xml": (
        Expected(
            subject="Reunião de vendas",
            start="2027-02-03T14:00:00Z",
            end="2027-02-03T15:00:00Z",
            zone="America/Sao_Paulo",
            uid="ks-007-saopaulo@client.example",
        ),
    ),
    "gromox/getitem-response-single-america-stjohns.xml": (
        Expected(
            subject="St John's half-hour zone",
            start="2027-06-01T11:30:00Z",
            end="2027-06-01T12:15:00Z",
            zone="America/St_Johns",
            uid="ks-010-stjohns@client.example",
        ),
    ),
    "gromox/getitem-response-single-asia-kathmandu-quarter-hour-offset.xml": (
        Expected(
            subject="Kathmandu +05:45",
            start="2027-02-04T04:15:00Z",
            end="2027-02-04T05:15:00Z",
            zone="Asia/Katmandu",
            uid="ks-008-kathmandu@client.example",
        ),
    ),
    "gromox/getitem-response-single-asia-kolkata-half-hour-offset.xml": (
        Expected(
            subject="Kolkata support review",
            start="2027-02-02T12:00:00Z",
            end="2027-02-02T12:45:00Z",
            zone="Asia/Calcutta",
            uid="ks-006-kolkata@client.example",
        ),
    ),
    "gromox/getitem-response-single-asia-tokyo-japanese-text.xml": (
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
    "gromox/getitem-response-single-australia-sydney.xml": (
        Expected(
            subject="Sydney handover",
            start="2027-01-14T21:00:00Z",
            end="2027-01-14T22:00:00Z",
            zone="Australia/Sydney",
            uid="ks-005-sydney@client.example",
        ),
    ),
    "gromox/getitem-response-single-ends-at-midnight.xml": (
        Expected(
            subject="Ends at midnight",
            start="2027-02-25T19:00:00Z",
            end="2027-02-25T23:00:00Z",
            uid="ks-023-midnight@client.example",
        ),
    ),
    "gromox/getitem-response-single-europe-berlin.xml": (
        Expected(
            subject="Customer visit Müller & Söhne GmbH",
            start="2027-01-12T08:00:00Z",
            end="2027-01-12T09:30:00Z",
            uid="ks-001-berlin@client.example",
            location="Straße der Einheit 4, Berlin",
            body="Agenda:\n1. Preise\n2. Lieferung <2 Wochen>",
        ),
    ),
    "gromox/getitem-response-single-europe-london-summer-no-client-uid.xml": (
        Expected(
            subject="London quarterly",
            start="2027-07-01T13:00:00Z",
            end="2027-07-01T14:00:00Z",
            zone="Europe/London",
            uid="040000008200e00074c5b7101a82e008000000000000000000000000000000000000000010000000616e227227a80a4e8b0a5dd0631f08b5",
            location="Room 12",
        ),
    ),
    "gromox/getitem-response-single-over-three-days-workingelsewhere.xml": (
        Expected(
            subject="Workshop over three days",
            start="2027-02-22T09:00:00Z",
            end="2027-02-24T15:00:00Z",
            uid="ks-022-multi-timed@client.example",
            show_as="working_elsewhere",
        ),
    ),
    "gromox/getitem-response-single-start-and-end-in-different-zones.xml": (
        Expected(
            subject="Flight FRA-JFK",
            start="2027-02-10T12:00:00Z",
            end="2027-02-10T20:45:00Z",
            uid="ks-016-cross-zone@client.example",
            location="LH 400",
            show_as="out_of_office",
        ),
    ),
    "gromox/getitem-response-single-utc-over-midnight-tentative.xml": (
        Expected(
            subject="UTC maintenance window",
            start="2027-03-01T22:00:00Z",
            end="2027-03-02T02:00:00Z",
            zone="UTC",
            uid="ks-011-utc@client.example",
            show_as="tentative",
        ),
    ),
    "gromox/getitem-response-single-zero-length.xml": (
        Expected(
            subject="Zero-length reminder",
            start="2027-02-11T11:00:00Z",
            end="2027-02-11T11:00:00Z",
            uid="ks-017-zero@client.example",
        ),
    ),
}
