"""Links: a serial port, a socket or a subscription as `read` and `write`."""
