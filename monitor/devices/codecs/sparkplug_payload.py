"""The payload of Sparkplug B as protobuf: the one room that imports the library, and only where it is wanted.

The message is described here in code, so nothing has to be compiled. Field numbers and types are those of
`sparkplug_b.proto` (Eclipse Tahu, package org.eclipse.tahu.protobuf). Fields that nobody here reads (data
sets, templates, files) are left out: the library passes over them. Texts are read as bytes, for one that is
not UTF-8 must not make the rest unreadable.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

__all__ = ["DecodeError", "Payload"]

_Field = descriptor_pb2.FieldDescriptorProto
U32, U64, FLOAT = _Field.TYPE_UINT32, _Field.TYPE_UINT64, _Field.TYPE_FLOAT
DOUBLE, BOOL, TEXT = _Field.TYPE_DOUBLE, _Field.TYPE_BOOL, _Field.TYPE_BYTES

PACKAGE = "chairside.sparkplug_b"
VALUES = {"int_value": U32, "long_value": U64, "float_value": FLOAT, "double_value": DOUBLE}
VALUES |= {"boolean_value": BOOL, "string_value": TEXT}
"""The kinds of value that are read, in the order of their numbers; they are a `oneof`."""


def _field(
    message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: Any, *, many: bool = False
) -> descriptor_pb2.FieldDescriptorProto:
    label = _Field.LABEL_REPEATED if many else _Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, label=label)
    if isinstance(kind, str):
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    else:
        field.type = kind
    return field


def _oneof(message: descriptor_pb2.DescriptorProto, first: int) -> None:
    message.oneof_decl.add(name="value")
    for number, (name, kind) in enumerate(VALUES.items(), first):
        _field(message, name, number, kind).oneof_index = 0


def _described() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_b.proto", package=PACKAGE, syntax="proto2")
    value = file.message_type.add(name="PropertyValue")
    _field(value, "type", 1, U32)
    _field(value, "is_null", 2, BOOL)
    _oneof(value, 3)
    properties = file.message_type.add(name="PropertySet")
    _field(properties, "keys", 1, TEXT, many=True)
    _field(properties, "values", 2, "PropertyValue", many=True)
    metric = file.message_type.add(name="Metric")
    _field(metric, "name", 1, TEXT)
    _field(metric, "alias", 2, U64)
    _field(metric, "timestamp", 3, U64)
    _field(metric, "datatype", 4, U32)
    _field(metric, "is_historical", 5, BOOL)
    _field(metric, "is_null", 7, BOOL)
    _field(metric, "properties", 9, "PropertySet")
    _oneof(metric, 10)
    payload = file.message_type.add(name="Payload")
    _field(payload, "timestamp", 1, U64)
    _field(payload, "metrics", 2, "Metric", many=True)
    _field(payload, "seq", 3, U64)
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_described())

Payload: Any = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.Payload"))
"""The class of one payload; the library makes it, so nobody knows its type."""
