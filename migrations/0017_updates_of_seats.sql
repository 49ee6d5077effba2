-- What each hold and each payment pays for the rows of seats and balances that it changes.

-- A migration that waits for a lock on seats makes holds and payments wait behind it, and these give up
-- after 1.5 s. So it gives up after 1 s, for example during a dump. It changes nothing then, and can be
-- run again.
set local lock_timeout = 1000;

-- What never changes about a seat is checked when it is written, and no longer at each hold and payment.
-- In every statement that changes rows, PostgreSQL reads all CHECK constraints of the table from their
-- stored text again, whichever columns change: these four were 4 % of a hold. A trigger for certain
-- columns costs nothing where others change. Its condition is that of the constraints; it is evaluated
-- after the row is written, and the function only refuses it.
create function seat_is_refused() returns trigger language plpgsql as $$
begin
    raise exception 'the number, section, row or price of a seat is out of range'
        using errcode = 'check_violation', table = 'seat', constraint = 'seat_in_range';
end $$;
create trigger seat_in_range after insert or update of seat_number, section, "row", seat_price on seat
    for each row when (not (new.seat_number between 1 and 200000
                            and char_length(new.section) between 1 and 50
                            and char_length(new."row") between 1 and 50
                            and new.seat_price between 0 and 1000000000))
    execute function seat_is_refused();
alter table seat
    drop constraint seat_seat_number_check,
    drop constraint seat_section_check,
    drop constraint seat_row_check,
    drop constraint seat_seat_price_check;

-- Half of each page of seats and balances is left free. A hold, a payment or a charge then writes the new
-- version of a row beside the old one, and touches none of the table's indexes: no index has a column
-- that they change. A full page takes the new version elsewhere, with an entry in each index, which are
-- three for a seat and two for a balance. This concerns pages that are filled from now on: new sales and
-- new users. Rows that exist stay where they are.
alter table seat set (fillfactor = 50);
alter table point set (fillfactor = 50);
