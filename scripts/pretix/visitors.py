"""Visitors of pretix's shop: each has its own session, opens the page, and puts two tickets into the cart."""

import asyncio
import json
import time
from urllib.parse import urlencode

# Seconds until pretix's page asks for the outcome, first and again (static/pretixbase/js/asynctask.js).
FIRST, AGAIN = 0.1, 0.25


class Visitor:
    """One visitor with its cookies."""

    def __init__(self, port, event, seats):
        self.port, self.event, self.seats = port, event, seats
        self.cookies, self.cart, self.took, self.requests = {}, None, 0.0, 0

    async def ask(self, method, path, form=None):
        """Sends one request on a connection of its own: gunicorn's workers keep none. Returns the body."""
        body = urlencode(form).encode() if form else b""
        head = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{self.port}", "connection: close"]
        if self.cookies:
            head.append("cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if form:
            head += ["content-type: application/x-www-form-urlencoded", f"content-length: {len(body)}"]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        self.requests += 1
        lines = head.decode().split("\r\n")
        for name, _, value in (line.partition(": ") for line in lines[1:]):
            if name.lower() == "set-cookie":
                name, _, value = value.partition(";")[0].partition("=")
                self.cookies[name] = value
        status = int(lines[0].split(" ")[1])
        if status != 200:
            raise RuntimeError(f"pretix: {method} {path}: {status} {body[:2000].decode(errors='replace')}")
        return body

    async def open_page(self):
        await self.ask("GET", self.event["path"])
        if "pretix_csrftoken" not in self.cookies:
            raise RuntimeError(f"pretix: the page has no form: {self.cookies}")

    async def fill_cart(self):
        """Sends the form of the page, and asks for the outcome as the page does."""
        begun = time.perf_counter()
        item = self.event["item"]
        tickets = [(f"seat_{item}", seat) for seat in self.seats] or [(f"item_{item}", "2")]
        form = [("csrfmiddlewaretoken", self.cookies["pretix_csrftoken"]), *tickets, ("ajax", "1")]
        answer = json.loads(await self.ask("POST", self.event["path"] + "cart/add", form))
        check, pause = answer.get("check_url"), FIRST
        while not answer.get("ready"):
            await asyncio.sleep(pause)
            answer, pause = json.loads(await self.ask("GET", check)), AGAIN
        if not answer["success"]:
            raise RuntimeError(f"pretix: the cart was refused: {answer}")
        self.cart, self.took = answer["cart_id"], time.perf_counter() - begun


def assert_carts(database, event, visitors):
    """Fails unless each visitor's cart has two tickets, those that it asked for, and there are no others."""
    query = """select c.cart_id, count(*), coalesce(array_agg(s.seat_guid order by s.seat_guid)
                      filter (where s.id is not null), '{}')
               from pretixbase_cartposition c left join pretixbase_seat s on s.id = c.seat_id
               where c.event_id = %s and c.expires > now() group by c.cart_id"""
    found = {cart: (count, seats) for cart, count, seats in database.rows(query, event["id"])}
    wanted = {visitor.cart: (2, sorted(visitor.seats)) for visitor in visitors}
    if found != wanted or len(wanted) != len(visitors):
        wrong = [cart for cart in wanted.keys() | found.keys() if wanted.get(cart) != found.get(cart)]
        raise RuntimeError(f"pretix: {len(wrong)} carts are not as requested: {wrong[:3]}")
