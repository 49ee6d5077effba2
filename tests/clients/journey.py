#!/usr/bin/env python3
"""A buyer's journey with the client that openapi-python-client generates: join, poll, hold, pay.

usage: journey.py ADDRESS SCHEDULE   (the generated package `onsale_client` is on the path)
"""

import sys
import time
import uuid

from onsale_client import AuthenticatedClient, Client
from onsale_client.api.catalogue import schedule as find_schedule
from onsale_client.api.identity import sign_up
from onsale_client.api.payments import pay
from onsale_client.api.points import charge
from onsale_client.api.queue import join, poll
from onsale_client.api.reservations import hold, list_reservations
from onsale_client.models import ChargeBody, HoldBody, NewUser, PayBody, Problem, TicketView


def expect(answer, kind):
    """The answer, which must be of this class: a refusal is a `Problem`."""
    assert isinstance(answer, kind), f"not a {kind.__name__}: {answer}"
    return answer


def main():
    address, schedule = sys.argv[1], int(sys.argv[2])
    anybody = Client(base_url=address)
    before = find_schedule.sync(schedule, client=anybody)
    user = sign_up.sync(client=anybody, body=NewUser(name="Kim"))
    buyer = AuthenticatedClient(base_url=address, token=user.access_token)

    ticket = expect(join.sync(schedule, client=buyer), TicketView)
    token = ticket.queue_token
    deadline = time.monotonic() + 60
    while ticket.status != "ACTIVE":
        assert time.monotonic() < deadline, f"nobody is admitted: {ticket}"
        time.sleep((ticket.poll_after_ms or 1000) / 1000)
        ticket = expect(poll.sync(client=anybody.with_headers({"Queue-Token": token})), TicketView)
        token = ticket.queue_token or token

    inside = AuthenticatedClient(base_url=address, token=user.access_token, headers={"Queue-Token": token})
    refused = hold.sync(schedule, client=inside, body=HoldBody(quantity=0), idempotency_key=str(uuid.uuid4()))
    assert expect(refused, Problem).code == "invalid_request"
    assert refused.errors[0].pointer == "/quantity", refused
    held = hold.sync(schedule, client=inside, body=HoldBody(quantity=2), idempotency_key=str(uuid.uuid4()))
    assert len(held.reservations) == 2, held

    poor = pay.sync(client=buyer, body=PayBody(hold_id=held.hold_id), idempotency_key=str(uuid.uuid4()))
    assert expect(poor, Problem).code == "insufficient_points"
    assert poor["required"] == held.total_amount, poor
    charge.sync(client=buyer, body=ChargeBody(amount=held.total_amount + 1), idempotency_key=str(uuid.uuid4()))
    paid = pay.sync(client=buyer, body=PayBody(hold_id=held.hold_id), idempotency_key=str(uuid.uuid4()))
    assert (paid.total_amount, paid.balance) == (held.total_amount, 1), paid

    owned = list_reservations.sync(client=buyer).items
    assert sorted(one.id for one in owned) == sorted(one.id for one in held.reservations)
    assert {one.status for one in owned} == {"COMPLETE"}, owned
    assert before.server_time <= held.server_time
    print("the generated Python client joined, polled, held and paid")


main()
