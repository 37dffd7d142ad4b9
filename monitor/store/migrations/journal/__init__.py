"""The steps of the journal."""
