"""What goes wrong on the way to an upstream, in Twisted's many words, and how to stop waiting for it."""

from __future__ import annotations

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred
from twisted.web._newclient import RequestGenerationFailed, RequestNotSent
from twisted.web.client import RequestTransmissionFailed, ResponseFailed, ResponseNeverReceived
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse

NETWORK_ERRORS = (
    error.ConnectError,
    error.ConnectionLost,
    error.ConnectionDone,
    error.ConnectionAborted,
    error.DNSLookupError,
    error.TimeoutError,
    ResponseFailed,
    ResponseNeverReceived,
    RequestNotSent,
    RequestTransmissionFailed,
    RequestGenerationFailed,
    PotentialDataLoss,
    SSL.Error,
    VerificationError,
)
"""What Twisted, pyOpenSSL and service-identity raise when the other side, or the way there, fails."""


def cancellable(request: Deferred[IResponse]) -> Deferred[IResponse]:
    """
    Wait for ``request``; cancelling ends both, this one with `CancelledError`.

    Twisted's agent reports its own cancelling in the words of whatever it was
    doing: `ConnectingCancelledError`, `ResponseNeverReceived`.
    """

    def cancel(waiter: Deferred[IResponse]) -> None:
        waiter.errback(CancelledError())
        request.cancel()

    waiter: Deferred[IResponse] = Deferred(cancel)
    request.addBoth(lambda outcome: None if waiter.called else waiter.callback(outcome))
    return waiter


def reason(e: BaseException) -> str:
    """Return why, in words."""
    inner = _innermost(e)
    return str(inner) or type(inner).__name__


def detail(e: BaseException) -> str:
    """Return why, in one word."""
    inner = _innermost(e)
    return next((word for kind, word in _DETAILS if isinstance(inner, kind)), "connection")


def is_lost(e: BaseException) -> bool:
    """Return whether a connection that was made broke: asking again on a fresh one may succeed."""
    return isinstance(_innermost(e), error.ConnectionLost | error.ConnectionDone)


_DETAILS = (
    (error.DNSLookupError, "dns"),
    (error.ConnectionRefusedError, "refused"),
    (error.TimeoutError, "timeout"),
    ((SSL.Error, VerificationError), "tls"),
)


def _innermost(e: BaseException) -> BaseException:
    """Return the first cause: Twisted wraps several failures in one exception."""
    reasons = getattr(e, "reasons", None)
    return _innermost(reasons[0].value) if reasons else e
