"""An example package with commands for takopi: one that works, one with a bug, one that is slow."""

from takopi.api import CommandContext, CommandResult, RunRequest


class Greet:
    """Answer with what the command was called with."""

    id = "greet"
    description = "Greets, and says where it was called"

    async def handle(self, ctx: CommandContext) -> CommandResult:
        greeting = ctx.plugin_config.get("greeting", "hello")
        said = f"{greeting} {' '.join(ctx.args)}; engines: {', '.join(ctx.runtime.engine_ids[-1:])}"
        return CommandResult(said, notify=False)


class Bug:
    """Fail as code fails."""

    id = "bug"
    description = "Fails"

    async def handle(self, ctx: CommandContext) -> None:
        raise RuntimeError(f"told to fail with {ctx.args_text}")


class Slow:
    """Keep an engine at work that the chat does not see."""

    id = "slow"
    description = "Works for long"

    async def handle(self, ctx: CommandContext) -> CommandResult:
        await ctx.executor.send("slow begins")
        done = await ctx.executor.run_one(RunRequest(ctx.args_text), mode="capture")
        return CommandResult(done.message.text if done.message else "nothing")


GREET = Greet()
BUG = Bug()
SLOW = Slow()
