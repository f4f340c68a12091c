"""aiogram is imported fast, completely, and only by the bot that runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

PACKAGE = Path(__file__).parents[2] / "src" / "takopi" / "telegram"
NEEDS_AIOGRAM = {"aiogram_api"}
NEEDS_AIOHTTP = NEEDS_AIOGRAM | {"bot_facts", "downloads", "endpoint", "lean_api"}


def python(program: str) -> dict[str, object]:
    """Run a program in a fresh interpreter and return the JSON of its last line."""
    # What measures coverage slows an import of aiogram down to a tenth, and it is timed here.
    untraced = {name: v for name, v in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=untraced,
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout.splitlines()[-1]), "stderr": done.stderr}


def test_no_module_of_the_package_imports_the_client_by_itself():
    """Help, doctor and set-up load neither aiogram nor, before they connect, aiohttp."""
    names = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")
    light = [name for name in names if name not in NEEDS_AIOHTTP]
    found = python(f"""
import importlib, json, sys
for name in {light!r}: importlib.import_module("takopi.telegram." + name)
before = [name for name in ("aiogram", "aiohttp", "pydantic") if name in sys.modules]
for name in ("endpoint", "lean_api"): importlib.import_module("takopi.telegram." + name)
print(json.dumps({{"light": before, "lean": "aiogram" in sys.modules}}))
""")
    assert found["light"] == []
    assert found["lean"] is False


MEASURE = """
import json, time
from pathlib import Path
began = time.perf_counter()
{load}
seconds = time.perf_counter() - began
# Not ru_maxrss: a child begins with that of the process that forked it.
status = Path("/proc/self/status")
peak = int(status.read_text().partition("VmHWM:")[2].split()[0]) if status.exists() else 0
print(json.dumps({{"seconds": seconds, "peak_kb": peak}}))
"""


BUILD = """
import json, sys
from takopi.telegram.fast_import import USED_METHODS, import_aiogram
aiogram = import_aiogram()
import pydantic
wrong, models = [], []
for module in (aiogram.types, aiogram.methods):
    for name in module.__all__:
        model = getattr(module, name)
        if isinstance(model, type) and issubclass(model, pydantic.BaseModel):
            models.append(model)
built = [m.__name__ for m in models if m.__pydantic_complete__]
for model in models[::{step}]:
    try:
        if model.model_rebuild(raise_errors=True) is False or not model.__pydantic_complete__:
            wrong.append(model.__name__)
    except Exception as error:
        wrong.append(f"{{model.__name__}}: {{error}}")
class Later(pydantic.BaseModel):
    number: int
print(json.dumps({{
    "models": len(models), "wrong": wrong, "early": len(built),
    "used": [m for m in USED_METHODS if m not in built],
    "restored": Later.__pydantic_complete__ and not pydantic.BaseModel.model_config,
    "again": import_aiogram() is aiogram,
}}))
"""


@pytest.mark.parametrize("step", [25, pytest.param(1, marks=pytest.mark.full)])
@pytest.mark.timeout(120)
def test_every_model_can_still_be_built(step):
    """What was deferred builds on demand, pydantic is as before, and few were built early."""
    found = python(BUILD.format(step=step))
    assert found["wrong"] == []
    assert found["used"] == []
    assert found["models"] > 500
    assert found["early"] < 150
    assert found["restored"]
    assert found["again"]


BROKEN = """
import json, sys
import pydantic
{sabotage}
from takopi.telegram.fast_import import import_aiogram
aiogram = import_aiogram()
message = aiogram.methods.SendMessage(chat_id=1, text="x")
print(json.dumps({{"text": message.text, "built": aiogram.types.Poll.__pydantic_complete__}}))
"""
SABOTAGE = {
    "a method that is gone": "import takopi.telegram.fast_import as f\n"
    "f.import_aiogram.__defaults__ = (('NoSuchMethod',),)",
    "another pydantic": "real = pydantic.BaseModel.__dict__['model_rebuild'].__func__\n"
    "def picky(cls, **options):\n"
    "    if options.pop('raise_errors', None):\n"
    "        raise pydantic.errors.PydanticUserError('x', code=None)\n"
    "    return real(cls, **options)\n"
    "pydantic.BaseModel.model_rebuild = classmethod(picky)",
}


@pytest.mark.parametrize(
    "way", ["a method that is gone", pytest.param("another pydantic", marks=pytest.mark.full)]
)
@pytest.mark.timeout(120)
def test_any_failure_ends_in_the_plain_import(way):
    """When the short cut breaks, the bot still starts, only slower, and the log says why."""
    found = python(BROKEN.format(sabotage=SABOTAGE[way]))
    assert found["text"] == "x"
    assert found["built"]
    assert "aiogram.deferred_import_failed" in str(found["stderr"])


@pytest.mark.timeout(120)
def test_the_bot_is_ready_in_time_and_small(tmp_path):
    """From nothing to the first getUpdates: 0.6 of `import aiogram` alone, at most 90 MB."""
    port_file = tmp_path / "port"
    tests = str(Path(__file__).parents[1])
    stand_in = subprocess.Popen(
        [sys.executable, "-m", "fakes.telegram_api", "--port-file", str(port_file)],
        env={**os.environ, "PYTHONPATH": tests},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address, _, token = str(stand_in.stdout.readline()).split()
        assert address.endswith(":" + port_file.read_text())
        ready = MEASURE.format(load=READY.format(token=token, address=address))
        plain = python(MEASURE.format(load="import aiogram"))
        bot = python(ready)
        if bot["seconds"] > 0.6 * plain["seconds"]:  # the machine may have been busy with others
            bot = python(ready)
    finally:
        stand_in.terminate()
        stand_in.wait(10)
        stand_in.stdout.close()
    assert stand_in.returncode == 0
    assert bot["seconds"] <= 0.6 * plain["seconds"]
    assert bot["peak_kb"] <= 80 * 1024, "the rest of the bot needs 10 MB more"


READY = """
import anyio
from takopi.telegram.transport import TelegramConfig, TelegramTransport
async def main():
    transport = TelegramTransport(TelegramConfig("{token}", "{address}"))
    await transport.connect()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anext, transport.updates())
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    await transport.aclose()
anyio.run(main)
"""
