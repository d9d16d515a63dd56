"""Any order of joining, leaving and landing."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from twisted.internet.defer import CancelledError, Deferred

from pypid.flight import SingleFlight
from tests.test_flight import Calls


class SingleFlightMachine(RuleBasedStateMachine):
    """Joins, departures and landings in any order, against the simplest model: who waits for which call."""

    def __init__(self) -> None:
        super().__init__()
        self.flights: SingleFlight[str, str] = SingleFlight()
        self.calls: dict[str, Calls] = {"a": Calls(), "b": Calls()}
        self.waiting: dict[str, list[Deferred[str]]] = {"a": [], "b": []}
        self.expected_calls = {"a": 0, "b": 0}
        self.expected_cancels = {"a": 0, "b": 0}

    keys = st.sampled_from(["a", "b"])

    @rule(key=keys)
    def join(self, key: str) -> None:
        if not self.waiting[key]:
            self.expected_calls[key] += 1
        self.waiting[key].append(self.flights.join(key, self.calls[key]))

    @precondition(lambda self: any(self.waiting.values()))
    @rule(key=keys, data=st.data())
    def leave(self, key: str, data: st.DataObject) -> None:
        waiting = self.waiting[key]
        if not waiting:
            return
        leaving = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
        if not waiting:
            self.expected_cancels[key] += 1
        outcome: list[Any] = []
        leaving.addErrback(outcome.append)
        leaving.cancel()
        assert outcome[0].check(CancelledError)

    @precondition(lambda self: any(self.waiting.values()))
    @rule(key=keys)
    def land(self, key: str) -> None:
        waiting, self.waiting[key] = self.waiting[key], []
        if not waiting:
            return
        landed: list[str] = []
        for waiter in waiting:
            waiter.addCallback(landed.append)
        page = f"{key}{self.expected_calls[key]}"
        self.calls[key].begun[-1].callback(page)
        assert landed == [page] * len(waiting)

    @invariant()
    def as_expected(self) -> None:
        for key, calls in self.calls.items():
            assert len(calls.begun) == self.expected_calls[key]
            assert calls.cancelled == self.expected_cancels[key]
            assert not any(waiter.called for waiter in self.waiting[key])
        assert len(self.flights) == sum(bool(waiting) for waiting in self.waiting.values())


SingleFlightMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
SingleFlightModelTests = SingleFlightMachine.TestCase
