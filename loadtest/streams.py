#!/usr/bin/env python3
"""Measures what many ticket streams cost the service, and how soon a change reaches them.

    onsale dev --throwaway -- python3 loadtest/streams.py [STREAMS]

Lets STREAMS (15,000) users join one queue, opens a stream for each ticket, and prints memory per stream,
CPU per event, and the delay from a change to its event. Each stream takes a file descriptor here and one
in the service, so `ulimit -n` has to be high enough. Needs no package. ONSALE_BIN names the binary
(default: `onsale` on PATH).
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import threading
import time

STREAMS = int(sys.argv[1]) if len(sys.argv) > 1 else 15_000
BIN = os.environ.get("ONSALE_BIN", "onsale")
THREADS = 16
OPENING = 200  # streams that open at a time, because a listener's backlog is short
ROUNDS = 5
MOVES = 20


def token(user, role="user"):
    part = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=")
    now = int(time.time())
    claims = {"aud": "onsale", "iss": "onsale", "sub": str(user), "role": role, "iat": now, "exp": now + 7200}
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    secret = os.environ["ONSALE_JWT_SECRET"].encode()
    return (signed + b"." + part(hmac.new(secret, signed, hashlib.sha256).digest())).decode()


class Caller:
    """A client with one kept-alive connection."""

    def __init__(self):
        self.http = http.client.HTTPConnection(ADDRESS, timeout=30)

    def call(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            headers["content-type"] = "application/json"
        self.http.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.http.getresponse()
        text = answer.read()
        assert answer.status < 300, (method, path, answer.status, text)
        return json.loads(text) if text else None


def make_sale(admin):
    at = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    concert = Caller().call(
        "POST", "/v1/admin/concerts", {"title": "Line", "description": "", "status": "AVAILABLE"}, **admin
    )
    times = {"reservation_available_at": at(-60), "deadline_at": at(7200), "concert_at": at(7200)}
    queue = {"capacity": 0, "admit_per_second": 20}
    schedule = Caller().call(
        "POST", f"/v1/admin/concerts/{concert['id']}/schedules", {**times, "queue": queue}, **admin
    )["id"]
    section = {"name": "A", "rows": 10, "seats_per_row": 10, "seat_price": 1}
    Caller().call("POST", f"/v1/admin/schedules/{schedule}/seats", {"sections": [section]}, **admin)
    return schedule


def join_all(schedule):
    """Lets users 2 to STREAMS + 1 join, several at a time. Returns their tickets by user."""
    left, tickets, lock = iter(range(2, STREAMS + 2)), {}, threading.Lock()

    def run():
        caller = Caller()
        while True:
            with lock:
                user = next(left, None)
            if user is None:
                return
            joined = caller.call("POST", f"/v1/schedules/{schedule}/queue", authorization=f"Bearer {token(user)}")
            with lock:
                tickets[user] = joined["queue_token"]

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return tickets


class Follower:
    """Reads all open streams."""

    def __init__(self):
        self.selector = selectors.EpollSelector()
        self.open = self.events = self.closed = 0

    def connect(self, ticket):
        host, port = ADDRESS.rsplit(":", 1)
        stream = socket.create_connection((host, int(port)))
        stream.sendall(b"GET /v1/queue/ticket/stream HTTP/1.1\r\nhost: x\r\nqueue-token: %s\r\n\r\n" % ticket.encode())
        stream.setblocking(False)
        self.selector.register(stream, selectors.EVENT_READ)
        self.open += 1

    def read(self, wait, seen=lambda chunk: None):
        for ready, _ in self.selector.select(wait):
            try:
                chunk = ready.fileobj.recv(65536)
            except BlockingIOError:
                continue
            if not chunk:
                self.selector.unregister(ready.fileobj)
                self.closed += 1
                continue
            self.events += chunk.count(b"event: ticket")
            seen(chunk)

    def rest(self, seconds):
        until = time.time() + seconds
        while time.time() < until:
            self.read(max(0, until - time.time()))


def rss():
    with open(f"/proc/{SERVICE.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def cpu():
    with open(f"/proc/{SERVICE.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def part(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def broadcast(follower, schedule, admin, idle):
    """Changes the message: every stream gets one event as soon as the board has the new message."""
    for number in range(ROUNDS):
        word, delays = f"message number {number}".encode(), []
        begun, used = time.time(), cpu()
        Caller().call("PATCH", f"/v1/admin/schedules/{schedule}/queue", {"message": word.decode()}, **admin)
        changed = time.time()

        def seen(chunk, word=word, delays=delays, changed=changed):
            if word in chunk:
                delays.append(time.time() - changed)

        while len(delays) < follower.open and time.time() < begun + 30:
            follower.read(0.1, seen)
        # A word that two reads divide is not found.
        assert len(delays) > 0.99 * follower.open, f"{len(delays)} of {follower.open} streams had the message"
        used, span = cpu() - used, time.time() - begun
        each = (used - idle * span) / max(1, len(delays)) * 1e6
        p50, p99 = part(delays, 0.5) * 1000, part(delays, 0.99) * 1000
        print(
            f"broadcast     {len(delays):>7,} events in {span:5.2f} s, {each:5.1f} us of CPU each "
            f"(idle CPU subtracted); delay p50 {p50:,.0f} ms, p99 {p99:,.0f} ms"
        )
        follower.rest(6)


def advance(follower, schedule, tickets):
    """The first entry leaves every second. Users behind it get events, less often further back."""
    users, begun, used, before = sorted(tickets), time.time(), cpu(), follower.events
    for user in users[:MOVES]:
        Caller().call("DELETE", "/v1/queue/ticket", queue_token=tickets[user], authorization=f"Bearer {token(user)}")
        follower.rest(1)
    follower.rest(5)
    events, used, span = follower.events - before, cpu() - used, time.time() - begun
    print(
        f"advance       {events:>7,} events in {span:5.2f} s ({events / span:,.0f}/s), "
        f"{used / events * 1e6:5.1f} us of CPU each, including the walks over all streams; "
        f"{used / span * 100:.0f} % of a core"
    )


def main():
    admin = {"authorization": f"Bearer {token(1, 'admin')}"}
    schedule = make_sale(admin)
    tickets = join_all(schedule)
    time.sleep(3)
    before, follower = rss(), Follower()
    begun = time.time()
    for number, user in enumerate(tickets):
        follower.connect(tickets[user])
        while follower.open - follower.events > OPENING:
            follower.read(1)
        if number % 50 == 0:
            follower.read(0)
    while follower.events < STREAMS and time.time() < begun + 120:
        follower.read(1)
    took = time.time() - begun
    assert follower.events >= STREAMS and not follower.closed, "every stream is open and had its first event"
    print(f"open          {follower.open:>7,} in {took:.1f} s, {follower.closed} closed (limited by this client)")
    follower.rest(3)
    after = rss()
    print(
        f"memory        {(after - before) / STREAMS:>7,.0f} bytes a stream: "
        f"{before / 2**20:.1f} MiB before, {after / 2**20:.1f} MiB after"
    )
    used = cpu()
    follower.rest(15)
    idle = (cpu() - used) / 15
    print(f"idle          {idle * 100:6.1f} % of a core, including comments")
    broadcast(follower, schedule, admin, idle)
    advance(follower, schedule, tickets)
    assert not follower.closed, f"{follower.closed} streams were closed"
    print(f"at the end    {follower.open - follower.closed:>7,} open, {rss() / 2**20:.1f} MiB")


def serve():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    subprocess.run([BIN, "migrate"], check=True)
    subprocess.run([BIN, "seed", "--users", str(STREAMS + 1)], check=True, stdout=subprocess.DEVNULL)
    command = [BIN, "serve", "--listen", "127.0.0.1:0", "--max-streams", str(STREAMS)]
    service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return service, service.stdout.readline().split("http://")[1].strip()


if __name__ == "__main__":
    SERVICE, ADDRESS = serve()
    try:
        main()
    finally:
        SERVICE.terminate()
        sys.exit(SERVICE.wait())
