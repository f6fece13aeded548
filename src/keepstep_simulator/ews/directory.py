"""ResolveNames, GetServerTimeZones, ConvertId: what a server knows beside its mailboxes' items."""

import base64

from tzlocal.windows_tz import win_tz

from keepstep_simulator.ews.call import Call
from keepstep_simulator.ews.envelope import EwsError, M, T, failure, schema_fault, success, wrap
from keepstep_simulator.ews.zone_xml import definition
from keepstep_simulator.ids import is_well_formed
from keepstep_simulator.text import xml
from keepstep_simulator.zones import UnknownZone, zone_of

_MOST = 100


def resolve_names(call: Call) -> bytes:
    """Answer a ResolveNames: mailboxes whose name or address begins with the entry."""
    entry = (call.request.findtext(M + "UnresolvedEntry") or "").strip()
    if not entry or call.request.get("ReturnFullContactData") is None:
        raise schema_fault("UnresolvedEntry and ReturnFullContactData are needed.")
    wanted = entry.casefold().removeprefix("smtp:")
    found = [
        each
        for each in call.mailboxes.values()
        if each.email.casefold().startswith(wanted) or each.name.casefold().startswith(wanted)
    ]
    if not found:
        message = failure("ResolveNames", EwsError("ErrorNameResolutionNoResults"))
        return wrap(call.server, "ResolveNames", message)
    resolutions = "".join(
        f"<t:Resolution><t:Mailbox><t:Name>{xml(each.name)}</t:Name>"
        f"<t:EmailAddress>{xml(each.email)}</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType>"
        "<t:MailboxType>Mailbox</t:MailboxType></t:Mailbox></t:Resolution>"
        for each in found[:_MOST]
    )
    last = "true" if len(found) <= _MOST else "false"
    content = (
        f'<m:ResolutionSet TotalItemsInView="{len(found[:_MOST])}" '
        f'IncludesLastItemInRange="{last}">{resolutions}</m:ResolutionSet>'
    )
    if len(found) == 1:
        return wrap(call.server, "ResolveNames", success("ResolveNames", content))
    warning = (
        '<m:ResolveNamesResponseMessage ResponseClass="Warning">'
        "<m:MessageText>Multiple results were found.</m:MessageText>"
        "<m:ResponseCode>ErrorNameResolutionMultipleResults</m:ResponseCode>"
        f"<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>{content}"
        "</m:ResolveNamesResponseMessage>"
    )
    return wrap(call.server, "ResolveNames", warning)


def get_server_time_zones(call: Call) -> bytes:
    """Answer a GetServerTimeZones: the zones asked for, or all of them."""
    asked = [each.text or "" for each in call.request.iterfind(f"{M}Ids/{T}Id")]
    full = call.request.get("ReturnFullTimeZoneData", "true") in ("true", "1")
    parts = []
    for name in asked or sorted(win_tz):
        try:
            zone = zone_of(name)
        except UnknownZone:
            continue
        parts.append(definition(zone, "TimeZoneDefinition", full=full))
    content = f"<m:TimeZoneDefinitions>{''.join(parts)}</m:TimeZoneDefinitions>"
    return wrap(call.server, "GetServerTimeZones", success("GetServerTimeZones", content))


def convert_id(call: Call) -> bytes:
    """Answer a ConvertId, which clients use to learn the server's version.

    Ids of EWS become HexEntryId or stay; every other conversion is refused as malformed.
    """
    wanted = call.request.get("DestinationFormat", "")
    messages = []
    for each in call.request.iterfind(f"{M}SourceIds/{T}AlternateId"):
        source = each.get("Id", "")
        known = each.get("Format") == "EwsId" and is_well_formed(source)
        if not known or wanted not in ("EwsId", "HexEntryId"):
            messages.append(failure("ConvertId", EwsError("ErrorInvalidIdMalformed")))
            continue
        target = source if wanted == "EwsId" else base64.b64decode(source).hex().upper()
        messages.append(
            success(
                "ConvertId",
                '<m:AlternateId xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
                f'xsi:type="t:AlternateIdType" Format="{wanted}" Id="{xml(target)}" '
                f'Mailbox="{xml(each.get("Mailbox", ""))}"/>',
            )
        )
    return wrap(call.server, "ConvertId", "".join(messages))
