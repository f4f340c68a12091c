"""`/_ctl/...`: the same control for whoever is in another process.

Bodies and answers are JSON. `say`, `press`, `group`, `fault`, `flood`, `revoke`, `calls`,
`messages`, `wait`.
"""

from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from .server import TelegramApi
    from .world import Message

__all__ = ["control_routes"]


def control_routes(api: "TelegramApi") -> list[web.RouteDef]:
    """List the routes of the control interface."""
    control = _Control(api)
    posts = ("say", "press", "group", "fault", "flood", "revoke", "wait")
    routes = [web.post(f"/_ctl/{name}", getattr(control, name)) for name in posts]
    return [
        *routes,
        web.get("/_ctl/calls", control.calls),
        web.get("/_ctl/messages", control.messages),
        web.route("*", "/_ctl/redirect/{rest:.*}", control.redirect),
    ]


class _Control:
    def __init__(self, api: "TelegramApi") -> None:
        self._api = api

    async def say(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        person = self._api.person(wanted.pop("user_id", self._api.owner.id))
        message = person.say(wanted.pop("text"), wanted.pop("chat_id", None), **wanted)
        return web.json_response({"message_id": message.id})

    async def press(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        person = self._api.person(wanted.get("user_id", self._api.owner.id))
        chat = self._api.world.chats[wanted.get("chat_id", person.id)]
        message = chat.messages[wanted["message_id"]]
        return web.json_response({"callback_query_id": person.press(message, wanted.get("label"))})

    async def group(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        chat = self._api.world.group(wanted["chat_id"], forum=bool(wanted.get("topics")))
        threads = [self._api.world.topic(chat.id, name) for name in wanted.get("topics", [])]
        return web.json_response({"chat_id": chat.id, "topics": threads})

    async def fault(self, request: web.Request) -> web.Response:
        self._api.faults.add(**await request.json())
        return web.json_response({})

    async def flood(self, request: web.Request) -> web.Response:
        self._api.flood.enabled = bool((await request.json()).get("enabled", True))
        return web.json_response({})

    async def revoke(self, request: web.Request) -> web.Response:
        del request
        self._api.revoked = True
        return web.json_response({})

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

    async def redirect(self, request: web.Request) -> web.Response:
        """Lead elsewhere, as a misconfigured gateway does."""
        raise web.HTTPFound("/" + request.match_info["rest"])

    async def wait(self, request: web.Request) -> web.Response:
        """Wait for a message of the bot whose text contains `text`, newer than `after`."""
        wanted = await request.json()
        after, text = wanted.get("after", 0), wanted.get("text", "")

        def fits(message: "Message") -> bool:
            return message.id > after and text in message.text

        try:
            found = await self._api.wait_message(fits, timeout_s=wanted.get("timeout_s", 20))
        except AssertionError as error:
            return web.json_response({"error": str(error)}, status=408)
        return web.json_response(_shown(found))


def _shown(message: "Message") -> dict[str, Any]:
    return {**message.json(), "edits": message.edits, "notify": message.notify}


def _dumps(value: Any) -> str:
    import json

    return json.dumps(value, default=lambda other: f"<{type(other).__name__}>")
