-- Pays a hold of 4 seats as onsale does, with one call.
\set n :client_id + 8 * :i
\set i :i + 1
\set u :user + :n / 10
\set h :hold + :n
select * from settle_payment(:u, 'p' || :h::text, sha256('pay'), lpad(:h::text, 32, '0')::uuid, null);
