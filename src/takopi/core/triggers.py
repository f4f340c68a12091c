"""Which messages of a group are meant for the bot.

With the trigger `mentions` a message counts when it names the bot, replies to one of its messages,
or begins with a word of takopi's own: a command, an engine, a project. A message that goes on with
one that counts (an album, a long paste) counts too; gathering knows that.
"""

from takopi.core.chat import MessageReceived
from takopi.core.decisions import (
    BadBranch,
    Command,
    ContextExplained,
    ContextTwice,
    EngineConflict,
    EngineExplained,
    Prompt,
    Route,
)
from takopi.core.preferences import Trigger

__all__ = ["begins_with_own_word", "speaks_to_bot"]


def speaks_to_bot(message: MessageReceived, trigger: Trigger) -> bool:
    """Tell whether a message is meant for the bot, whatever it asks for.

    Args:
        message: The message; those of private chats are always meant.
        trigger: Which messages of a group count.
    """
    if message.chat_kind == "private" or trigger == "all" or message.mentioned:
        return True
    return message.reply is not None and message.reply.from_this_bot


def begins_with_own_word(message: MessageReceived, decision: Route) -> bool:
    """Tell whether a message begins with a command or directive that takopi knows.

    Args:
        message: The message.
        decision: What it asks for.
    """
    text = message.text.strip()
    # Of what begins with a slash, a doubled one and a path are text, and other bots have words too.
    if message.forwarded or not text.startswith("/") or text.startswith("//"):
        return False
    if isinstance(decision, Prompt):
        return decision.text != text
    own = Command | EngineExplained | EngineConflict | ContextExplained
    return isinstance(decision, own | ContextTwice | BadBranch)
