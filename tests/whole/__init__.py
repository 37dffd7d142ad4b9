"""Tests of a whole clinic."""
