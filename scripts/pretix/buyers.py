"""Buyers of onsale: each joins the queue, and holds two seats."""

import asyncio
import json
import time

from callers import Connection
from line import token

ADMIN = 1
IN_ROW = 100
# Seconds until a ticket that waits is polled again.
PAUSE = 0.02
# A slot for each buyer, which lasts for the whole benchmark, as in benches/ratios/refusals.rs.
QUEUE = {
    "capacity": 1_000_000,
    "admit_per_second": 10_000,
    "active_ttl_seconds": 7200,
    "claim_window_seconds": 3600,
    "hold_ttl_seconds": 3600,
}


async def call(connection, method, path, body=None, **headers):
    """Sends one request. Returns the status and the parsed body."""
    body = json.dumps(body).encode() if body is not None else b""
    head = [f"{method} {path} HTTP/1.1", "host: onsale", f"content-length: {len(body)}"]
    head += ["content-type: application/json"] * bool(body)
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    status, text = await connection.ask("\r\n".join(head).encode() + b"\r\n\r\n" + body)
    return status, json.loads(text) if text else None


async def connect(port):
    loop = asyncio.get_running_loop()
    return (await loop.create_connection(Connection, "127.0.0.1", port))[1]


def expect(answer, *good):
    """Returns the body, if the status is good."""
    status, body = answer
    if status not in good:
        raise RuntimeError(f"onsale: {status} {body}")
    return body


class Sale:
    """One open sale."""

    def __init__(self, port):
        self.port = port

    async def create(self, seats):
        """Creates the sale, and waits until its queue answers."""
        admin = {"authorization": f"Bearer {token(ADMIN, 'admin')}"}
        at = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        connection = await connect(self.port)
        concert = {"title": "Bench", "description": "", "status": "AVAILABLE"}
        concert = expect(await call(connection, "POST", "/v1/admin/concerts", concert, **admin), 201)
        times = {"reservation_available_at": at(-3600), "deadline_at": at(86_400), "concert_at": at(172_800)}
        path = f"/v1/admin/concerts/{concert['id']}/schedules"
        schedule = expect(await call(connection, "POST", path, {**times, "queue": QUEUE}, **admin), 201)
        self.id = schedule["id"]
        section = {"name": "A", "rows": seats // IN_ROW, "seats_per_row": IN_ROW, "seat_price": 2300}
        path = f"/v1/admin/schedules/{self.id}/seats"
        expect(await call(connection, "POST", path, {"sections": [section]}, **admin), 200, 201)
        layout = expect(await call(connection, "GET", f"/v1/schedules/{self.id}/seats/layout"), 200)
        self.seats = [seat["id"] for seat in layout["seats"]]
        while (await call(connection, "GET", f"/v1/schedules/{self.id}/queue"))[0] != 200:
            await asyncio.sleep(PAUSE)
        connection.transport.close()


class Buyer:
    """One buyer with a connection of its own."""

    def __init__(self, sale, user, seats):
        self.sale, self.user, self.seats = sale, user, seats
        self.bearer = f"Bearer {token(user)}"
        self.hold, self.took, self.requests = None, 0.0, 0

    async def buy(self):
        """Joins, polls until it is this buyer's turn, and holds the seats in `seats`, or the best two."""
        begun = time.perf_counter()
        connection = await connect(self.sale.port)
        schedule = f"/v1/schedules/{self.sale.id}"
        view = expect(await call(connection, "POST", f"{schedule}/queue", authorization=self.bearer), 201)
        ticket, self.requests = view["queue_token"], 2
        while view["status"] != "ACTIVE":
            await asyncio.sleep(PAUSE)
            view = expect(await call(connection, "GET", "/v1/queue/ticket", queue_token=ticket), 200)
            ticket, self.requests = view.get("queue_token") or ticket, self.requests + 1
        wanted = {"seat_ids": self.seats} if self.seats else {"quantity": 2}
        headers = {"authorization": self.bearer, "queue_token": ticket, "idempotency_key": "hold"}
        hold = expect(await call(connection, "POST", f"{schedule}/reservations", wanted, **headers), 201)
        self.hold, self.took = hold["hold_id"], time.perf_counter() - begun
        connection.transport.close()


def until_written(database, sale, buyers):
    """Waits until PostgreSQL has the rows of all joins, and Redis has all holds."""
    rows = "select (select count(*) from queue where concert_schedule_id = %s), (select count(*) from outbox)"
    end = time.monotonic() + 30
    while (found := database.rows(rows, sale.id)[0]) != (len(buyers), 0):
        if time.monotonic() > end:
            raise RuntimeError(f"onsale: {len(buyers)} joins, but {found[0]} rows; {found[1]} entries in the outbox")
        time.sleep(0.1)


def assert_holds(database, sale, buyers):
    """Fails unless each buyer has a hold of two seats, those asked for by name, and there are no others."""
    query = """select hold_id::text, min(user_id), count(distinct seat_id), array_agg(seat_id order by seat_id)
               from reservation where concert_schedule_id = %s and status = 'PAYMENT_WAITING' group by hold_id"""
    found = {hold: (user, count, seats) for hold, user, count, seats in database.rows(query, sale.id)}
    for buyer in buyers:
        user, count, seats = found.pop(buyer.hold, (None, 0, []))
        if (user, count) != (buyer.user, 2) or (buyer.seats and seats != sorted(buyer.seats)):
            raise RuntimeError(f"onsale: the hold {buyer.hold} of user {buyer.user} has {seats}")
    if found:
        raise RuntimeError(f"onsale: {len(found)} holds that nobody asked for")
