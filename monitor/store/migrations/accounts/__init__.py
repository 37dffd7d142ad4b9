"""The steps of the accounts."""
