#!/usr/bin/env python3
"""Asks for twice as much as the service can bear, and looks at what becomes of it.

    onsale dev --throwaway -- python3 loadtest/overload.py [SECONDS]

First as many callers as are answered at once find out what the service can bear: charges of a point,
each a transaction in PostgreSQL. Then twice as many come for SECONDS (20), whether or not the others
were answered (an open model). Prints how long the accepted and the refused took, counted from when
each was due, and fails where a point is missing or one too many. Needs no package. ONSALE_BIN names
the binary, else the one on PATH.
"""

import asyncio, json, os, subprocess, sys, time, uuid

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
sys.argv = sys.argv[:1]
from line import BIN, token

USERS = 5_000
AT_ONCE = 64
WARM_SECONDS = 8


class Connection(asyncio.Protocol):
    """One connection, kept; one request at a time."""

    def __init__(self):
        self.got, self.answer = b"", None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.got += data
        head, found, body = self.got.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        if len(body) >= length and self.answer:
            answer, self.answer, self.got = self.answer, None, b""
            answer.set_result((int(head[9:12]), body))

    def connection_lost(self, _):
        if self.answer:
            self.answer.set_result((0, b""))

    def ask(self, request):
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.answer


class Callers:
    """Connections that are free, and more where none is."""

    def __init__(self, address):
        self.host, self.port = address.split(":")
        self.free = []

    async def ask(self, request):
        while self.free and self.free[-1].transport.is_closing():
            self.free.pop()
        connection = self.free.pop() if self.free else await self.another()
        answer = await connection.ask(request)
        self.free.append(connection)
        return answer

    async def another(self):
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Connection, self.host, int(self.port)))[1]


def charges():
    """Requests without end, each of another user than the last ones and under a key of its own."""
    body = b'{"amount":1}'
    tokens = [token(user) for user in range(1, USERS + 1)]
    number = 0
    while True:
        head = (
            f"POST /v1/points/charges HTTP/1.1\r\nhost: onsale\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {tokens[number % USERS]}\r\nidempotency-key: {uuid.uuid4()}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body
        number += 1


async def capacity(callers, requests):
    """Answers a second, with as many callers as there are, each after its last answer."""
    until, done = time.perf_counter() + WARM_SECONDS, []

    async def call():
        while time.perf_counter() < until:
            done.append((await callers.ask(next(requests)))[0])

    await asyncio.gather(*(call() for _ in range(AT_ONCE)))
    assert set(done) == {201}, f"nothing is refused yet: {set(done)}"
    return len(done) / WARM_SECONDS, len(done)


async def overload(callers, requests, rate):
    """Everything that was answered: what with, and how long after it was due."""
    answers, calls, begun = [], [], time.perf_counter()

    async def call(due):
        status, body = await callers.ask(next(requests))
        code = json.loads(body)["code"] if status >= 400 else str(status)
        answers.append((code, time.perf_counter() - due))

    for number in range(int(rate * SECONDS)):
        due = begun + number / rate
        ahead = due - time.perf_counter()
        if ahead > 0 or number % 50 == 0:
            await asyncio.sleep(max(ahead, 0))
        calls.append(asyncio.create_task(call(due)))
    sent = time.perf_counter() - begun
    await asyncio.gather(*calls)
    return answers, sent


def table(answers):
    for code in sorted({code for code, _ in answers}):
        took = sorted(seconds * 1000 for which, seconds in answers if which == code)
        of = lambda part: took[min(len(took) - 1, int(len(took) * part))]
        figures = f"p50 {of(0.5):8.1f}  p99 {of(0.99):8.1f}  slowest {took[-1]:8.1f} ms"
        print(f"{code:<20}{len(took):>8,}  {len(took) / SECONDS:7,.0f}/s  {figures}")


def points():
    psql = subprocess.run(
        ["psql", "-XAtq", "-d", os.environ["DATABASE_URL"], "-c", "select sum(amount) from point"],
        check=True, capture_output=True, text=True,
    )
    return int(psql.stdout)


async def main(address):
    callers, requests = Callers(address), charges()
    bears, before = await capacity(callers, requests)
    print(f"bears {bears:,.0f} charges a second, {AT_ONCE} at once; now {2 * bears:,.0f} come, for {SECONDS} s")
    answers, sent = await overload(callers, requests, 2 * bears)
    table(answers)
    if sent > SECONDS * 1.05:
        print(f"the generator was late: it took {sent:.1f} s to send what was due in {SECONDS} s")
    told = before + sum(code == "201" for code, _ in answers)
    unknown = sum(code in ("0", "store_unavailable") for code, _ in answers)
    there = points()
    print(f"points: {told:,} told, {there:,} there, {unknown:,} answers that say nothing")
    assert told <= there <= told + unknown, "a point is missing, or one too many"


if __name__ == "__main__":
    subprocess.run([BIN, "migrate"], check=True)
    subprocess.run([BIN, "seed", "--users", str(USERS)], check=True, stdout=subprocess.DEVNULL)
    service = subprocess.Popen([BIN, "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        asyncio.run(main(service.stdout.readline().split("http://")[1].strip()))
    finally:
        service.terminate()
        service.wait()
