"""The steps of the queue of what is sent."""
