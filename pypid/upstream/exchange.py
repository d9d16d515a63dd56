"""One question to an upstream, through redirections and second tries, and its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from twisted.internet import defer
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from pypid import __version__
from pypid.domain import circle
from pypid.domain.breaker import Attempt
from pypid.domain.credentials import Authorization
from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.domain.reach import AllowedHosts, origin_of
from pypid.domain.retry_after import seconds_to_wait
from pypid.upstream.body import BodyTooLarge, Write, read_body
from pypid.upstream.hosts import Host, Hosts, Kind
from pypid.upstream.network import NETWORK_ERRORS, cancellable, detail, is_lost, reason
from pypid.upstream.urls import encoded, redirected, shown

MAX_REDIRECTS = 5
"""Hops. PyPI needs one (to the normalized name); a loop is seen soon (A30, A31)."""

MAX_UNREAD = 64 * 1024
"""Bytes of an answer without meaning that are read for the sake of its connection; more, and that is closed."""

RETRIES = 1
"""Times that a request whose connection broke is made again: on a fresh one it mostly succeeds (A51)."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HOST_IS_DOWN = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRules:
    """What holds for every question to one upstream."""

    header_timeout: float
    """Seconds from the request, connecting and second tries included, to the end of the answer's header section."""
    idle_timeout: float
    max_connections: int
    """Requests to one host at a time, of each kind."""
    allowed: AllowedHosts
    authorization: Authorization | None = None
    offline: bool = False
    """Nobody is asked anything."""
    mark: str | None = None
    """By which this mirror knows its own questions."""


