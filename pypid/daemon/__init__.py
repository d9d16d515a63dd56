"""The process: what it is made of, how it starts, reloads and stops."""
