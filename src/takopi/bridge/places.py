"""What is known about topics, chats and projects, at hand without asking the journal."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from takopi.bridge.ports import Store
from takopi.bridge.records import Change, PlacePut
from takopi.core.budget import BUDGET_KEY
from takopi.core.chat import Scope
from takopi.core.places import PlaceRecord
from takopi.core.preferences import Layer, chat_key, project_key, scope_key

__all__ = ["Places"]


class Places:
    """Hold every place; there are as many as a person has topics, so all are in memory.

    Args:
        store: Where they are written down.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, PlaceRecord] = {}

    def restore(self, places: Iterable[PlaceRecord]) -> None:
        """Take what the journal knows."""
        self._known = {place.key: place for place in places}

    def of(self, scope: Scope) -> PlaceRecord:
        """Return what is known of a topic, or of a chat outside of topics."""
        return self._get(scope_key(scope))

    def of_chat(self, scope: Scope) -> PlaceRecord:
        """Return what is known of the whole chat of a place."""
        return self._get(chat_key(scope))

    def of_project(self, alias: str) -> PlaceRecord:
        """Return what is known of a project."""
        return self._get(project_key(alias))

    def of_budget(self) -> PlaceRecord:
        """Return what was told of the day's budget."""
        return self._get(BUDGET_KEY)

    def all(self) -> tuple[PlaceRecord, ...]:
        """List what is known."""
        return tuple(self._known.values())

    def layers(self, scope: Scope, project: str | None) -> tuple[Layer, ...]:
        """List what was chosen for a prompt, the nearest place first.

        Args:
            scope: Where it is asked.
            project: Where it runs.
        """
        found = [Layer("chat", self.of_chat(scope).preferences)]
        if scope.thread_id is not None:
            found.insert(0, Layer("topic", self.of(scope).preferences))
        if project is not None:
            found.append(Layer("project", self.of_project(project).preferences))
        return tuple(found)

    async def put(self, place: PlaceRecord, changes: Sequence[Change] = ()) -> None:
        """Write down what is known of a place now.

        Args:
            place: The whole record.
            changes: What is written down with it.

        Raises:
            StoreError: The journal did not take it, so nothing changed.
        """
        await self._store.commit([PlacePut(place), *changes])
        self._known[place.key] = place

    def took(self, place: PlaceRecord) -> None:
        """Know a place as it was just written down together with something else."""
        self._known[place.key] = place

    def note(self, place: PlaceRecord) -> None:
        """Hold what is written down elsewhere, or soon will be."""
        self._known[place.key] = place

    def guises(self, scope: Scope) -> tuple[Scope, ...]:
        """List a place as it is, and as it was before its group moved: its turns are of both."""
        found = [scope]
        while scope.thread_id is None:
            former = self._get(chat_key(found[-1])).former_chat
            if former is None or former in {one.chat_id for one in found}:
                break
            found.append(replace(scope, chat_id=former))
        return tuple(found)

    def has_moved(self, scope: Scope, new_chat_id: int) -> bool:
        """Tell whether the journal knows a chat under its new id."""
        here = self._get(chat_key(replace(scope, chat_id=new_chat_id)))
        return here.former_chat == scope.chat_id

    def in_chat(self, scope: Scope) -> tuple[PlaceRecord, ...]:
        """List what is known of a chat and its topics."""
        key = chat_key(scope)
        return tuple(
            place
            for place in self._known.values()
            if place.key == key or place.key.startswith(f"{key}:")
        )

    def move(self, scope: Scope, new_chat_id: int) -> None:
        """Let what is known of a chat and its topics hold under the chat's new id.

        Whoever calls writes down what is then known there.
        """
        old, new = chat_key(scope), chat_key(replace(scope, chat_id=new_chat_id))
        for place in self.in_chat(scope):
            there = new + place.key.removeprefix(old)
            self._known.setdefault(there, replace(place, key=there))
        self._known[new] = replace(self._get(new), former_chat=scope.chat_id)

    def _get(self, key: str) -> PlaceRecord:
        return self._known.get(key) or PlaceRecord(key=key)
