#!/usr/bin/env python3
"""Measures how old the boards of many schedules are, alone and beside schedules with large boards.

    onsale dev --throwaway -- python3 loadtest/boards.py BINARY [BINARY] [--turns N] [--people N] ...

Serves the same stores with each BINARY in turns (A B A B), and compares them. SCHEDULES (50) have PEOPLE
(100,000) waiting entries each: PEOPLE users join the first schedule over HTTP, and the keys that their joins
wrote are copied to the others. HEAVY (4) further schedules have large boards: 100,000 held seats, whose whole
map is read again with each board, as by a reader that fell behind, and a queue of 10,000,000 that is written
without joining.

Every 20 ms the time is written into `admitted` of each schedule, which the public board shows as
`admitted_total`: a board's age is the time since then. So an age is up to 20 ms too high. A reader asks for
all schedules in turn, about RATE (500) times a second in all. Each turn has two parts of SECONDS (20) each:
first only the SCHEDULES are read, then the HEAVY ones too.

Prints for each binary and part, as the median over the turns with the lowest and highest: the age at p50, p99
and at most, the p99 of the schedule with the oldest boards, and the CPU of Redis and of the process. Speaks to
loopback only. Needs `psql` on PATH.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import re
import socket
import statistics
import subprocess
import time

import line
from line import Caller, make_sale, redis, token

LOCAL = re.compile(r"@?(127\.0\.0\.1|localhost):")
SEATS, LONG = 100_000, 10_000_000
TICK = 0.02
# Seconds until a process reads new boards at their usual pace.
SETTLE = 3
COPIED = ("waiting", "bits:1", "present:0", "present:1", "present:2")
FIELDS = ("next_n", "present_slot", "present_since")


class Pipe:
    """A connection to Redis that sends many commands at once."""

    def __init__(self):
        host, port = re.search(r"@?([\w.]+):(\d+)", os.environ["REDIS_URL"]).groups()
        self.conn = socket.create_connection((host, int(port)))
        self.reader = self.conn.makefile("rb")

    def run(self, commands):
        parts = []
        for words in commands:
            words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
            parts.append(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        self.conn.sendall(b"".join(parts))
        return [self.reply() for _ in commands]

    def reply(self):
        first = self.reader.readline().strip()
        assert first[:1] != b"-", first
        if first[:1] == b"$":
            return self.reader.read(int(first[1:]) + 2)[:-2] if first != b"$-1" else None
        if first[:1] == b"*":
            return [self.reply() for _ in range(int(first[1:]))]
        return int(first[1:]) if first[:1] == b":" else first


def key(schedule, name):
    return f"onsale:{{{schedule}}}:{name}"


def stamp(schedules, heavy, stop):
    """Writes the time into each schedule, and changes the seat maps of the heavy ones."""
    pipe, ticks = Pipe(), 0
    while not stop.is_set():
        begun = time.time()
        now = int(begun * 1000)
        pipe.run([("HSET", key(schedule, "meta"), "admitted", now) for schedule in schedules])
        if ticks % 5 == 0:
            versions = pipe.run([("HINCRBY", key(schedule, "meta"), "seat_version", 2) for schedule in heavy])
            # The change before this one is missing, so every reader loads the whole map.
            pipe.run(
                [
                    ("XADD", key(schedule, "seatlog"), "MAXLEN", "~", 5000, f"{version}-0", "c", "1:1")
                    for schedule, version in zip(heavy, versions)
                ]
            )
        ticks += 1
        time.sleep(max(0, TICK - (time.time() - begun)))


class Service:
    """An `onsale serve` with one of the binaries."""

    def __init__(self, binary):
        args = [binary, "serve", "--listen", "127.0.0.1:0", "--reconcile-every", "1h", "--log", "error"]
        self.child = subprocess.Popen(args, stdout=subprocess.PIPE, text=True)
        self.address = self.child.stdout.readline().split("http://")[1].strip()

    def cpu(self):
        with open(f"/proc/{self.child.pid}/stat") as stat:
            return sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.child.terminate()
        self.child.wait()


def redis_cpu():
    return sum(map(float, re.findall(r"used_cpu_(?:sys|user):([\d.]+)", redis("INFO", "cpu"))))


def join_all(address, schedule, people):
    line.ADDRESS = address
    path = f"/v1/schedules/{schedule}/queue"
    join = lambda caller, user: caller.call("POST", path, authorization=f"Bearer {token(user)}")[0]
    joined, rate = line.in_threads(range(2, people + 2), join)
    assert set(joined) == {201}, "every join creates an entry"
    print(f"joined     {people:,} at {rate:,.0f}/s", flush=True)


def copy(source, target):
    pipe = Pipe()
    pipe.run([("COPY", key(source, name), key(target, name), "REPLACE") for name in COPIED])
    fields = pipe.run([("HMGET", key(source, "meta"), *FIELDS)])[0]
    pipe.run([("HSET", key(target, "meta"), name, value) for name, value in zip(FIELDS, fields) if value is not None])


# Seats that buyers hold, four each.
HOLD = """
insert into seat (concert_schedule_id, seat_number, section, "row", seat_price)
  select :schedule, n, 'Z', (n / 100)::text, 1
  from generate_series((select max(seat_number) + 1 from seat where concert_schedule_id = :schedule), :seats) n;
