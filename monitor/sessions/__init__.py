"""Treatment sessions: therapies as data, and the life of a session."""
