"""Makes `twistd pypid` exist; twistd reads every file of this kind at each start, so nothing else is here."""

from twisted.application.service import ServiceMaker

pypid = ServiceMaker("pypid", "pypid.daemon.tap", "A private Python package index and PyPI mirror.", "pypid")
