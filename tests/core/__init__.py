"""Tests of the pure rooms: no I/O, no clock."""
