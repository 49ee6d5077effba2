-- The box office: staff find a buyer or a seat, see what happened to it, refund, move, and give seats to
-- guests.

-- Given to a guest for free: COMPLETE with amount 0 and without a payment. These count apart from sold
-- seats. Holds write no value, so a hold costs what it did.
alter table reservation add column guest boolean not null default false;
-- When an unpaid reservation ended. Null for those that another hold took over or that an earlier release
-- ended: then the end of its time, expires_at, stands for it.
alter table reservation add column ended_at timestamptz;

-- Seats given to guests, for the list of a schedule. The guest is the user of the reservation.
create table guest_seat (
    reservation_id      bigint      primary key references reservation,
    concert_schedule_id bigint      not null references concert_schedule,
    -- The seat was blocked before, so it is blocked again when it is taken back.
    was_blocked         boolean     not null,
    given_by            bigint      not null references "user",
    reason              text        not null check (char_length(reason) between 1 and 500),
    given_at            timestamptz not null default clock_timestamp(),
    -- When it was taken back.
    revoked_at          timestamptz
);
create index guest_seat_of_schedule on guest_seat (concert_schedule_id, reservation_id desc);

-- What staff did for single buyers, one row per seat: the audit has the same in one row per call, and
-- this table finds it by buyer and by seat. It also keeps where a reservation was before a move.
create table box_office_action (
    id                  bigint      generated always as identity primary key,
    kind                text        not null check (kind in
                          ('REFUND', 'MOVE', 'GIVE', 'REVOKE', 'REISSUE_PLACE', 'REISSUE_CODE')),
    admin               bigint      not null references "user",
    -- The buyer or guest.
    user_id             bigint      not null references "user",
    -- Null for a recovery code, which is for all schedules.
    concert_schedule_id bigint      references concert_schedule,
    reservation_id      bigint      references reservation,
    -- The seat; of a move, the one that was left.
    seat_id             bigint      references seat,
    -- The new seat of a move.
    to_seat_id          bigint      references seat,
    reason              text        not null check (char_length(reason) between 1 and 500),
    created_at          timestamptz not null default clock_timestamp(),
    constraint box_office_move_has_a_seat check ((kind = 'MOVE') = (to_seat_id is not null))
);
create index box_office_action_of_user on box_office_action (user_id, id);
create index box_office_action_of_seat on box_office_action (seat_id, id) where seat_id is not null;
create index box_office_action_to_seat on box_office_action (to_seat_id, id) where to_seat_id is not null;
-- The moves of a reservation; a removal looks here before it deletes one.
create index box_office_action_of_reservation on box_office_action (reservation_id, id)
    where reservation_id is not null;
-- The latest action of a schedule: a report that was final before it is computed again.
create index box_office_action_of_schedule on box_office_action (concert_schedule_id, id);

-- Users by the beginning of their name, in any case. The operator class compares bytes, whatever the
-- collation of the database.
create index user_by_name on "user" (lower(name) text_pattern_ops, id);
-- A queue entry by its ticket id. A hash index is smaller than one in order, which nobody needs here.
create index queue_of_ticket on queue using hash (token);
-- The ended reservations of a seat; reservation_one_live_per_seat finds the live one. Holds and payments
-- do not touch this index.
create index reservation_ended_of_seat on reservation (seat_id)
    where status in ('EXPIRED', 'CANCELLED', 'REFUNDED');
-- The audit of one subject in a time: histories, and markers in the charts of a sale.
create index audit_of_subject on audit (subject, created_at);

-- What happened to each reservation, for the history of a buyer and of a seat. A reservation that was
-- moved has several seats: seat_id is the one that it had at that time.
create view reservation_event as
select r.id, e.rank, e.kind, e.at, r.user_id, r.concert_schedule_id, r.hold_id, p.id as payment_id, r.amount,
       coalesce((select a.seat_id from box_office_action a
                  where a.reservation_id = r.id and a.to_seat_id is not null and a.created_at > e.at
                  order by a.id limit 1), r.seat_id) as seat_id
  from reservation r
  left join payment p on p.reservation_id = r.id
 cross join lateral (values
       (4, 'HELD', case when not r.guest then r.reservation_at end),
       (5, 'PAID', p.payment_at),
       (6, case when r.status = 'EXPIRED' then 'EXPIRED' else 'RELEASED' end,
           case when r.status in ('EXPIRED', 'CANCELLED') and not r.guest
                then coalesce(r.ended_at, r.expires_at) end),
       (7, 'REFUNDED', p.refunded_at)) e (rank, kind, at)
 where e.at is not null;
