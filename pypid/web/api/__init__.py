"""The management API: what is published, and what can be done about it, as JSON."""
