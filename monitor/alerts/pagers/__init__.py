"""Pagers: one file a way of reaching a person."""
