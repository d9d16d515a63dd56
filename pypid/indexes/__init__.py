"""The use cases: three kinds of index, the downloads they share, and publishing."""
