"""A mistake in the file, as its writer should hear it: which key, and what is wrong, in plain words."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Loc = tuple[int | str, ...]
"""Where in the file: keys, and places in its lists."""


def place(loc: Loc, raw: Mapping[str, Any], variables: Mapping[Loc, str], file: str) -> str:
    """Where a mistake is, as a technician would say it: `clinic.toml: device.bp3.link`."""
    for length in range(len(loc), 1, -1):
        if loc[:length] in variables:
            return variables[loc[:length]]
    said: list[str] = []
    here: Any = raw
    for part in loc:
        if isinstance(part, int):
            here = here[part] if isinstance(here, list) and part < len(here) else None
            name = here.get("name") if isinstance(here, dict) else None
            said.append(name if isinstance(name, str) and name else f"#{part + 1}")
        elif isinstance(here, dict) and part not in here and here.get("way") == part:
            continue  # pydantic names the member of the union that it chose; the file does not
        else:
            said.append(part)
            here = here.get(part) if isinstance(here, dict) else None
    return f"{file}: {'.'.join(said)}"


def sentence(error: ErrorDetails, root: type[BaseModel]) -> str:
    """What is wrong, in words for whoever wrote the file."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        known = known_keys(error["loc"][:-1], root)
        near = nearest(str(error["loc"][-1]), known)
        return f"there is no such key{near or '; there are ' + ', '.join(known)}"
    if kind in _LIST and error["loc"] in HEADED:
        return f"should be a list: each of them begins with [[{'.'.join(map(str, error['loc']))}]]"
    if kind in _TOO_SHORT and context["min_length"] == 1:
        return "should not be empty"
    return _PLAIN.get(kind, "is not as it should be").format(**context)


HEADED: tuple[Loc, ...] = (("bed",), ("device",), ("staff",), ("paging", "pager"))
"""What is a list of tables; whoever writes [bed] meant [[bed]]."""

_LIST = ("tuple_type", "list_type")
_TOO_SHORT = ("string_too_short", "too_short")


_PLAIN = {
    "missing": "is missing",
    "union_tag_not_found": "has no way; a pager goes by console, webhook or apprise",
    "union_tag_invalid": "there is no such way; a pager goes by console, webhook or apprise",
    "string_pattern_mismatch": "should be 1 to 32 of a-z, 0-9, _ and -, the first a letter or a digit",
    "string_too_short": "should have at least {min_length} characters",
    "too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
    "string_type": "should be text in quotes",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "should be a whole number, and not so long",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "finite_number": "should be a number, and not without end",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "literal_error": "should be {expected}",
    "greater_than": "should be more than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "mapping_type": "should be a table",
    "dict_type": "should be a table",
    "model_type": "should be a table",
    "model_attributes_type": "should be a table",
    "path_type": "should be a path in quotes",
}


def known_keys(loc: Loc, root: type[BaseModel]) -> list[str]:
    """The keys that the table at `loc` may have."""
    models = [root]
    for part in loc:
        if isinstance(part, int):
            continue
        held = [fields(model)[part] for model in models if part in fields(model)]
        if held:
            models = [model for annotation in held for model in _tables(annotation)]
        else:  # the chosen member of a union, named by its way
            models = [model for model in models if part in get_args(model.model_fields["way"].annotation)]
    return list(dict.fromkeys(key for model in models for key in fields(model)))


def fields(model: type[BaseModel]) -> dict[str, Any]:
    """The keys of one table, with what each holds."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _tables(annotation: Any) -> list[type[BaseModel]]:
    """The tables somewhere in an annotation: `tuple[Bed, ...]` has one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _tables(part)]


def nearest(name: str, known: Collection[str]) -> str:
    """A question after the known name that looks most like this one; nothing where none does."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f'; did you mean "{near[0]}"?' if near else ""


def plainly(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, without the path."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return lower(error.strerror or "it is not there")


def lower(text: str) -> str:
    """A sentence as it reads after a colon."""
    return text[:1].lower() + text[1:]


def one_line(text: str) -> str:
    """The text with a ? for everything that does not print: a name in the file cannot fake a line (T10)."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
