"""Compares what a cart of two tickets costs in pretix with a join and a hold of two seats in onsale.

    compare.py FOLDER ONSALE [--rounds N] [--carts N] [--holds N] [--callers N]

scripts/bench-pretix.sh calls it with pretix's Python, on the stores of `onsale dev`. Rounds go in turns,
after one of each that does not count. FOLDER gets the logs. Prints Markdown.
"""

import argparse
import asyncio
import statistics
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cpu
from buyers import Buyer, Sale, assert_holds, until_written
from servers import CELERY, GUNICORN, Onsale, Pretix, Servers, Stores
from visitors import Visitor, assert_carts

TARGET = 60
STORES = ("Redis", "PostgreSQL")
# Carts and holds of the round that does not count.
WARM_CARTS, WARM_HOLDS = 60, 500
IDLE_SECONDS = 10


@dataclass
class Round:
    """What one round has cost: CPU in ms for each cart or hold, by part, and times in ms."""

    cpu: dict
    page: dict
    times: list
    rate: float
    requests: float


def spread(values, digits=2):
    """The median, with the lowest and the highest."""
    values = sorted(values)
    return f"{statistics.median(values):.{digits}f} ({values[0]:.{digits}f} to {values[-1]:.{digits}f})"


async def in_turns(items, callers, work):
    """Runs `work(item)` for all items, some at a time. Returns the seconds that it took."""
    left, begun = iter(items), time.perf_counter()

    async def run():
        for item in left:
            await work(item)

    await asyncio.gather(*(run() for _ in range(callers)))
    return time.perf_counter() - begun


class Comparison:
    def __init__(self, args, stores, pretix, onsale):
        self.args, self.stores, self.pretix, self.onsale = args, stores, pretix, onsale
        self.next_user = 2

    def used(self, *systems):
        return cpu.used({name: pid for system in (*systems, self.stores) for name, pid in system.pids.items()})

    def each(self, before, after, count):
        return {name: seconds * 1000 / count for name, seconds in cpu.difference(before, after).items()}

    async def carts(self, kind, number, count):
        """Lets visitors of an event of its own open the page, all of them, and then fill their carts."""
        event = self.pretix.events[kind][number]
        pairs = [event["seats"][2 * at : 2 * at + 2] for at in range(count)]
        visitors = [Visitor(self.pretix.port, event, seats) for seats in pairs]
        with self.onsale.paused():
            self.stores.rest()
            begun = self.used(self.pretix)
            await in_turns(visitors, self.args.callers, Visitor.open_page)
            opened = self.used(self.pretix)
            took = await in_turns(visitors, self.args.callers, Visitor.fill_cart)
            filled = self.used(self.pretix)
        assert_carts(self.stores.pretix, event, visitors)
        page, cart = self.each(begun, opened, count), self.each(opened, filled, count)
        requests = sum(visitor.requests - 1 for visitor in visitors) / count
        return Round(cart, page, [visitor.took * 1000 for visitor in visitors], count / took, requests)

    async def holds(self, named, count):
        """Lets buyers of a sale of its own join and hold, until both stores have everything."""
        sale = Sale(self.onsale.port)
        await sale.create(self.args.seats)
        users = range(self.next_user, self.next_user + count)
        self.next_user += count
        pairs = [sale.seats[2 * at : 2 * at + 2] if named else [] for at in range(count)]
        buyers = [Buyer(sale, user, seats) for user, seats in zip(users, pairs)]
        self.stores.rest()
        begun = self.used(self.onsale)
        took = await in_turns(buyers, self.args.callers, Buyer.buy)
        until_written(self.stores.onsale, sale, buyers)
        used = self.each(begun, self.used(self.onsale), count)
        assert_holds(self.stores.onsale, sale, buyers)
        requests = sum(buyer.requests for buyer in buyers) / count
        return Round(used, {}, [buyer.took * 1000 for buyer in buyers], count / took, requests)

    def idle(self):
        """Milliseconds of CPU per second of each part while nobody sends a request."""
        before = self.used(self.pretix, self.onsale)
        time.sleep(IDLE_SECONDS)
        return self.each(before, self.used(self.pretix, self.onsale), IDLE_SECONDS)

    async def run(self):
        rounds = {"quota": [], "best": [], "seats": [], "named": []}
        for number in range(self.args.rounds + 1):
            carts, holds = (self.args.carts, self.args.holds) if number else (WARM_CARTS, WARM_HOLDS)
            made = {
                "quota": await self.carts("quota", number, carts),
                "best": await self.holds(False, holds),
                "seats": await self.carts("seats", number, carts),
                "named": await self.holds(True, holds),
            }
            if number:
                for way, result in made.items():
                    rounds[way].append(result)
        return rounds


