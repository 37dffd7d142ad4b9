"""The people of the whole clinic, added once as a technician adds them, and the gateway of its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.whole.clinic import PASSWORD, PEOPLE, SMALLEST, WHO_SIGN_IN, Gateway, command


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a clinic's accounts, made by `user add`."""
    folder = tmp_path_factory.mktemp("people")
    config = folder / "clinic.toml"
    config.write_text(SMALLEST, "utf-8")
    for name in WHO_SIGN_IN:
        code, _, complaint = command(
            "user",
            "add",
            name,
            "--role",
            PEOPLE[name],
            "--config",
            str(config),
            "--password-stdin",
            given=PASSWORD,
        )
        assert code == 0, complaint
    return folder / "data" / "accounts.sqlite3"


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """The clinic's paging gateway, listening."""
    made = Gateway()
    await made.open()
    yield made
    await made.close()