@implementer(IBodyProducer)
class ShortBody:
    """A request's body that is written at once."""

    def __init__(self, content: bytes) -> None:
        self.length = len(content)
        self._content = content

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._content)
        return succeed(None)

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...

    def stopProducing(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Question:
    """What one server is asked."""

    method: bytes
    url: str
    headers: dict[str, str]
    body: bytes | None


class Exchange:
    """
    Asks an upstream's hosts.

    Everything that goes wrong on the way is raised as `UpstreamUnavailable`,
    or as `UpstreamBroken` when upstream did answer, with nonsense.
    """

    _log = Logger()

    def __init__(
        self,
        agent: IAgent,
        clock: IReactorTime,
        hosts: Hosts,
        rules: ExchangeRules,
        *,
        delay: Callable[[], float],
    ) -> None:
        """``delay``: seconds until the next second try; random, so that those of many do not come at once."""
        self._agent = agent
        self._clock = clock
        self._hosts = hosts
        self._rules = rules
        self._delay = delay

    @asynccontextmanager
    async def answer(
        self, method: bytes, url: str, headers: dict[str, str], kind: Kind, *, body: bytes | None = None
    ) -> AsyncIterator[tuple[IResponse, str]]:
        """
        Ask for ``url``, and give the answer, after redirections, with the URL that gave it.

        What is asked may be asked twice. Redirections are followed with the ``body``.
        Inside, the request counts as one of those that its host is answering.
        Cancelling closes its connection, unless its answer is there: then
        whoever reads the body must.
        """
        if self._rules.offline:
            raise UpstreamUnavailable(f"{shown(url)} is not asked: pypid is offline", retry_after=1, detail="offline")
        for _ in range(MAX_REDIRECTS + 1):
            host = self._host(url)
            async with host.turn(kind, self._rules.max_connections):
                response = await self._respond(host, Question(method, url, headers, body))
                if response.code not in _REDIRECTS or not response.headers.hasHeader("Location"):
                    yield response, url
                    return
                await self.discard(response)
            url = self._redirected(url, response)
        raise UpstreamBroken(f"{shown(url)} redirects more than {MAX_REDIRECTS} times")

    async def read(self, response: IResponse, write: Write, *, limit: int, close_ends: bool = False) -> None:
        """Pass the body on, as `read_body` does. Raises `UpstreamBroken` for more than ``limit`` bytes."""
        idle = self._rules.idle_timeout
        try:
            await read_body(response, write, limit=limit, idle=idle, clock=self._clock, close_ends=close_ends)
        except BodyTooLarge as e:
            raise UpstreamBroken(f"upstream sends more than {limit} bytes", detail="too-large") from e
        except NETWORK_ERRORS as e:
            raise UpstreamUnavailable(f"upstream broke off: {reason(e)}", detail=detail(e)) from e

    async def discard(self, response: IResponse) -> None:
        """Read what little is left of an answer whose body says nothing, or close its connection."""

        async def drop(data: bytes) -> None:
            pass

        try:
            await self.read(response, drop, limit=MAX_UNREAD)
        except UpstreamUnavailable:
            self._log.debug("an answer of status {status} was not read to its end", status=response.code)

    def _host(self, url: str) -> Host:
        try:
            return self._hosts.of(url)
        except ValueError as e:
            raise UpstreamBroken(f"{shown(url)} is no URL that can be asked: {e}") from e

    def _redirected(self, url: str, response: IResponse) -> str:
        locations = response.headers.getRawHeaders(b"Location", [])
        if len(locations) != 1:
            raise UpstreamBroken(f"{shown(url)} redirects to {len(locations)} places at once")
        target = redirected(url, locations[0].decode("latin-1"))
        if not self._rules.allowed.allow(target):
            raise UpstreamBroken(f"{shown(url)} redirects to {shown(target)}, and allow_hosts does not name that host")
        return target

    async def _respond(self, host: Host, question: Question) -> IResponse:
        """Return the answer's head; where the connection breaks, that of a second try, within the same time."""
        asked = shown(question.url)
        deadline = self._clock.seconds() + self._rules.header_timeout
        retries = RETRIES
        while True:
            try:
                return await self._try(host, question, deadline)
            except defer.TimeoutError as e:
                seconds = self._rules.header_timeout
                raise UpstreamUnavailable(f"{asked} does not answer within {seconds:g} s", detail="timeout") from e
            except ValueError as e:
                raise UpstreamBroken(f"{asked} is no URL that can be asked: {e}") from e
            except NETWORK_ERRORS as e:
                delay = self._delay()
                if retries == 0 or not is_lost(e) or self._clock.seconds() + delay >= deadline:
                    raise UpstreamUnavailable(f"{asked} does not answer: {reason(e)}", detail=detail(e)) from e
                retries -= 1
                await deferLater(self._clock, delay)

    async def _try(self, host: Host, question: Question, deadline: float) -> IResponse:
        """Return the answer's head, and have the host's breaker learn of it."""
        target, sent = encoded(question.url), Headers(self._headers_for(question))
        body = None if question.body is None else ShortBody(question.body)
        attempt = host.attempt()
        try:
            request = cancellable(self._agent.request(question.method, target, sent, body))
            response = await request.addTimeout(max(0.0, deadline - self._clock.seconds()), self._clock)
        except (defer.TimeoutError, UpstreamUnavailable, *NETWORK_ERRORS):  # UpstreamUnavailable: a proxy's fault
            host.breaker.failed(attempt, self._clock.seconds())
            raise
        except BaseException:
            host.breaker.abandoned(attempt)
            raise
        self._learn(host, attempt, response)
        return response

    def _headers_for(self, question: Question) -> dict[str, list[str]]:
        sent = {**question.headers, "User-Agent": f"pypid/{__version__}"}
        if self._rules.mark is not None:
            sent[circle.HEADER] = circle.render_marks(self._rules.mark)
        authorization = self._rules.authorization
        if authorization is not None and authorization.origin == origin_of(question.url):
            sent["Authorization"] = authorization.value
        return {name: [value] for name, value in sent.items()}

    def _learn(self, host: Host, attempt: Attempt, response: IResponse) -> None:
        now = self._clock.seconds()
        if response.code == 429:
            host.breaker.told_to_wait(attempt, now, retry_after(response))
        elif response.code in _HOST_IS_DOWN:
            host.breaker.failed(attempt, now)
        else:
            host.breaker.answered()


def retry_after(response: IResponse) -> int:
    """Return for how many seconds the answer asks to be left alone."""
    return seconds_to_wait(header(response, "Retry-After"), header(response, "Date"))


def header(response: IResponse, name: str) -> str | None:
    """Return the first of the header's values."""
    # As bytes: Twisted would decode UTF-8 strictly, and strangers send anything.
    values = response.headers.getRawHeaders(name.encode("ascii"))
    return values[0].decode("latin-1") if values else None
