"""Looking into distribution files: here, or in a process of its own where the file is a stranger's."""
