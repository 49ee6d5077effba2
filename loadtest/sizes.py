#!/usr/bin/env python3
"""Prints the bytes of onsale's answers, heads included.

    onsale dev --throwaway -- python3 loadtest/sizes.py

Lets 1,000 users join one queue, polls, reads the public board, admits one user, who buys two seats,
and another one, who wants the same seats. Needs no package. ONSALE_BIN names the binary (default:
`onsale` on PATH).
"""

import json
import sys

import line

PEOPLE = 1000


class Measured(line.Caller):
    """A caller that knows the size of the last answer."""

    def call(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            headers["content-type"] = "application/json"
        self.http.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.http.getresponse()
        content = answer.read()
        head = f"HTTP/1.1 {answer.status} {answer.reason}\r\n\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in answer.getheaders())
        self.size = len(head.encode()) + len(content)
        is_json = content and not answer.getheader("content-encoding")
        return answer.status, json.loads(content) if is_json else None


def expect(answer, status):
    assert answer[0] == status, answer
    return answer[1]


def buy(caller, schedule, user, ticket, seats):
    """Holds seats and pays them. Returns the bytes of both answers."""
    who = {"authorization": f"Bearer {line.token(user)}", "queue_token": ticket}
    body = {"seat_ids": seats}
    hold = expect(
        caller.call("POST", f"/v1/schedules/{schedule}/reservations", body, idempotency_key=f"h{user}", **who), 201
    )
    size = caller.size
    pay = {"hold_id": hold["hold_id"], "charge_up_to": 1000}
    expect(caller.call("POST", "/v1/payments", pay, idempotency_key=f"p{user}", **who), 201)
    return size + caller.size


def main():
    caller = Measured(line.ADDRESS)
    schedule, as_admin = line.make_sale(caller, line.token(1, "admin"))
    tickets = {}
    for user in range(2, PEOPLE + 2):
        path = f"/v1/schedules/{schedule}/queue"
        joined = expect(caller.call("POST", path, authorization=f"Bearer {line.token(user)}"), 201)
        tickets[user] = joined["queue_token"]
    print(f"the answer to a join: {caller.size} B")
    expect(caller.call("GET", "/v1/queue/ticket", queue_token=tickets[500]), 200)
    print(f"the answer to a poll of a waiting ticket: {caller.size} B")
    expect(caller.call("GET", f"/v1/schedules/{schedule}/queue"), 200)
    print(f"the public board, 1,000 in the queue: {caller.size} B")
    seats = expect(caller.call("GET", f"/v1/schedules/{schedule}/seats"), 200)["seats"]
    wanted = [seat["id"] for seat in seats[:2]]
    settings = {"capacity": 2, "admit_per_second": 100}
    expect(caller.call("PATCH", f"/v1/admin/schedules/{schedule}/queue", settings, **as_admin), 200)
    admitted = []
    while len(admitted) < 2:
        for user in (2, 3):
            view = expect(caller.call("GET", "/v1/queue/ticket", queue_token=tickets[user]), 200)
            if view["status"] == "ACTIVE" and user not in [one for one, _, _ in admitted]:
                admitted.append((user, view["queue_token"], caller.size))
    (first, ticket, polled), (second, other, _) = admitted
    bought = buy(caller, schedule, first, ticket, wanted)
    print(f"a purchase of two seats: poll, hold, payment: {polled + bought} B")
    who = {"authorization": f"Bearer {line.token(second)}", "queue_token": other, "idempotency_key": "again"}
    refused = caller.call("POST", f"/v1/schedules/{schedule}/reservations", {"seat_ids": wanted}, **who)
    expect(refused, 409)
    print(f"a refused hold of two seats: {caller.size} B")


if __name__ == "__main__":
    line.PEOPLE = PEOPLE
    service, line.ADDRESS = line.serve()
    try:
        main()
    finally:
        service.terminate()
        sys.exit(service.wait())
