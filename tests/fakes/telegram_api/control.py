"""`/_ctl/...`: the same control for whoever is in another process.

Bodies and answers are JSON. What people do: `say`, `paste`, `album`, `forward`, `edit`, `press`,
`delete`; what happens to chats: `group`, `topic`, `delete_topic`, `upgrade`, `lock_out`; what goes
wrong: `fault`, `random_faults`, `clear`, `flood`, `revoke`, `hold`, `release`; and looking on:
`calls`, `messages`, `pending`, `wait`. Wherever a person acts, `user_id` says who; the owner
otherwise.
"""

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .disorder import disorder

if TYPE_CHECKING:
    from .people import Person
    from .server import TelegramApi
    from .world import Message

__all__ = ["control_routes"]

_PEOPLE = ("say", "paste", "album", "forward", "edit", "press", "delete")
_CHATS = ("group", "topic", "delete_topic", "upgrade", "lock_out")
_TROUBLE = ("fault", "random_faults", "clear", "flood", "revoke", "hold", "release")


def control_routes(api: "TelegramApi") -> list[web.RouteDef]:
    """List the routes of the control interface."""
    control = _Control(api)
    posts = (*_PEOPLE, *_CHATS, *_TROUBLE, "wait")
    routes = [web.post(f"/_ctl/{name}", getattr(control, name)) for name in posts]
    return [
        *routes,
        web.get("/_ctl/calls", control.calls),
        web.get("/_ctl/messages", control.messages),
        web.get("/_ctl/pending", control.pending),
        web.route("*", "/_ctl/redirect/{rest:.*}", control.redirect),
    ]


class _Control:
    def __init__(self, api: "TelegramApi") -> None:
        self._api = api

    def _person(self, wanted: dict[str, Any]) -> "Person":
        return self._api.person(wanted.pop("user_id", self._api.owner.id))

    def _message(self, wanted: dict[str, Any]) -> "Message":
        chat = wanted.pop("chat_id", self._api.owner.id)
        return self._api.world.chats[chat].messages[wanted.pop("message_id")]

    # What people do.

    async def say(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        person = self._person(wanted)
        message = person.say(wanted.pop("text"), wanted.pop("chat_id", None), **wanted)
        return web.json_response({"message_id": message.id})

    async def paste(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        person = self._person(wanted)
        return _ids(person.paste(wanted.pop("text"), wanted.pop("chat_id", None), **wanted))

    async def album(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        person = self._person(wanted)
        return _ids(person.album(wanted.pop("captions"), wanted.pop("chat_id", None), **wanted))

    async def forward(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        person = self._person(wanted)
        message = person.forward(wanted.pop("text"), wanted.pop("chat_id", None), **wanted)
        return web.json_response({"message_id": message.id})

    async def edit(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        person, message = self._person(wanted), self._message(wanted)
        person.edit(message, wanted.pop("text"), **wanted)
        return web.json_response({"edit_date": message.edit_date})

    async def press(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        person, message = self._person(wanted), self._message(wanted)
        if "data" in wanted:
            press = person.press_data(message, wanted["data"])
        else:
            press = person.press(message, wanted.get("label"))
        return web.json_response({"callback_query_id": press})

    async def delete(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        self._person(wanted).delete(self._message(wanted))
        return web.json_response({})

    # What happens to chats.

    async def group(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        chat = self._api.world.group(wanted["chat_id"], forum=bool(wanted.get("topics")))
        threads = [self._api.world.topic(chat.id, name) for name in wanted.get("topics", [])]
        return web.json_response({"chat_id": chat.id, "topics": threads})

    async def topic(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        thread = self._api.world.topic(wanted["chat_id"], wanted.get("title", "topic"))
        return web.json_response({"thread_id": thread})

    async def delete_topic(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        self._api.world.delete_topic(wanted["chat_id"], wanted["thread_id"])
        return web.json_response({})

    async def upgrade(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        self._person(wanted).upgrade(wanted["chat_id"], wanted["new_chat_id"])
        return web.json_response({})

    async def lock_out(self, request: web.Request) -> web.Response:
        """Refuse the bot in a chat from now on; without `why` let it in again."""
        wanted = await request.json()
        self._api.world.chats[wanted["chat_id"]].lost = wanted.get("why")
        return web.json_response({})

    # What goes wrong.

    async def fault(self, request: web.Request) -> web.Response:
        self._api.faults.add(**await request.json())
        return web.json_response({})

    async def random_faults(self, request: web.Request) -> web.Response:
        made = self._api.faults.add_random(**await request.json())
        return web.json_response([[fault.kind, fault.method] for fault in made])

    async def clear(self, request: web.Request) -> web.Response:
        """Forget all faults, and let every hanging call go."""
        del request
        left = self._api.faults.left
        self._api.faults.clear()
        return web.json_response({"left": left})

    async def flood(self, request: web.Request) -> web.Response:
        self._api.flood.enabled = bool((await request.json()).get("enabled", True))
        return web.json_response({})

    async def revoke(self, request: web.Request) -> web.Response:
        del request
        self._api.revoked = True
        return web.json_response({})

    async def hold(self, request: web.Request) -> web.Response:
        """Keep new updates back until `release`."""
        del request
        self._api.updates.hold()
        return web.json_response({})

    async def release(self, request: web.Request) -> web.Response:
        """Deliver what was held; with a `seed` in disorder and with repeats."""
        wanted = await request.json()
        order = disorder(**wanted) if "seed" in wanted else list
        self._api.updates.release(order)
        return web.json_response({"pending": self._api.updates.pending})

    # Looking on.

    async def calls(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", "0"))
        methods = request.query.getall("method", [])
        found = [
            call.json()
            for call in self._api.calls.calls[after:]
            if not methods or call.method in methods
        ]
        return web.json_response(found, dumps=_dumps)

    async def messages(self, request: web.Request) -> web.Response:
        chat = self._api.world.chats[int(request.query.get("chat_id", self._api.owner.id))]
        return web.json_response([_shown(message) for message in chat.standing()])

    async def pending(self, request: web.Request) -> web.Response:
        """Show the updates that nobody confirmed, and below which number all are."""
        del request
        queue = self._api.updates
        return web.json_response({"pending": queue.pending, "confirmed": queue.confirmed_below})

    async def redirect(self, request: web.Request) -> web.Response:
        """Lead elsewhere, as a misconfigured gateway does."""
        raise web.HTTPFound("/" + request.match_info["rest"])

    async def wait(self, request: web.Request) -> web.Response:
        """Wait for a message of the bot whose text contains `text`, newer than `after`."""
        wanted = await request.json()
        after, text, chat = wanted.get("after", 0), wanted.get("text", ""), wanted.get("chat_id")

        def fits(message: "Message") -> bool:
            return message.id > after and text in message.text

        timeout_s = wanted.get("timeout_s", 20)
        try:
            found = await self._api.wait_message(fits, chat_id=chat, timeout_s=timeout_s)
        except AssertionError as error:
            return web.json_response({"error": str(error)}, status=408)
        return web.json_response(_shown(found))


def _ids(messages: "list[Message]") -> web.Response:
    return web.json_response({"message_ids": [message.id for message in messages]})


def _shown(message: "Message") -> dict[str, Any]:
    return {**message.json(), "edits": message.edits, "notify": message.notify}


def _dumps(value: Any) -> str:
    return json.dumps(value, default=lambda other: f"<{type(other).__name__}>")
