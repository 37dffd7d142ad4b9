"""What a value of clinic.toml may be: each kind with the words for one that is wrong."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
)

from monitor.config.words import nearest, plainly
from monitor.people import Role

NAME = r"^[a-z0-9][a-z0-9_-]{0,31}$"
"""What a bed, device, person or pager may be called: harmless in a topic, path, URL or log line (T11)."""


def _no_bool(value: object) -> object:
    # To pydantic, true is the number 1; to whoever wrote `port = true` it was a slip.
    if isinstance(value, bool):
        raise ValueError("should be a number")  # noqa: TRY004  pydantic turns only ValueErrors into mistakes
    return value


def _rule_number(value: object) -> object:
    numbers = value if isinstance(value, list) else [value]
    if isinstance(value, str) or (
        len(numbers) in (1, 2)
        and all(isinstance(n, int | float) and not isinstance(n, bool) and isfinite(n) for n in numbers)
    ):
        return tuple(numbers) if isinstance(value, list) else value
    raise ValueError("should be a number; only a span has two")


def _therapy(value: object) -> object:
    # Whatever [therapies] holds beside its own keys is a therapy, so a key that is no table is a slip.
    if isinstance(value, Mapping):
        return value
    raise ValueError("there is no such key; there are default, overrides and a table for each therapy")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path())
    return Path(folder) / path.expanduser()


def _file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _revealed(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str) or not value.startswith("file:"):
        return value
    path = _from_folder(Path(value.removeprefix("file:")), info)
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the secret in {path} cannot be read: {plainly(error)}") from None
    if not secret:
        raise ValueError(f"the secret file {path} is empty")
    return secret


def _zone(name: str) -> str:
    # UTC is known without the time-zone files, which small systems leave out.
    if name == "UTC" or name in zoneinfo.available_timezones():
        return name
    raise ValueError(f'there is no time zone "{name}"{nearest(name, zoneinfo.available_timezones())}')


def _database(url: SecretStr) -> SecretStr:
    try:
        kind = urlsplit(url.get_secret_value()).scheme.partition("+")[0]
    except ValueError:
        kind = ""
    if kind not in {"sqlite", "postgresql"}:
        raise ValueError("should be a sqlite:/// or postgresql:// address")
    return url


def _host(name: str) -> str:
    if "/" in name or name != name.strip() or not name:
        raise ValueError("should be a host name or an address, without a scheme or a port")
    return name


def _link(link: str) -> str:
    if link.startswith("/"):
        return link
    try:
        url = urlsplit(link, allow_fragments=False)  # "#" is a wild card in a topic
        port = url.port
    except ValueError:
        raise ValueError("has no port between 0 and 65535") from None
    if url.scheme == "mqtt" and url.path.strip("/"):
        return link
    if url.scheme in {"socket", "rfc2217"} and url.hostname and port:
        return link
    if url.scheme == "mllp" and port and not url.path.strip("/"):
        return link
    raise ValueError(
        "should be a path such as /dev/serial/by-id/..., socket://HOST:PORT, rfc2217://HOST:PORT, "
        "mqtt://HOST/TOPIC (mqtt:///TOPIC for the broker of [mqtt]), or mllp://:PORT"
    )


def _eui64(name: str) -> str:
    digits = name.replace("-", "").replace(":", "").upper()
    if len(digits) != 16 or any(sign not in "0123456789ABCDEF" for sign in digits):
        raise ValueError("should be 16 hexadecimal digits (EUI-64), which nobody else at the receiver has")
    return digits


def _topic(topic: str) -> str:
    if not topic or topic.startswith("$") or any(sign in topic for sign in "+#\0"):
        raise ValueError("should be one plain topic, without + or #")
    return topic


def _web_address(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise ValueError("should be an address such as https://HOST/PATH")
    if parts.username is not None or parts.password is not None:
        raise ValueError("should hold no user and no password; the signature tells the receiver who calls")
    return url


def _apprise_address(url: SecretStr) -> SecretStr:
    from apprise import Apprise

    # apprise says no by None, and why only to its log, where a token might show.
    if Apprise.instantiate(url.get_secret_value()) is None:
        raise ValueError("is no address that apprise understands")
    return url


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("should name somebody")
    return values


def _role(role: object) -> object:
    if role in _PEOPLE:
        return role
    raise ValueError(f"should be {', '.join(_PEOPLE[:-1])} or {_PEOPLE[-1]}")


_PEOPLE = (Role.NURSE, Role.CHARGE_NURSE, Role.PRESCRIBER, Role.ADMINISTRATOR)
"""Screens and machines are roles too, but no staff."""


Name = Annotated[str, StringConstraints(pattern=NAME)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Port = Annotated[int, BeforeValidator(_no_bool), Field(ge=1, le=65535)]
Whole = Annotated[int, BeforeValidator(_no_bool), Field(ge=1)]
Seconds = Annotated[float, BeforeValidator(_no_bool), Field(gt=0, allow_inf_nan=False)]
Moment = Annotated[float, BeforeValidator(_no_bool), Field(ge=0, allow_inf_nan=False)]
RuleNumber = Annotated[float | tuple[float, float] | str, BeforeValidator(_rule_number)]
"""A number of a limit's row; the span has two; how its terms are joined is a word."""
Secret = Annotated[SecretStr, BeforeValidator(_revealed)]
"""A text that never shows: `.get_secret_value()` gives it. `file:PATH` in the file means what PATH holds."""
T = TypeVar("T")
Listed = Annotated[tuple[T, ...], BeforeValidator(_listed), AfterValidator(_some)]
"""One, or a list of them; at least one."""
Folder = Annotated[Path, AfterValidator(_from_folder)]
"""Counted from the folder of the file."""
ReadFile = Annotated[Folder, AfterValidator(_file)]
Zone = Annotated[str, AfterValidator(_zone)]
Host = Annotated[str, AfterValidator(_host)]
DeviceLink = Annotated[str, AfterValidator(_link)]
Topic = Annotated[str, AfterValidator(_topic)]
Eui64 = Annotated[str, AfterValidator(_eui64)]
DatabaseUrl = Annotated[Secret, AfterValidator(_database)]
WebAddress = Annotated[Secret, AfterValidator(_web_address)]
AppriseAddress = Annotated[Secret, AfterValidator(_apprise_address)]
StaffRole = Annotated[Role, BeforeValidator(_role)]
TherapyTable = Annotated[Mapping[str, Any], BeforeValidator(_therapy)]

OWN_NETWORKS = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
    *("fc00::/7", "fe80::/10", "::1/128"),
)
"""The addresses that no machine on the internet has (RFC 1918, RFC 3927, RFC 4193, and this machine)."""


class Section(BaseModel):
    """A table of the file. Frozen; a key it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
