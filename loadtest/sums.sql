-- Checks sums in the database after a load test. Prints one line per difference, and nothing if all
-- agree. Run it when no request is in progress.

-- A seat is sold if and only if exactly one COMPLETE reservation has it.
select 'seat ' || seat.id || ' is ' || seat.status || ' with ' || count(reservation.id) || ' COMPLETE reservations'
from seat
left join reservation on reservation.seat_id = seat.id and reservation.status = 'COMPLETE'
group by seat.id
having count(reservation.id) <> case seat.status when 'UNAVAILABLE' then 1 else 0 end;

-- A reservation has a payment if and only if it is COMPLETE or REFUNDED, with the same amount and user.
select 'reservation ' || reservation.id || ' is ' || reservation.status || ' for ' || reservation.amount
    || ', its payment ' || coalesce(payment.status || ' for ' || payment.amount, 'missing')
from reservation
full join payment on payment.reservation_id = reservation.id
where (reservation.status in ('COMPLETE', 'REFUNDED') or payment.id is not null)
    and (payment.status, payment.amount, payment.user_id)
        is distinct from (reservation.status, reservation.amount, reservation.user_id);

-- A balance is the sum of its history, and the balance in the newest entry.
select 'user ' || point.user_id || ' has ' || point.amount || ', the history says '
    || coalesce(history.total, 0) || ' and ' || coalesce(history.newest, 0)
from point
left join (
    select user_id, sum(amount) as total, (array_agg(balance_after order by id desc))[1] as newest
    from point_history
    group by user_id
) as history using (user_id)
where (point.amount, point.amount) is distinct from (coalesce(history.total, 0), coalesce(history.newest, 0));

-- The sum of payments is the points that left the balances minus refunds.
select 'payments of ' || paid.total || ', points spent ' || spent.total
from (select coalesce(sum(amount), 0) as total from payment where status = 'COMPLETE') as paid,
    (select coalesce(-sum(amount), 0) as total from point_history where kind in ('PAYMENT', 'REFUND')) as spent
where paid.total <> spent.total;

-- No user has more seats of a schedule than its limit.
select 'user ' || user_id || ' has ' || count(*) || ' seats of schedule ' || concert_schedule_id
from reservation
join concert_schedule on concert_schedule.id = concert_schedule_id
where reservation.status in ('PAYMENT_WAITING', 'COMPLETE')
group by user_id, concert_schedule_id, max_seats_per_user
having count(*) > max_seats_per_user;
