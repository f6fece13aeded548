"""GetItem: items by id, occurrences by their own id or by index, masters by an occurrence's id."""

from lxml import etree

from keepstep_simulator.ews.call import Call
from keepstep_simulator.ews.envelope import EwsError, M, failure, schema_fault, success, wrap
from keepstep_simulator.ews.item_xml import occurrence_view, view_of
from keepstep_simulator.ews.shapes import Shape, read_shape

_NAME = "GetItem"


def get_item(call: Call) -> bytes:
    """Answer a GetItem."""
    wanted = call.request.find(M + "ItemIds")
    if wanted is None or len(wanted) == 0:
        raise schema_fault("The element 'ItemIds' has incomplete content.")
    call.details["item_ids"] = ids_in(wanted)
    shape: Shape | EwsError
    try:
        shape = read_shape(call.request, call.server.rank, call.rank, listed=False)
    except EwsError as error:
        if type(error) is not EwsError:
            raise
        shape = error
    return wrap(call.server, _NAME, "".join(_one(call, each, shape) for each in wanted))


def ids_in(wanted: etree._Element) -> tuple[str, ...]:
    """Give the ids that a request names, as the log tells them."""
    names = ("Id", "RecurringMasterId", "OccurrenceId")
    return tuple(
        next((each.get(name, "") for name in names if each.get(name)), "") for each in wanted
    )


def _one(call: Call, element: etree._Element, shape: Shape | EwsError) -> str:
    try:
        if isinstance(shape, EwsError):
            raise shape
        target = call.target(element)
    except EwsError as error:
        call.details.setdefault("code", error.code)
        return failure(_NAME, error, "<m:Items/>")
    folder = target.mailbox.folder_id
    if target.happening is None:
        view = view_of(target.item, folder, body_type=shape.body_type)
    else:
        view = occurrence_view(target.item, target.happening, folder, body_type=shape.body_type)
    return success(_NAME, f"<m:Items>{shape.write(view)}</m:Items>")
