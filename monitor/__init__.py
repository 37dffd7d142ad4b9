"""Chairside: vital signs from bedside monitors to a nurse's screen and a page."""
