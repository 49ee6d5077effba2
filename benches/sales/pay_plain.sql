-- Pays a hold of 4 seats with one round trip per statement, as onsale did before 0005_hold_and_pay.sql.
\set n :client_id + 8 * :i
\set i :i + 1
\set u :user + :n / 10
\set h :hold + :n
\set s0 :seat + 4 * :n + 0
\set s1 :seat + 4 * :n + 1
\set s2 :seat + 4 * :n + 2
\set s3 :seat + 4 * :n + 3
begin;
select pg_try_advisory_xact_lock(hashtextextended(:u::text || '.p' || :h::text, 0));
select fingerprint, outcome from idempotency_key where user_id = :u and key = 'p' || :h::text;
select concert_schedule_id, queue_sequence, seat_id from reservation where hold_id = lpad(:h::text, 32, '0')::uuid and user_id = :u order by seat_id;
select s.concert_id, c.status, s.reservation_available_at, s.deadline_at, s.hold_ttl_seconds, s.max_seats_per_user, clock_timestamp() from concert_schedule s join concert c on c.id = s.concert_id where s.id = :schedule for key share of s;
select id, seat_number, fence, seat_price, (status <> 'AVAILABLE' or blocked) from seat where id = any (array[:s0, :s1, :s2, :s3]::bigint[]) and concert_schedule_id = :schedule order by id for no key update;
select min(id) as first, array_agg(id) as ids from (select r.id, r.hold_id, r.concert_id, r.concert_schedule_id, r.seat_id, s.seat_number, r.status, r.amount, r.reservation_at, r.expires_at from reservation r join seat s on s.id = r.seat_id where r.hold_id = lpad(:h::text, 32, '0')::uuid and r.user_id = :u order by r.seat_id) found \gset
select clock_timestamp();
select amount from point where user_id = :u for no key update;
update point set amount = amount - 400, last_updated_at = clock_timestamp() where user_id = :u and amount - 400 >= 0 returning amount;
insert into point_history (user_id, kind, amount, balance_after, reference) select :u, 'PAYMENT', -400, amount, lpad(:h::text, 32, '0') from point where user_id = :u;
update reservation set status = 'COMPLETE' where id = any (:ids::bigint[]) and status = 'PAYMENT_WAITING';
insert into payment (reservation_id, user_id, amount, status) select id, user_id, amount, 'COMPLETE' from reservation where id = any (:ids::bigint[]) and user_id = :u order by id returning id, reservation_id, amount, payment_at;
update seat set fence = fence + 1, status = case when true then 'UNAVAILABLE' else 'AVAILABLE' end where id = any (array[:s0, :s1, :s2, :s3]::bigint[]) returning seat_number, fence;
insert into outbox (kind, payload) values ('seats_changed', '{"schedule": 1, "seats": [{"number": 1, "fence": 1}, {"number": 2, "fence": 1}, {"number": 3, "fence": 1}, {"number": 4, "fence": 1}], "state": {"sold": {"hold": "00000000-0000-0000-0000-000000000000"}}}') returning id;
insert into outbox (kind, payload) values ('ticket_completed', '{"schedule": 1, "user": 1, "sequence": 1}') returning id;
insert into idempotency_key (user_id, key, fingerprint, outcome) values (:u, 'p' || :h::text, sha256('pay'), '{"Ok": {"balance": 1000, "payments": [{"id": 1, "amount": 100, "status": "COMPLETE", "payment_at": "2026-11-22T11:00:00Z", "reservation_id": 1}, {"id": 2, "amount": 100, "status": "COMPLETE", "payment_at": "2026-11-22T11:00:00Z", "reservation_id": 2}], "total_amount": 400}}');
commit;
