"""What a confined process may not have, tried by one that wants it."""

import json
import os

import pytest

from shared import confined

GREEDY = "tests.shared.greedy"


@pytest.mark.parametrize("what", ["memory", "time", "disk"])
async def test_who_takes_too_much_is_ended(what: str) -> None:
    with pytest.raises(confined.ProcessError):
        async with confined.running(GREEDY, what, patience=20) as printed:
            assert await printed.read() == b""


@pytest.mark.parametrize(("patience", "end"), [(2, TimeoutError), (20, KeyError)])
async def test_it_ends_when_patience_or_whoever_started_it_does(patience: float, end: type[Exception]) -> None:
    numbers: list[int] = []

    async def wait() -> None:
        async with confined.running(GREEDY, "patience", patience=patience) as printed:
            numbers.append(int(await printed.readline()))
            if end is KeyError:
                raise KeyError
            await printed.read()

    with pytest.raises(end):
        await wait()
    with pytest.raises(ProcessLookupError):
        os.kill(numbers[0], 0)


async def test_it_knows_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLEDGES_DATABASE_URL", "postgresql://secret@localhost/gcm")
    async with confined.running(GREEDY, "environment", patience=20) as printed:
        assert set(json.loads(await printed.read())) <= {"PYTHONDONTWRITEBYTECODE", "PYTHONUTF8", "LC_CTYPE"}
