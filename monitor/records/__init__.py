"""Records that leave the clinic: one session's report, and its shapes as files and messages. No clock."""