NAMES = {
    "quota": "pretix's cart of 2 tickets of a quota",
    "best": "onsale's join and hold of the best 2 seats",
    "seats": "pretix's cart of 2 named seats",
    "named": "onsale's join and hold of 2 named seats",
}
# Measured apart: no ratio has them unless it says so.
PAGES = {"quota": "pretix's page before a cart of 2 tickets", "seats": "pretix's page before a cart of 2 seats"}
# What each way of onsale is compared with.
PAIRS = {"best": ("quota",), "named": ("seats", "quota")}


def total(parts):
    return sum(parts.values())


def print_costs(rounds):
    print("| CPU in ms, for each | all processes | onsale, gunicorn | Celery | Redis | PostgreSQL |")
    print("| --- | --- | --- | --- | --- | --- |")

    def row(name, costs):
        parts = [spread(cost[part] for cost in costs) if part in costs[0] else "" for part in ("Celery", *STORES)]
        service = spread(cost.get("onsale", cost.get("gunicorn")) for cost in costs)
        print(f"| {' | '.join([name, spread(map(total, costs)), service, *parts])} |")

    for way, of in rounds.items():
        row(NAMES[way], [one.cpu for one in of])
    for way in ("quota", "seats"):
        row(PAGES[way], [one.page for one in rounds[way]])
    print("\n| time in ms, for each | median | p99 | per second | requests |")
    print("| --- | --- | --- | --- | --- |")
    for way, of in rounds.items():
        quantiles = [statistics.quantiles(one.times, n=100) for one in of]
        median, last = (spread((cuts[at] for cuts in quantiles), 1) for at in (49, 98))
        rate, requests = spread((one.rate for one in of), 1), spread((one.requests for one in of), 1)
        print(f"| {NAMES[way]} | {median} | {last} | {rate} | {requests} |")


def print_ratios(rounds):
    """Prints the ratio of each pair of rounds, and whether the median reaches the target."""
    print(f"\n| CPU of all processes | times less: median (lowest to highest) | with the page | target ≥ {TARGET} |")
    print("| --- | --- | --- | --- |")
    for ours, others in PAIRS.items():
        for other in others:
            pairs = list(zip(rounds[other], rounds[ours]))
            ratios = [total(theirs.cpu) / total(mine.cpu) for theirs, mine in pairs]
            pages = [(total(theirs.page) + total(theirs.cpu)) / total(mine.cpu) for theirs, mine in pairs]
            verdict = "met" if statistics.median(ratios) >= TARGET else "not met"
            print(f"| {NAMES[ours]} / {NAMES[other]} | {spread(ratios, 1)} | {spread(pages, 1)} | {verdict} |")


def print_settings(args, stores, pretix, idle):
    versions = [f"{name} {version(name)}" for name in ("pretix", "Django", "gunicorn", "celery")]
    idle = ", ".join(f"{name} {used:.1f}" for name, used in idle.items())
    print(f"""
- {", ".join(versions)}; {stores.versions()}, shared by both; fsync and synchronous_commit on
- gunicorn {GUNICORN}; {pretix.replaced()} workers replaced after their maximum of requests
- celery {CELERY}
- caches, sessions, broker and results of pretix in Redis; DEBUG off; no proxy before either system
- onsale with its default settings; it is stopped while pretix is measured
- {args.rounds} rounds of each; {args.carts} carts, {args.holds} holds; {args.callers} callers; a connection
  for each request of pretix (its workers keep none) and for each buyer of onsale
- {args.seats} seats or tickets in each event and each sale, each round in its own
- idle, ms of CPU per second, of which nothing is subtracted: {idle}""")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("onsale", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--carts", type=int, default=150)
    parser.add_argument("--holds", type=int, default=2000)
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--seats", type=int, default=5000)
    args = parser.parse_args()
    if 2 * max(args.carts, args.holds, WARM_CARTS, WARM_HOLDS) > args.seats:
        parser.error("a sale has too few seats")
    stores, servers = Stores(), Servers(args.folder)
    try:
        pretix = Pretix(servers, args.rounds + 1, args.seats)
        onsale = Onsale(servers, args.onsale, 2 * (args.rounds * args.holds + WARM_HOLDS))
        comparison = Comparison(args, stores, pretix, onsale)
        rounds = asyncio.run(comparison.run())
        idle = comparison.idle()
    finally:
        servers.stop()
    print_costs(rounds)
    print_ratios(rounds)
    print_settings(args, stores, pretix, idle)


if __name__ == "__main__":
    main()
