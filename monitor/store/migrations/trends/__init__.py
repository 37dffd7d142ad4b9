"""The steps of the trends."""
