"""Alarms: what is watched for, when it counts, how it lives, and who is told."""