with live as (
  insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id, amount, status,
                           queue_sequence, reservation_at, expires_at)
  select c.concert_id, c.id, s.id, (s.seat_number - 1) / 4 % :people + 2,
         md5(:schedule::text || (s.seat_number - 1) / 4)::uuid, 1, 'PAYMENT_WAITING',
         (1::bigint << 40) + (s.seat_number - 1) / 4 + 1, now(), now() + interval '2 hours'
  from seat s join concert_schedule c on c.id = s.concert_schedule_id where c.id = :schedule
  returning seat_id)
update seat s set fence = 1 from live where s.id = live.seat_id;
update concert_schedule set layout_version = layout_version + 1 where id = :schedule;
analyze;
"""


def make_heavy(address, schedule, people):
    """Holds all seats in PostgreSQL, lets the process load them into Redis, and adds a long queue."""
    values = {"schedule": schedule, "seats": SEATS, "people": people}
    args = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", os.environ["DATABASE_URL"]]
    args += [word for name, value in values.items() for word in ("-v", f"{name}={value}")]
    subprocess.run(args, input=HOLD, check=True, text=True, stdout=subprocess.DEVNULL)
    pipe = Pipe()
    pipe.run([("UNLINK", *pipe.run([("KEYS", key(schedule, "*"))])[0])])
    until(f"the keys of {schedule}", lambda: int(redis("ZCARD", key(schedule, "held"))) == SEATS, 600)
    until("a board", lambda: not board_of(address, schedule).get("seats_available", 1))
    epoch = board_of(address, schedule)["epoch"]
    pipe.run(
        [
            ("SETRANGE", key(schedule, f"bits:{epoch}"), 0, b"\x7f" + b"\xff" * (LONG // 8 - 1)),
            ("ZADD", key(schedule, "waiting"), (epoch << 40) + 1, 1),
            ("HSET", key(schedule, "meta"), "next_n", LONG),
        ]
    )


def board_of(address, schedule):
    # A new connection each time: the service closes idle ones.
    return Caller(address).call("GET", f"/v1/schedules/{schedule}/queue")[1] or {}


def until(what, ask, longest=60):
    begun = time.time()
    while not ask():
        assert time.time() - begun < longest, f"waited too long for: {what}"
        time.sleep(0.05)


def fill(options):
    """Makes the sales, and returns the ids of the usual and the heavy schedules."""
    binary = options.binaries[0]
    subprocess.run([binary, "migrate"], check=True)
    subprocess.run([binary, "seed", "--users", str(options.people + 1)], check=True, stdout=subprocess.DEVNULL)
    service = Service(binary)
    caller = Caller(service.address)
    sales = [make_sale(caller, token(1, "admin")) for _ in range(options.schedules + options.heavy)]
    ids = [schedule for schedule, _ in sales]
    usual, heavy = ids[: options.schedules], ids[options.schedules :]
    warm(service, ids)
    join_all(service.address, usual[0], options.people)
    until("the archive", lambda: redis("XLEN", key(usual[0], "log")) == 0)
    for schedule in usual[1:]:
        copy(usual[0], schedule)
    for schedule in heavy:
        make_heavy(service.address, schedule, options.people)
    service.stop()
    print(f"filled     {len(usual)} schedules and {len(heavy)} heavy ones", flush=True)
    return usual, heavy


class Reader:
    """Asks for the boards of some schedules in turn."""

    def __init__(self, address, rate):
        self.http, self.rate = http.client.HTTPConnection(address, timeout=30), rate

    def board(self, schedule):
        self.http.request("GET", f"/v1/schedules/{schedule}/queue")
        answer = self.http.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return json.loads(text)

    def read(self, usual, heavy, seconds):
        """The ages in ms of the boards of the usual schedules, by schedule."""
        ages, begun, asked = {schedule: [] for schedule in usual}, time.time(), 0
        while time.time() - begun < seconds:
            for schedule in usual + heavy:
                board = self.board(schedule)
                if schedule in ages:
                    ages[schedule].append(time.time() * 1000 - board["admitted_total"])
                asked += 1
                time.sleep(max(0, begun + asked / self.rate - time.time()))
        return ages


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def part(service, reader, usual, heavy, options):
    before, begun = (redis_cpu(), service.cpu()), time.time()
    ages = reader.read(usual, heavy, options.seconds)
    took = time.time() - begun
    cpu = [100 * (now - then) / took for now, then in zip((redis_cpu(), service.cpu()), before)]
    everything = [age for some in ages.values() for age in some]
    return {
        "p50 ms": percentile(everything, 0.5),
        "p99 ms": percentile(everything, 0.99),
        "max ms": max(everything),
        "worst p99 ms": max(percentile(some, 0.99) for some in ages.values()),
        "Redis CPU %": cpu[0],
        "process CPU %": cpu[1],
        "answers/s": len(everything) / took,
    }


def warm(service, schedules):
    """Waits until the process has all these boards."""
    caller = Caller(service.address)
    for schedule in schedules:
        path = f"/v1/schedules/{schedule}/queue"
        until("a board", lambda path=path: caller.call("GET", path)[0] == 200)
    time.sleep(SETTLE)


def turn(binary, usual, heavy, options):
    service = Service(binary)
    warm(service, usual)
    reader = Reader(service.address, options.rate)
    boards = [reader.board(schedule) for schedule in usual]
    assert all(board["waiting"] == options.people for board in boards), "every queue is complete"
    # A process reads only the boards that somebody asks for: the heavy ones are not read yet.
    alone = part(service, reader, usual, [], options)
    warm(service, heavy)
    reader = Reader(service.address, options.rate)
    assert all(reader.board(schedule)["waiting"] >= LONG - 8 for schedule in heavy), "the heavy queues are long"
    beside = part(service, reader, usual, heavy, options)
    service.stop()
    return {"alone": alone, "beside": beside}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", nargs="+")
    for name, default in (
        ("turns", 2),
        ("people", 100_000),
        ("schedules", 50),
        ("heavy", 4),
        ("seconds", 20),
        ("rate", 500),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    assert all(LOCAL.search(os.environ[name]) for name in ("DATABASE_URL", "REDIS_URL")), "loopback only"
    usual, heavy = fill(options)
    stop = multiprocessing.Event()
    stamping = multiprocessing.Process(target=stamp, args=(usual + heavy, heavy, stop), daemon=True)
    stamping.start()
    results = {binary: [] for binary in options.binaries}
    for number in range(options.turns):
        for binary in options.binaries:
            results[binary].append(turn(binary, usual, heavy, options))
            for name, figures in results[binary][-1].items():
                shown = ", ".join(f"{what} {value:.0f}" for what, value in figures.items())
                print(f"{number + 1} {os.path.basename(binary):<8} {name:<7} {shown}", flush=True)
    stop.set()
    stamping.join()
    for name in ("alone", "beside"):
        for binary, turns in results.items():
            cells = []
            for what in turns[0][name]:
                values = [figures[name][what] for figures in turns]
                cells.append(f"{what} {statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})")
            print(f"{name}, {os.path.basename(binary)}: " + ", ".join(cells), flush=True)


if __name__ == "__main__":
    main()
