"""The doors to the outside: HTTP, the live stream, and who is asking."""
