-- Holds 4 seats as onsale does, with one call. Needs -D i=0 schedule seat user hold. Each hold takes the next
-- 4 seats, and each user makes 10 holds.
\set n :client_id + 8 * :i
\set i :i + 1
\set u :user + :n / 10
\set h :hold + :n
\set s0 :seat + 4 * :n + 0
\set s1 :seat + 4 * :n + 1
\set s2 :seat + 4 * :n + 2
\set s3 :seat + 4 * :n + 3
select * from write_hold(:u, 'h' || :h::text, sha256('hold'), :schedule, lpad(:h::text, 32, '0')::uuid, :n, array[:s0, :s1, :s2, :s3]::bigint[], 5, 3);
