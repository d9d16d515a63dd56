"""Whether a distribution file may be published: its name, its archive and its metadata, read and never extracted."""
