-- Charges points with one round trip per statement, as onsale did before charge_points.
\set n :client_id + 8 * :i
\set i :i + 1
\set u :user + :n / 10
\set h :hold + :n
begin;
select reply, outcome from key_claim(:u, 'c' || :h::text, sha256('charge'));
select point_lock(:u);
select point_change(:u, 'CHARGE', 10, 'c' || :h::text) as balance \gset
select key_store(:u, 'c' || :h::text, sha256('charge'), jsonb_build_object('amount', 10, 'balance', :balance::bigint));
commit;
