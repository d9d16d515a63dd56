"""A private Python package index and a caching mirror of PyPI, in one Twisted daemon."""

__version__ = "0.1.0"
