"""Tests of each device's decoder, encoder and twin."""
