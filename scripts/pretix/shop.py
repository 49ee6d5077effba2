"""Creates pretix's events, and prints them as JSON. Runs with pretix's Python and settings.

    python shop.py EVENTS TICKETS

Creates EVENTS events of each kind: with TICKETS tickets in a quota, and with TICKETS seats.
"""

import json
import sys
from datetime import timedelta
from decimal import Decimal

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.utils.timezone import now  # noqa: E402
from django_scopes import scopes_disabled  # noqa: E402
from pretix.base.models import Event, Organizer, SeatingPlan  # noqa: E402
from pretix.base.services.seating import generate_seats  # noqa: E402

IN_ROW = 100


def seating_plan(organizer, seats):
    """Creates a plan with rows of IN_ROW seats in one zone."""
    seat = lambda row, number: {
        "seat_number": str(number),
        "seat_guid": f"A-{row}-{number}",
        "category": "A",
        "position": {"x": 20 * number, "y": 0},
    }
    row = lambda row: {
        "row_number": str(row),
        "position": {"x": 0, "y": 20 * row},
        "seats": [seat(row, number) for number in range(1, IN_ROW + 1)],
    }
    plan = SeatingPlan(organizer=organizer, name="Hall")
    plan.layout_data = {
        "name": "Hall",
        "categories": [{"name": "A", "color": "#7f4a91"}],
        "size": {"width": 20 * (IN_ROW + 2), "height": 20 * (seats // IN_ROW + 2)},
        "zones": [
            {
                "name": "A",
                "position": {"x": 0, "y": 0},
                "rows": [row(number) for number in range(1, seats // IN_ROW + 1)],
            }
        ],
    }
    plan.full_clean()
    plan.save()
    return plan


def create_event(organizer, slug, tickets, plan):
    """Creates an event that is on sale, with a quota, and with seats if there is a plan."""
    event = Event.objects.create(
        organizer=organizer,
        name=slug,
        slug=slug,
        currency="EUR",
        date_from=now() + timedelta(days=30),
        plugins=settings.PRETIX_PLUGINS_DEFAULT,
        seating_plan=plan,
        live=True,
    )
    event.set_defaults()
    item = event.items.create(name="Ticket", default_price=Decimal("23.00"), admission=True)
    quota = event.quotas.create(name="Tickets", size=tickets)
    quota.items.add(item)
    if plan:
        event.seat_category_mappings.create(layout_category="A", product=item)
        generate_seats(event, None, plan, {"A": item})
    seats = list(event.seats.values_list("seat_guid", flat=True))
    return {"id": event.pk, "path": f"/{organizer.slug}/{slug}/", "item": item.pk, "seats": seats}


@scopes_disabled()
def main(events, tickets):
    organizer = Organizer.objects.create(name="Bench", slug="bench")
    plan = seating_plan(organizer, tickets)
    made = {
        "quota": [create_event(organizer, f"quota{number}", tickets, None) for number in range(events)],
        "seats": [create_event(organizer, f"seats{number}", tickets, plan) for number in range(events)],
    }
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
