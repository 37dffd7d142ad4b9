"""The ward as JSON of the outside: shapes, records in them, turns of the stream, answers to requests."""
