//! Folds the events of the queue's log into rows of the table `queue`. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::model::{Ended, Sequence, TicketStatus, ticket_id};
use crate::store::id::{ScheduleId, UserId};

/// The row of one queue entry. Only events with a time set that time; the table keeps the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The entry's sequence of joining.
    pub sequence: Sequence,
    /// The entry's user.
    pub user: UserId,
    /// The ticket id.
    pub token: uuid::Uuid,
    /// The status after the last event.
    pub status: TicketStatus,
    /// Time of the entry's first event.
    pub created_at: DateTime<Utc>,
    /// When the entry was first admitted.
    pub entered_at: Option<DateTime<Utc>>,
    /// When the entry ended.
    pub expired_at: Option<DateTime<Utc>>,
    /// The change of the active slot; `None` if the events do not change it.
    pub slot: Option<Slot>,
}

/// A change of an entry's active slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The entry was admitted: the end of the slot.
    Until(DateTime<Utc>),
    /// The entry was passed over and has no slot.
    Lost,
}

/// Folds events, oldest first, into one row per entry. Events that can't be parsed are skipped and
/// counted. `joined` maps a drawn sequence to the sequence of joining, which names the row.
#[must_use]
pub fn fold<'e>(
    schedule: ScheduleId,
    joined: impl Fn(Sequence) -> Sequence,
    events: impl IntoIterator<Item = &'e str>,
) -> (Vec<Row>, u64) {
    let mut rows: BTreeMap<Sequence, Row> = BTreeMap::new();
    let mut unparsed = 0;
    // 'D' marks the closing of a draw, and names no entry.
    for event in events.into_iter().filter(|event| !event.starts_with("D ")) {
        let Some(Event { sequence, user, at, what }) = parse(event) else {
            unparsed += 1;
            continue;
        };
        let sequence = joined(sequence);
        let row = rows.entry(sequence).or_insert_with(|| Row {
            sequence,
            user,
            token: ticket_id(schedule, user, sequence),
            status: TicketStatus::Waiting,
            created_at: at,
            entered_at: None,
            expired_at: None,
            slot: None,
        });
        match what {
            What::Joined => {}
            What::Admitted { until } => {
                row.status = TicketStatus::Active;
                row.entered_at.get_or_insert(at);
                row.slot = until.map(Slot::Until).or(row.slot);
            }
            What::PassedOver => {
                row.status = TicketStatus::Waiting;
                row.slot = Some(Slot::Lost);
            }
            What::Ended(ended) => {
                row.status = ended.status();
                row.expired_at = Some(at);
                // A buyer was admitted, though the time may be lost. The table keeps an earlier
                // time.
                if ended == Ended::Completed {
                    row.entered_at.get_or_insert(at);
                }
            }
        }
    }
    (rows.into_values().collect(), unparsed)
}

/// One event of the log.
struct Event {
    sequence: Sequence,
    user: UserId,
    at: DateTime<Utc>,
    what: What,
}

enum What {
    Joined,
    Admitted { until: Option<DateTime<Utc>> },
    PassedOver,
    Ended(Ended),
}

/// `<letter> <sequence> <user> <ms> [extra]`, as `lua/lib/queue` writes it.
fn parse(event: &str) -> Option<Event> {
    let mut parts = event.split(' ');
    let letter = parts.next()?;
    let sequence = Sequence(parts.next()?.parse().ok()?);
    let user = UserId(parts.next()?.parse().ok()?);
    let time = |ms: &str| DateTime::from_timestamp_millis(ms.parse().ok()?);
    let at = time(parts.next()?)?;
    let what = match letter {
        "J" => What::Joined,
        // Events of an older version do not have the end of the slot.
        "A" => What::Admitted { until: parts.next().and_then(time) },
        "P" => What::PassedOver,
        "E" => What::Ended(Ended::from_bits(parts.next()?.parse().ok()?)?),
        _ => return None,
    };
    Some(Event { sequence, user, at, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_of_one_entry_make_one_row() {
        let (rows, unparsed) = fold(
            ScheduleId(1),
            |sequence| sequence,
            [
                "J 1099511627777 7 1000",
                "J 1099511627778 8 1500",
                "A 1099511627777 7 2000",
                "E 1099511627777 7 3000 3",
                "nonsense",
                "E 1099511627779 9 1",
            ],
        );
        assert_eq!((rows.len(), unparsed), (2, 2));
        assert_eq!(rows[0].status, TicketStatus::Completed);
        assert_eq!(rows[0].created_at.timestamp_millis(), 1000);
        assert_eq!(rows[0].entered_at.unwrap().timestamp_millis(), 2000);
        assert_eq!(rows[0].expired_at.unwrap().timestamp_millis(), 3000);
        assert_eq!((rows[1].user, rows[1].status), (UserId(8), TicketStatus::Waiting));
    }

    #[test]
    fn the_last_admission_sets_the_slot_end_and_passing_over_removes_it() {
        let slot = |events: &[&str]| {
            let (rows, unparsed) = fold(ScheduleId(1), |sequence| sequence, events.iter().copied());
            assert_eq!((rows.len(), unparsed), (1, 0));
            (rows[0].status, rows[0].slot)
        };
        let until = |ms| Some(Slot::Until(DateTime::from_timestamp_millis(ms).unwrap()));
        let (admitted, again) = ("A 5 7 2000 9000", "A 5 7 4000 11000");
        assert_eq!(slot(&["J 5 7 1000"]), (TicketStatus::Waiting, None));
        assert_eq!(slot(&[admitted]), (TicketStatus::Active, until(9000)));
        assert_eq!(slot(&[admitted, "J 5 7 3000"]).1, until(9000));
        let passed_over = "P 5 7 3000";
        assert_eq!(slot(&[admitted, passed_over]), (TicketStatus::Waiting, Some(Slot::Lost)));
        assert_eq!(slot(&[admitted, passed_over, again]), (TicketStatus::Active, until(11_000)));
        assert_eq!(slot(&["A 5 7 2000"]), (TicketStatus::Active, None));
    }

    #[test]
    fn events_of_a_drawn_sequence_go_to_the_row_of_the_sequence_of_joining() {
        let joined = |drawn: Sequence| if drawn.0 > 90 { Sequence(drawn.0 - 90) } else { drawn };
        let events = ["J 5 7 1000", "D 9", "A 95 7 2000", "E 95 7 3000 2"];
        let (rows, unparsed) = fold(ScheduleId(1), joined, events);
        assert_eq!((rows.len(), unparsed), (1, 0));
        assert_eq!((rows[0].sequence, rows[0].status), (Sequence(5), TicketStatus::Left));
        assert_eq!(rows[0].token, ticket_id(ScheduleId(1), UserId(7), Sequence(5)));
    }
}
