"""A session's record as JSON: the report itself, key by key, under a schema with a version.

`session.schema.json` beside this file is drawn from the classes of `report.py`; a test holds them together.
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.records.report import DISCLAIMER, SessionReport


def encode(report: SessionReport) -> bytes:
    """UTF-8, keys as in `report.py`, times as `..._ms` (UTC), priorities by name, vitals by theirs."""
    return msgspec.json.encode({"disclaimer": DISCLAIMER} | document(report))


def document(report: SessionReport) -> dict[str, Any]:
    """The same as plain values. A priority is said by its name: a number would have to be looked up."""
    found: dict[str, Any] = msgspec.to_builtins(report)
    for alarm, told in zip(report.alarms, found["alarms"], strict=True):
        told["priority"] = alarm.priority.name
    return found


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of what `encode` writes."""
    (drawn,), parts = msgspec.json.schema_components([SessionReport], ref_template="#/$defs/{name}")
    parts["Priority"] = {"title": "Priority", "enum": ["LOW", "MEDIUM", "HIGH"]}
    report = parts.pop("SessionReport")
    report["properties"] = {"disclaimer": {"const": DISCLAIMER}} | report["properties"]
    report["required"] = ["disclaimer", *report["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A session's record",
        "$comment": f"Drawn from monitor/records/report.py; do not change it here. {drawn['$ref']}",
        **{key: value for key, value in report.items() if key != "title"},
        "additionalProperties": False,
        "$defs": parts,
    }
