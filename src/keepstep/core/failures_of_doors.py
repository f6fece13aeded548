"""The failures that other systems meet at our doors: the API, its changes feed, webhooks."""

from __future__ import annotations

from keepstep.core.failure import Failure

OF_DOORS = (
    Failure(
        "api-token-missing",
        "The request carries no API token.",
        "The header Authorization is missing, or does not say Bearer and a token.",
        "Make a token (on your account's page, or by keepstep tokens create) and send it as"
        " Authorization: Bearer TOKEN.",
        passes_by_itself=False,
    ),
    Failure(
        "api-token-invalid",
        "The API token is not accepted.",
        "It is not one of ours, has expired or was revoked, or its account is switched off.",
        "See on the account's page how the token stands, and make a new one.",
        passes_by_itself=False,
    ),
    Failure(
        "api-scope-missing",
        "The API token may not be used for this.",
        "It was made without the scope that this request needs.",
        "Make a token with the scope that is named.",
        passes_by_itself=False,
    ),
    Failure(
        "api-role-refused",
        "The role of the token's account does not allow this.",
        "A token can do what its account can on the pages, and no more.",
        "Use a token of an account whose role allows it.",
        passes_by_itself=False,
    ),
    Failure(
        "api-not-found",
        "There is nothing at this address, or it may not be seen by this token.",
        "The address or an id in it is wrong, or what it named is gone.",
        "Check the address with the API's description at /api/v1/openapi.json.",
        passes_by_itself=False,
    ),
    Failure(
        "api-method-not-allowed",
        "This address does not know the request's method.",
        "It is meant for other methods, which the header Allow names.",
        "Use one of them.",
        passes_by_itself=False,
    ),
    Failure(
        "api-request-invalid",
        "The request is not as the API's description asks for.",
        "A value is missing, unknown, of a wrong type or out of range, or the body not JSON.",
        "Correct what is named; /api/v1/openapi.json describes each request.",
        passes_by_itself=False,
    ),
    Failure(
        "api-not-possible",
        "What was asked for can't be done as it stands.",
        "A value is refused, or something else has to be done before.",
        "Correct what the detail says, and ask again.",
        passes_by_itself=False,
    ),
    Failure(
        "api-changed-meanwhile",
        "It was changed by somebody else since it was read.",
        "The header If-Match names another version than the present one.",
        "Read it again, and decide anew.",
        passes_by_itself=False,
    ),
    Failure(
        "api-too-many-requests",
        "The API token was used too often.",
        "More requests came in a minute than api_requests_per_minute allows for one token.",
        "Wait as long as the header Retry-After says; ask for more at once, or follow the changes"
        " feed.",
        passes_by_itself=True,
    ),
    Failure(
        "cursor-unknown",
        "The cursor can't be read.",
        "It is not one that this API gave, or it was cut or changed.",
        "Send the cursor as it was given, or begin without one.",
        passes_by_itself=False,
    ),
    Failure(
        "cursor-too-old",
        "From this cursor on the changes can't be told without gaps any more.",
        "It is older than history is kept (history_days), or the database was restored.",
        "Start over: take a cursor from /api/v1/changes/latest, read the appointments anew, then"
        " follow the changes from that cursor.",
        passes_by_itself=False,
    ),
    Failure(
        "webhook-not-delivered",
        "A webhook's receiver does not take what is sent to it.",
        "It can't be reached, does not answer in time, or answers with another status than 2xx.",
        "Nothing to do for a while: it is tried again for more than a day. Then mend the receiver,"
        " and have the deliveries that were given up sent again on the page of webhooks.",
        passes_by_itself=True,
    ),
    Failure(
        "webhook-target-forbidden",
        "A webhook's address leads to where nothing may be sent.",
        "It is, or resolves to, an address of this machine, of a private network or of the local"
        " link.",
        "Give an address that is public; or, if a receiver within the house is meant, set"
        " webhook_private_targets=on.",
        passes_by_itself=False,
    ),
)
