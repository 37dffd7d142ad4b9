"""Bedside devices: what they say, how it is read, and whether it may be believed."""
