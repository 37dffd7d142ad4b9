"""Patients and devices that do not exist, speaking the real ones' bytes."""
