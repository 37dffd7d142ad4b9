"""The gateways that are known by name: each is the options one would otherwise write, and nothing else.

How sure each is, and what the gateway itself must be set to: `docs/devices/mqtt-map.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # Bare text on PREFIX/sensor/NAME/state, retained; birth and will on PREFIX/status.
    "esphome": {"shape": "scalar", "availability": {"before": "sensor", "name": "status"}},
    # {"spo2": 97}, {"ts": ms, "values": {...}}, or an array of either.
    "thingsboard": {"values": "values", "time": {"path": "ts", "unit": "ms"}},
    # The same under the name of each device; who comes and goes is said on two topics of their own.
    "thingsboard-gateway": {
        "values": "values",
        "time": {"path": "ts", "unit": "ms"},
        "device": {"key": True},
        "availability": {
            "topic": "v1/gateway/connect",
            "offline_topic": "v1/gateway/disconnect",
            "device": "device",
        },
    },
    # home/GATEWAY/BTtoMQTT/MAC; of vital signs Theengs reads heart-rate straps only.
    "openmqttgateway": {
        "shape": "flat",
        "device": {"path": "id"},
        "availability": {"before": "BTtoMQTT", "name": "LWT"},
    },
    # iot/GATEWAY/DEVICE/data. What its will says is not known.
    "ath": {
        "shape": "envelope",
        "values": "values",
        "time": {"path": "time", "unit": "s"},
        "only": {"path": "type", "is": "MeasureData"},
        "device": {"segment": 2},
    },
    # All stations and devices on CM4_BLE_GW_TX. Its perfusion index is in tenths: 70 is 7.0 %.
    "qube-vital": {
        "shape": "envelope",
        "values": "data.value",
        "time": {"path": "time", "unit": "s"},
        "only": {"path": "type", "is": "reportAttribute"},
        "device": {"path": "data.ble_mac"},
        "map": [
            {"path": "spo2", "vital": "spo2"},
            {"path": "pulse", "vital": "pr_spo2"},
            {"path": "pi", "vital": "pi", "scale": 0.1},
            {"path": "bp_high", "vital": "nibp_sys"},
            {"path": "bp_low", "vital": "nibp_dia"},
            {"path": "pr", "vital": "pr_nibp"},
            {"path": "Temp", "vital": "temp"},
        ],
    },
    # Numbers as text.
    "biot": {"shape": "envelope", "values": "data", "time": {"path": "metadata.timestamp", "unit": "ms"}},
    # Bare text that Home Assistant passes on (MQTT Statestream), with its own birth and will.
    "homeassistant": {"shape": "scalar", "availability": {"topic": "homeassistant/status"}},
}

SHARED = frozenset({"thingsboard-gateway", "qube-vital"})
"""Many devices on one topic: the one at this bed must be named."""


def laid_under(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with those of their preset under them; a ValueError where there is no such preset."""
    given = {key: value for key, value in options.items() if key != "preset"}
    if "preset" not in options:
        return given
    name = options["preset"]
    if not isinstance(name, str) or name not in PRESETS:
        raise ValueError(f"preset: there is no {name!r}; there are: {', '.join(PRESETS)}")
    under = dict(PRESETS[name])
    device, known = given.get("device"), under.pop("device", {})
    if isinstance(device, Mapping) and device.keys() == {"is"}:
        given["device"] = {**known, **device}
    elif device is None and name in SHARED:
        raise ValueError(f'device: {name} sends many devices on one topic; say which, as {{ is = "..." }}')
    return under | given
