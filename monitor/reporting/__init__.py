"""From what is kept to a session's report: reads the journal and the trends, and decides nothing."""
