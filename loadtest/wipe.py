#!/usr/bin/env python3
"""Kills Redis and starts it without data, with many users in the queue and many seats held. Then checks
what the service has recovered.

    onsale dev --throwaway -- python3 loadtest/wipe.py [PEOPLE] [HOLDS]

PEOPLE (100,000) wait, HOLDS (500) have an active slot and hold a seat each, 1,000 have left. As soon as
Redis is back, each waiting user polls once with their ticket. Prints how long joins and holds did not
work. Fails if a queue entry, a hold or the end of an entry was lost. Starts its own Redis, so
`redis-server` has to be on PATH. ONSALE_BIN names the binary (default: `onsale` on PATH).
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid

PEOPLE = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
HOLDS = int(sys.argv[2]) if len(sys.argv) > 2 else 500
sys.argv = sys.argv[:1]  # line.py reads its own arguments when it is imported.
from callers import Callers  # noqa: E402
from line import BIN, token  # noqa: E402
from line import redis as ask_redis  # noqa: E402

GONE = 1_000
AT_ONCE = 64
ADMIN, NEXT = 1, PEOPLE + HOLDS + GONE + 2


def start_redis(port):
    args = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(args, stdout=subprocess.DEVNULL)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server
        except OSError:
            time.sleep(0.01)


class Sale:
    """The requests of this test to the service."""

    def __init__(self, address):
        self.callers = Callers(address)

    async def call(self, method, path, body=None, **headers):
        body = json.dumps(body).encode() if body is not None else b""
        head = [f"{method} {path} HTTP/1.1", "host: onsale", f"content-length: {len(body)}"]
        head += ["content-type: application/json"] * bool(body)
        head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        status, text = await self.callers.ask("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        return status, json.loads(text) if text else None

    async def make(self):
        at = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        self.admin = {"authorization": f"Bearer {token(ADMIN, 'admin')}"}
        _, concert = await self.call(
            "POST", "/v1/admin/concerts", {"title": "Wipe", "description": "", "status": "AVAILABLE"}, **self.admin
        )
        times = {"reservation_available_at": at(-60), "deadline_at": at(7200), "concert_at": at(7200)}
        queue = {
            "capacity": HOLDS,
            "admit_per_second": 10_000,
            "presence_window_seconds": 600,
            "hold_ttl_seconds": 3600,
            "active_ttl_seconds": 7200,
        }
        _, schedule = await self.call(
            "POST", f"/v1/admin/concerts/{concert['id']}/schedules", {**times, "queue": queue}, **self.admin
        )
        self.id = schedule["id"]
        section = {"name": "A", "rows": HOLDS // 10 + 1, "seats_per_row": 20, "seat_price": 1}
        await self.call("POST", f"/v1/admin/schedules/{self.id}/seats", {"sections": [section]}, **self.admin)
        _, layout = await self.call("GET", f"/v1/schedules/{self.id}/seats/layout")
        self.seats = [seat["id"] for seat in layout["seats"]]

    def join(self, user):
        return self.call("POST", f"/v1/schedules/{self.id}/queue", authorization=f"Bearer {token(user)}")

    def ask(self, ticket):
        return self.call("GET", "/v1/queue/ticket", queue_token=ticket)

    def hold(self, user, ticket, seat, key=None):
        who = {
            "authorization": f"Bearer {token(user)}",
            "queue_token": ticket,
            "idempotency_key": key or str(uuid.uuid4()),
        }
        return self.call("POST", f"/v1/schedules/{self.id}/reservations", {"seat_ids": [seat]}, **who)

    def leave(self, user, ticket):
        return self.call("DELETE", "/v1/queue/ticket", authorization=f"Bearer {token(user)}", queue_token=ticket)


async def in_turns(items, work):
    """Runs `work(item)` for every item, AT_ONCE at a time. Returns the results in order of the items."""
    items, results = list(items), {}
    left = iter(enumerate(items))

    async def run():
        for index, item in left:
            results[index] = await work(item)

    await asyncio.gather(*(run() for _ in range(AT_ONCE)))
    return [results[index] for index in range(len(items))]


async def until(work, good):
    """Repeats `work` until its status is `good`. Returns the seconds until that request, and its body."""
    begun = time.perf_counter()
    while True:
        asked = time.perf_counter()
        status, body = await work()
        if good(status):
            return asked - begun, body
        await asyncio.sleep(0.02)


async def fill(sale):
    """Returns the active users, their holds, the waiting entries in order, and the entries that left."""
    inside = range(2, HOLDS + 2)
    joined = await in_turns(inside, sale.join)
    assert all(status == 201 and body["status"] == "ACTIVE" for status, body in joined), "there are free slots"
    inside = [(user, body["queue_token"]) for user, (_, body) in zip(inside, joined)]
    held = await in_turns(enumerate(inside), lambda at: sale.hold(*at[1], sale.seats[at[0]]))
    assert all(status == 201 for status, _ in held), "every seat is free"
    begun, waiting = time.perf_counter(), range(HOLDS + 2, NEXT)
    joined = await in_turns(waiting, sale.join)
    assert all(status == 201 for status, _ in joined), "every join creates an entry"
    print(f"before     {PEOPLE + GONE:,} joined in {time.perf_counter() - begun:.0f} s, {HOLDS} hold a seat")
    waiting = [(user, body["queue_token"], body["sequence"]) for user, (_, body) in zip(waiting, joined)]
    waiting.sort(key=lambda place: place[2])
    gone = waiting[:: len(waiting) // GONE][:GONE]
    assert {status for status, _ in await in_turns(gone, lambda place: sale.leave(*place[:2]))} == {204}
    ended = {place[0] for place in gone}
    return inside, [hold["hold_id"] for _, hold in held], [place for place in waiting if place[0] not in ended], gone


async def main(address, redis, port):
    sale = Sale(address)
    await sale.make()
    inside, holds, waiting, gone = await fill(sale)
    await asyncio.sleep(3)  # Ended entries are written to PostgreSQL within a second or two.

    redis.send_signal(signal.SIGKILL)
    redis.wait()
    redis = start_redis(port)
    user, ticket = inside[0]
    joins = until(lambda: sale.join(NEXT), lambda status: status in (200, 201))
    # The same key each time, so that a try without an answer does not hold the seat twice.
    key = str(uuid.uuid4())
    takes = until(lambda: sale.hold(user, ticket, sale.seats[-1], key), lambda status: status == 201)
    (joined_after, newcomer), (held_after, _) = await asyncio.gather(joins, takes)
    print(f"back       joins after {joined_after:.1f} s, holds after {held_after:.1f} s")

    # Until the service has the board of the rebuilt queue, its last board answers, and a poll restores nothing.
    while (await sale.call("GET", f"/v1/schedules/{sale.id}/queue"))[1].get("epoch", 1) < 2:
        await asyncio.sleep(0.02)
    begun = time.perf_counter()
    answers = await in_turns(waiting, lambda place: until(lambda: sale.ask(place[1]), lambda status: status == 200))
    took = time.perf_counter() - begun
    bodies = [body for _, body in answers]
    kept = sum(
        body["sequence"] == place[2] and body["status"] in ("WAITING", "ACTIVE") for body, place in zip(bodies, waiting)
    )
    back = ask_redis("ZCARD", f"onsale:{{{sale.id}}}:waiting")
    assert back > len(waiting), f"Redis has {back:,} entries, not those of {len(waiting):,} users and of the newcomer"
    await asyncio.sleep(20)  # Admission pauses for 15 s after a loss.
    sample = waiting[:: max(1, len(waiting) // 2000)]
    again = [body for _, body in await in_turns(sample, lambda place: sale.ask(place[1]))]
    wrong = sum(
        a["ahead"] > b["ahead"] for a, b in zip(again, again[1:]) if a["ahead"] is not None and b["ahead"] is not None
    )
    print(
        f"entries    {kept:,} of {len(waiting):,} kept, polled within {took:.0f} s; "
        f"of {len(sample):,} polled again, {wrong} out of order"
    )

    seen = await in_turns(
        zip(inside, holds), lambda at: sale.call("GET", f"/v1/holds/{at[1]}", authorization=f"Bearer {token(at[0][0])}")
    )
    held = sum(status == 200 and body["status"] == "PAYMENT_WAITING" for status, body in seen)
    other = inside[1]
    taken = [await sale.hold(*other, seat) for seat in sale.seats[2:52]]
    refused = sum(status == 409 and body["code"] == "seat_taken" for status, body in taken)
    print(f"holds      {held} of {HOLDS} kept; {refused} of {len(taken)} tries to hold seats of others refused")
    ended = await in_turns(gone, lambda place: sale.ask(place[1]))
    back = sum(body.get("status") in ("WAITING", "ACTIVE") for _, body in ended)
    print(f"ended      {back} of {len(gone):,} ended entries came back")
    twice = "select count(*) - count(distinct seat_id) from reservation where status in ('PAYMENT_WAITING', 'COMPLETE')"
    psql = ["psql", "-XAtq", "-d", os.environ["DATABASE_URL"], "-c", twice]
    rows = subprocess.run(psql, check=True, capture_output=True, text=True)
    print(f"seats      {int(rows.stdout)} with two owners")
    assert (
        kept == len(waiting)
        and held == HOLDS
        and refused == len(taken)
        and not back
        and not wrong
        and not int(rows.stdout)
    )
    return redis


if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        PORT = free.getsockname()[1]
    os.environ["REDIS_URL"] = f"redis://127.0.0.1:{PORT}"
    # These run first, so that a failure of theirs leaves no Redis behind.
    subprocess.run([BIN, "migrate"], check=True)
    subprocess.run([BIN, "seed", "--users", str(NEXT)], check=True, stdout=subprocess.DEVNULL)
    REDIS = start_redis(PORT)
    service = subprocess.Popen([BIN, "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        REDIS = asyncio.run(main(service.stdout.readline().split("http://")[1].strip(), REDIS, PORT))
    finally:
        service.terminate()
        service.wait()
        subprocess.run(["redis-cli", "-p", str(PORT), "shutdown", "nosave"], check=False)
