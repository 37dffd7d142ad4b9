"""A treatment session as a screen is shown it: its record and what was seen of its patient, now. Pure."""

from monitor.ward.treating.whole import brief, therapy_now, treatment_now

__all__ = ["brief", "therapy_now", "treatment_now"]
