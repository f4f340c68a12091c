"""A scripted model API on loopback, so that real engine CLIs work without any model.

It serves what the engines speak: OpenAI Responses (codex), Anthropic Messages (claude) and OpenAI
chat completions (opencode, pi), with or without the `/v1` prefix, streaming or plain.

The prompt is the script. The directives of the newest user message run in order, one model turn for
each tool call, and the last model turn is a text answer:

    [[say: text]]              text; {turn} {first} {last} {out} are replaced
    [[think: text]]            reasoning
    [[bash: command]]          shell tool call
    [[write: path | text]]     write a file; \\n is a newline
    [[edit: path | a | b]]     replace a by b
    [[read: path]]             read a file
    [[plan: x a; > b; c]]      plan tool; "x a" is done, "> b" in progress
    [[agent: prompt]]          sub-agent tool; its prompt may hold directives
    [[search: query]]          web search
    [[ask: question | A | B]]  ask-the-user tool
    [[tool: Name | {json}]]    any tool by name
    [[js: code]]               codex's code mode only
    [[+bash: command]]         + means: in the same model turn as the tool before it
    [[slow: 5]]                text that streams for 5 s
    [[wait: 5]]                5 s of silence before this model turn
    [[hold: name]]             silence until `release(name)` is called
    [[big: 200]]               200 KB of answer text
    [[error: 500]]             HTTP error, always; [[error: 429 x2]] only the first 2 times
    [[error: sse]]             an error event in the middle of the stream
    [[drop]]                   connection cut in the middle of the stream

Without a `say` after the last tool the answer names the number of the turn, the first prompt and
the output of the tools, so that a resumed session can be proved to remember.

    with FakeModelApi() as api:
        start_an_engine(base_url=f"{api.url}/v1")
        request = api.wait_for(1)
        assert "hello" in request.user_texts
"""

from pathlib import Path

from fakes.model_api.server import FakeModelApi, SeenRequest

__all__ = ["CODEX_MODELS", "FakeModelApi", "SeenRequest"]

CODEX_MODELS = Path(__file__).with_name("codex_models.json")
