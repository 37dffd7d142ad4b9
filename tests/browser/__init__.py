"""Tests that look at the page as a nurse would."""
