#!/usr/bin/env python3
"""Lets many users join one queue over HTTP, and measures the memory of Redis per entry.

    onsale dev --throwaway -- python3 loadtest/line.py [PEOPLE]

Lets PEOPLE (100,000) users join one schedule, then polls, admits and leaves. Fails if an answer is
wrong. Needs no package. ONSALE_BIN names the binary (default: `onsale` on PATH).
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

PEOPLE = 100_000
BIN = os.environ.get("ONSALE_BIN", "onsale")
THREADS = 16


def token(user, role="user"):
    part = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=")
    now = int(time.time())
    claims = {"aud": "onsale", "iss": "onsale", "sub": str(user), "role": role, "iat": now, "exp": now + 7200}
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    secret = os.environ["ONSALE_JWT_SECRET"].encode()
    return (signed + b"." + part(hmac.new(secret, signed, hashlib.sha256).digest())).decode()


class Caller:
    """A client with one kept-alive connection."""

    def __init__(self, address):
        self.http = http.client.HTTPConnection(address, timeout=30)

    def call(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            headers["content-type"] = "application/json"
        self.http.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.http.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


def redis(*words):
    """Sends one command and returns its reply. Reads only the reply types used here."""
    host, port = re.search(r"@?([\w.]+):(\d+)", os.environ["REDIS_URL"]).groups()
    with socket.create_connection((host, int(port))) as conn:
        conn.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
        reader = conn.makefile("rb")
        first = reader.readline().strip()
        if first[:1] == b"$":
            return reader.read(int(first[1:])).decode() if first != b"$-1" else None
        return int(first[1:]) if first[:1] == b":" else first.decode()


def used():
    return int(re.search(r"used_memory:(\d+)", redis("INFO", "memory")).group(1))


def in_threads(items, work):
    """Runs `work(caller, item)` for every item. Returns the results, and the rate per second."""
    left, results, lock = iter(items), [], threading.Lock()

    def run():
        caller = Caller(ADDRESS)
        while True:
            with lock:
                item = next(left, None)
            if item is None:
                return
            result = work(caller, item)
            with lock:
                results.append(result)

    begun = time.time()
    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return results, len(results) / (time.time() - begun)


def make_sale(caller, admin):
    at = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    as_admin = {"authorization": f"Bearer {admin}"}
    _, concert = caller.call(
        "POST", "/v1/admin/concerts", {"title": "Line", "description": "", "status": "AVAILABLE"}, **as_admin
    )
    times = {"reservation_available_at": at(-60), "deadline_at": at(7200), "concert_at": at(7200)}
    queue = {"capacity": 0, "presence_window_seconds": 600}
    _, schedule = caller.call(
        "POST", f"/v1/admin/concerts/{concert['id']}/schedules", {**times, "queue": queue}, **as_admin
    )
    section = {"name": "A", "rows": 10, "seats_per_row": 10, "seat_price": 1}
    caller.call("POST", f"/v1/admin/schedules/{schedule['id']}/seats", {"sections": [section]}, **as_admin)
    return schedule["id"], as_admin


def main():
    caller = Caller(ADDRESS)
    schedule, as_admin = make_sale(caller, token(1, "admin"))
    before = used()
    join = lambda caller, user: caller.call(
        "POST", f"/v1/schedules/{schedule}/queue", authorization=f"Bearer {token(user)}"
    )
    joined, rate = in_threads(range(2, PEOPLE + 2), join)
    assert all(status == 201 for status, _ in joined), "every join creates an entry"
    print(f"joined    {len(joined):>9,}  at {rate:,.0f}/s (limited by this client)")
    tickets = {body["sequence"]: body["queue_token"] for _, body in joined}
    order = sorted(tickets)
    key = lambda name: f"onsale:{{{schedule}}}:{name}"
    assert redis("ZCARD", key("waiting")) == PEOPLE
    while redis("XLEN", key("log")) > 0:
        time.sleep(0.5)
    caller.http.request("GET", "/metrics")
    metrics = caller.http.getresponse().read().decode()
    assert re.search(r"^onsale_queue_rows_skipped_total 0$", metrics, re.M), "every entry is a row in PostgreSQL"
    each = lambda size: f"{size / PEOPLE:6.1f} bytes each"
    print(f"redis     {used() - before:>9,}  {each(used() - before)}, the log written to PostgreSQL and trimmed")
    for name in ("waiting", "bits:1", "present:0", "present:1", "present:2", "log"):
        size = redis("MEMORY", "USAGE", key(name), "SAMPLES", "0")
        print(f"  {name:<10}{size or 0:>9,}  {each(size or 0)}" if isinstance(size, int) else f"  {name:<10}        0")
    sample = order[:: max(1, PEOPLE // 2000)]
    ask = lambda caller, sequence: (sequence, caller.call("GET", "/v1/queue/ticket", queue_token=tickets[sequence])[1])
    polled, rate = in_threads(sample, ask)
    place = {sequence: index for index, sequence in enumerate(order)}
    wrong = sum(body["ahead"] != place[sequence] for sequence, body in polled)
    print(f"polled    {len(polled):>9,}  at {rate:,.0f}/s (limited by this client), {wrong} positions wrong")
    caller.call(
        "PATCH", f"/v1/admin/schedules/{schedule}/queue", {"capacity": 1000, "admit_per_second": 500}, **as_admin
    )
    begun = time.time()
    while redis("ZCARD", key("active")) < 1000:
        assert time.time() - begun < 60, "1,000 are admitted within a minute"
        time.sleep(0.05)
    print(f"admitted      1,000  in {time.time() - begun:.1f} s with admit_per_second 500")
    first = [body for _, body in in_threads(order[:1000], ask)[0]]
    inside = sum(body["status"] == "ACTIVE" for body in first)
    print(f"active    {inside:>9,}  of the first 1,000 in the queue")
    leave = lambda caller, sequence: caller.call(
        "DELETE", "/v1/queue/ticket", queue_token=tickets[sequence], authorization=f"Bearer {token(user_of[sequence])}"
    )[0]
    user_of = {body["sequence"]: user for user, body in users_of(joined)}
    left, rate = in_threads(order[-2000:], leave)
    assert set(left) == {204}
    print(f"left      {len(left):>9,}  at {rate:,.0f}/s; {redis('ZCARD', key('waiting')):,} wait")


def users_of(joined):
    for _, body in joined:
        payload = body["queue_token"].split(".")[1]
        yield int(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]), body


def serve():
    subprocess.run([BIN, "migrate"], check=True)
    subprocess.run([BIN, "seed", "--users", str(PEOPLE + 1)], check=True, stdout=subprocess.DEVNULL)
    service = subprocess.Popen([BIN, "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    return service, service.stdout.readline().split("http://")[1].strip()


if __name__ == "__main__":
    PEOPLE = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    SERVICE, ADDRESS = serve()
    try:
        main()
    finally:
        SERVICE.terminate()
        sys.exit(SERVICE.wait())
