"""Runs every case against one proxy."""

from __future__ import annotations

import client
import judge
import proxies
from answers import Response, responses
from inputs import Request, get, requests
from judge import Verdict
from upstream import Answer, Upstream

ORDINARY = get(fields=b"X-Plain: y\r\n")
ORDINARY_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Plain: y\r\n\r\nok"


class Stand:
    """A proxy's results, in the order of the cases."""

    def __init__(self, name: str) -> None:
        self.upstream = Upstream()
        self.signs = name == "undersign"
        with proxies.running(name, self.upstream) as self.port:
            # What it does to every message, whatever is in it.
            self.usual = self.request(ORDINARY).changes
            self.usual_in_answers = self.answer(ORDINARY_ANSWER, ORDINARY).changes
            self.requests = [self.judged(case) for case in requests()]
            self.answers = [self.judged(case) for case in responses()]
            self.verdicts = self.requests + self.answers
        self.upstream.close()

    def judged(self, case: Request | Response) -> Verdict:
        if isinstance(case, Request):
            return self.request(case.raw, case.behind_continue).without(self.usual)
        found = self.answer(case.raw, case.request, case.keep)
        return found.without(self.usual_in_answers)

    def request(self, raw: bytes, behind_continue: bytes = b"") -> Verdict:
        outcome = client.send(self.port, raw, behind_continue)
        # Whatever the proxy has begun upstream before this one is there when it is answered.
        client.send(self.port, client.PROBE, probe=False)
        sent = raw + behind_continue
        return judge.of_request(sent, outcome, self.upstream.take(), signs=self.signs)

    def answer(self, raw: bytes, request: bytes, keep: bool = False) -> Verdict:
        self.upstream.answer = Answer(raw, keep)
        # Behind a kept connection's answer another one lies in wait for the next request.
        outcome = client.send(self.port, request, probe=keep)
        self.upstream.answer = Answer()
        client.send(self.port, client.PROBE, probe=False)
        self.upstream.take()
        return judge.of_answer(raw, outcome, request)
