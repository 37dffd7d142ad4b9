"""What is fast, measured against what else one could use."""
