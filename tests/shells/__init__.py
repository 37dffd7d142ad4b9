"""Tests of the shells on real ports, brokers, databases and pagers."""
