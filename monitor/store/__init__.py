"""What is remembered: the journal of decisions and the flood of readings."""
