"""Values and decisions: no Twisted, no files, no clock of its own."""
