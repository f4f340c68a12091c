"""Decisions that buttons offer: single-use, unlike Cancel, which may be pressed by anybody again.

Button data is `o:<offer id>:<choice>`. What a choice does is the bridge's business; here stands
which choices there are and how they are called.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias

from takopi.core.chat import Button
from takopi.core.texts import tr_later, translated

__all__ = [
    "CHOICES",
    "OFFER_PREFIX",
    "OfferKind",
    "choice_label",
    "offer_buttons",
    "offer_name",
    "read_offer",
]

OFFER_PREFIX = "o:"
# A button carries 64 bytes, its choice and the prefix included.
_MAX_NAME = 40

OfferKind: TypeAlias = Literal["interrupted", "backlog", "edited", "unknown", "budget"]

CHOICES: Mapping[OfferKind, Mapping[str, str]] = MappingProxyType(
    {
        "interrupted": MappingProxyType(
            {"continue": tr_later("Continue"), "again": tr_later("Ask again")}
        ),
        "backlog": MappingProxyType({"answer": tr_later("Answer"), "drop": tr_later("Drop")}),
        "edited": MappingProxyType({"new": tr_later("Send as new")}),
        "unknown": MappingProxyType({"anew": tr_later("Start anew")}),
        "budget": MappingProxyType({"run": tr_later("Run anyway"), "cancel": tr_later("Cancel")}),
    }
)


def offer_name(kind: OfferKind, name: str) -> str:
    """Name an offer so that a button can carry it.

    Args:
        kind: Tells offers of one turn apart.
        name: A new id, or that of the turn where a turn has one such offer at most.
    """
    return f"{kind[0]}-{name}"[:_MAX_NAME]


def offer_buttons(
    offer_id: str, kind: OfferKind, without: Sequence[str] = ()
) -> tuple[tuple[Button, ...], ...]:
    """Make the one row of buttons of an offer.

    Args:
        offer_id: The offer.
        kind: Decides the choices.
        without: Choices that make no sense here.
    """
    row = tuple(
        Button(translated(label), f"{OFFER_PREFIX}{offer_id}:{choice}")
        for choice, label in CHOICES[kind].items()
        if choice not in without
    )
    return (row,) if row else ()


def choice_label(kind: OfferKind, choice: str) -> str:
    """Say how a choice is called on its button."""
    return translated(CHOICES[kind].get(choice, choice))


def read_offer(data: str) -> tuple[str, str] | None:
    """Return offer id and choice of a button's data; None when it is no offer's."""
    if not data.startswith(OFFER_PREFIX):
        return None
    offer_id, colon, choice = data.removeprefix(OFFER_PREFIX).rpartition(":")
    return (offer_id, choice) if colon and offer_id and choice else None
