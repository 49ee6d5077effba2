-- Charges points as onsale does, with one call. Each user makes 10 charges.
\set n :client_id + 8 * :i
\set i :i + 1
\set u :user + :n / 10
\set h :hold + :n
select * from charge_points(:u, 'c' || :h::text, sha256('charge'), 10);
