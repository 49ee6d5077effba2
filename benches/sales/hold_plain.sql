-- Holds 4 seats with one round trip per statement, as onsale did before 0005_hold_and_pay.sql.
\set n :client_id + 8 * :i
\set i :i + 1
\set u :user + :n / 10
\set h :hold + :n
\set s0 :seat + 4 * :n + 0
\set s1 :seat + 4 * :n + 1
\set s2 :seat + 4 * :n + 2
\set s3 :seat + 4 * :n + 3
begin;
select pg_try_advisory_xact_lock(hashtextextended(:u::text || '.h' || :h::text, 0));
select fingerprint, outcome from idempotency_key where user_id = :u and key = 'h' || :h::text;
select s.concert_id, c.status, s.reservation_available_at, s.deadline_at, s.hold_ttl_seconds, s.max_seats_per_user, clock_timestamp() from concert_schedule s join concert c on c.id = s.concert_id where s.id = :schedule for key share of s \gset
select id, seat_number, fence, seat_price, (status <> 'AVAILABLE' or blocked) from seat where id = any (array[:s0, :s1, :s2, :s3]::bigint[]) and concert_schedule_id = :schedule order by id for no key update;
select id, seat_id, (status = 'PAYMENT_WAITING' and expires_at + make_interval(secs => 5) <= clock_timestamp()) from reservation where seat_id = any (array[:s0, :s1, :s2, :s3]::bigint[]) and status in ('PAYMENT_WAITING', 'COMPLETE') order by id for no key update;
select amount from point where user_id = :u for no key update;
select (select count(*) from reservation where user_id = :u and concert_schedule_id = :schedule and (status = 'COMPLETE' or status = 'PAYMENT_WAITING' and expires_at > clock_timestamp())), (select coalesce(max(n), 0) from (select count(*) as n from reservation where user_id = :u and seat_id = any (array[:s0, :s1, :s2, :s3]::bigint[]) and status in ('EXPIRED', 'CANCELLED') and reservation_at > clock_timestamp() - interval '10 minutes' group by seat_id) as held);
with clock as (select clock_timestamp() as now) insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id, amount, status, queue_sequence, reservation_at, expires_at) select :concert_id, :schedule, t.seat_id, :u, lpad(:h::text, 32, '0')::uuid, t.amount, 'PAYMENT_WAITING', :n, clock.now, clock.now + make_interval(secs => 300) from unnest(array[:s0, :s1, :s2, :s3]::bigint[], array[100, 100, 100, 100]::bigint[]) as t (seat_id, amount), clock on conflict do nothing returning id, seat_id, amount, reservation_at, expires_at;
update seat set fence = fence + 1, status = case when false then 'UNAVAILABLE' else 'AVAILABLE' end, reservation_at = clock_timestamp() where id = any (array[:s0, :s1, :s2, :s3]::bigint[]) returning seat_number, fence;
insert into outbox (kind, payload) values ('seats_changed', '{"schedule": 1, "seats": [{"number": 1, "fence": 1}, {"number": 2, "fence": 1}, {"number": 3, "fence": 1}, {"number": 4, "fence": 1}], "state": {"held": {"hold": "00000000-0000-0000-0000-000000000000", "expires_at": "2026-11-22T11:00:00Z"}}}') returning id;
insert into idempotency_key (user_id, key, fingerprint, outcome) values (:u, 'h' || :h::text, sha256('hold'), '{"hold_id": "00000000-0000-0000-0000-000000000000", "expires_at": "2026-11-22T11:00:00Z", "server_time": "2026-11-22T11:00:00Z", "total_amount": 400, "reservations": [{"id": 1, "amount": 100, "status": "PAYMENT_WAITING", "hold_id": "00000000-0000-0000-0000-000000000000", "seat_id": 1, "concert_id": 1, "expires_at": "2026-11-22T11:00:00Z", "seat_number": 1, "schedule_id": 1, "reservation_at": "2026-11-22T11:00:00Z"}]}');
commit;
