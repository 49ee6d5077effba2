//! Searches for buyers and seats, and reads what they have.

use uuid::Uuid;

use super::model::{
    BuyerEntry, BuyerProfile, BuyerReservation, MAX_NAMES, MatchedBy, SearchAnswer, SearchHit,
    SeatProfile,
};
use super::pg::{self, buyer};
use crate::admin::box_office::error::BoxOfficeError;
use crate::pagination::{Page, Paging};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, SeatId, UserId};
use crate::store::pg::Pg;

/// Finds buyers and seats; cheap to clone.
#[derive(Debug, Clone)]
pub struct Finder {
    pg: Pg,
}

impl Finder {
    /// Creates the service.
    #[must_use]
    pub(in crate::admin::box_office) fn new(pg: Pg) -> Self {
        Self { pg }
    }

    /// Finds everything that `text` may mean: a number is the id of a user, a reservation or a
    /// payment, and with a schedule a seat number; a UUID is a hold or a ticket; and any text is the
    /// beginning of a name.
    pub async fn search(
        &self,
        text: &str,
        schedule: Option<ScheduleId>,
    ) -> Result<SearchAnswer, StoreError> {
        let text = text.trim();
        let mut items = Vec::new();
        if let Ok(id) = text.parse::<Uuid>() {
            items.extend(pg::by_hold(&self.pg, id).await?);
            items.extend(pg::by_ticket(&self.pg, id).await?);
            return Ok(SearchAnswer { items, more: false });
        }
        if let Some(id) = text.parse().ok().filter(|id| *id > 0) {
            if let Some(schedule) = schedule {
                items.extend(self.by_seat(schedule, id).await?);
            }
            items.extend(pg::by_user(&self.pg, id).await?);
            items.extend(pg::by_reservation(&self.pg, id).await?);
            items.extend(pg::by_payment(&self.pg, id).await?);
        }
        let mut named = if text.is_empty() {
            Vec::new()
        } else {
            pg::by_name(&self.pg, text, i64::from(MAX_NAMES) + 1).await?
        };
        let more = named.len() > usize::from(MAX_NAMES);
        named.truncate(usize::from(MAX_NAMES));
        items.extend(named);
        Ok(SearchAnswer { items, more })
    }

    async fn by_seat(
        &self,
        schedule: ScheduleId,
        number: i64,
    ) -> Result<Option<SearchHit>, StoreError> {
        let Ok(number) = i32::try_from(number) else {
            return Ok(None);
        };
        let Some(id) = pg::seat_numbered(&self.pg, schedule, number).await? else {
            return Ok(None);
        };
        Ok(pg::seat(&self.pg, id).await?.map(|found| SearchHit {
            matched_by: MatchedBy::Seat,
            user: found.owner,
            schedule_id: Some(found.seat.schedule_id),
            seat: Some(found.seat),
            reservation_id: found.reservation_id,
            hold_id: found.hold_id,
            payment_id: found.payment_id,
            ticket_id: None,
        }))
    }

    /// Reads a buyer.
    pub async fn buyer(&self, id: UserId) -> Result<BuyerProfile, BoxOfficeError> {
        buyer::find(&self.pg, id).await?.ok_or(BoxOfficeError::NoUser)
    }

    /// Lists a buyer's reservations, newest first.
    pub async fn reservations(
        &self,
        id: UserId,
        paging: Paging,
    ) -> Result<Page<BuyerReservation>, BoxOfficeError> {
        self.buyer(id).await?;
        let rows = buyer::reservations(&self.pg, id, paging).await?;
        Ok(paging.page(rows, |reservation| reservation.id.0))
    }

    /// Lists a buyer's queue entries, newest first.
    pub async fn entries(
        &self,
        id: UserId,
        paging: Paging,
    ) -> Result<Page<BuyerEntry>, BoxOfficeError> {
        self.buyer(id).await?;
        let rows = buyer::entries(&self.pg, id, paging).await?;
        Ok(paging.page(rows, |(row, _)| *row).map(|(_, entry)| entry))
    }

    /// Reads a seat, and who has it.
    pub async fn seat(&self, id: SeatId) -> Result<SeatProfile, BoxOfficeError> {
        pg::seat(&self.pg, id).await?.ok_or(BoxOfficeError::NoSeat)
    }
}
