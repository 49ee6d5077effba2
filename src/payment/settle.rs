//! The transactions of payments and refunds: calls of SQL functions, each of which first takes locks,
//! then reads, then writes.

use uuid::Uuid;

use super::error::PayError;
use super::model::{Paid, PayRefusal, RefundRefusal, Refunded};
use super::pg::refund::{RefundReply, RefundTerms, RefundedPayments, refund_payments};
use super::pg::{self, PayReply};
use crate::idempotency::model::{Answer, Effect, Request};
use crate::idempotency::pg as key;
use crate::outbox::model::Recorded;
use crate::queue::model::Completed;
use crate::seats::model::SeatsChanged;
use crate::store::StoreError;
use crate::store::id::{PaymentId, ScheduleId, UserId};
use crate::store::pg::single::{Call, Single};
use crate::store::pg::{Tx, Work};

/// Paying a hold: one call of `settle_payment` (`migrations/functions/settle_payment.sql`), which
/// locks, reads, writes and commits. It reads nothing from Redis.
#[derive(Debug)]
pub struct Pay<'a> {
    /// The request: the user and the idempotency key.
    pub request: &'a Request,
    /// Id of the hold.
    pub hold: Uuid,
    /// Limit of points that may be charged for the payment.
    pub charge_up_to: Option<i64>,
}

impl Call for Pay<'_> {
    type Output = PayReply;
    const FUNCTION: &'static str = "settle_payment";

    async fn run(&self, on: &mut Single) -> Result<PayReply, StoreError> {
        pg::settle_payment(on, self.request, self.hold, self.charge_up_to).await
    }
}

/// Reads the reply of `settle_payment`.
pub fn read_pay_reply(reply: PayReply) -> Result<Settled, PayError> {
    key::check_reply(&reply.word)?;
    let word = reply.word.as_str();
    if let ("OK" | "REPLAYED", Some(outcome)) = (word, reply.outcome) {
        let answer = Answer { outcome, replayed: key::is_replayed(word) };
        let PayReply { schedule, seats, completed, .. } = reply;
        return Ok(Settled { answer, schedule, seats, completed });
    }
    Err(match word {
        "NO_HOLD" => PayError::NoHold,
        word => StoreError::Inconsistent(format!("settle_payment replied {word}")).into(),
    })
}

/// The answer to a payment, and the outbox entries for Redis.
#[derive(Debug)]
pub struct Settled {
    /// The answer to the buyer.
    pub answer: Answer<Result<Paid, PayRefusal>>,
    /// The schedule of a payment or refusal that is new.
    pub schedule: Option<ScheduleId>,
    /// The change of the seats.
    pub seats: Option<Recorded<SeatsChanged>>,
    /// The queue entry that the payment completed.
    pub completed: Option<Recorded<Completed>>,
}

/// Refunding a payment: the points return to the buyer, and the seat is for sale again.
#[derive(Debug)]
pub struct Refund {
    /// The user who owns the payment.
    pub user: UserId,
    /// Id of the payment.
    pub payment: PaymentId,
}

/// A refund or its refusal, and the change of the seat, for Redis.
pub type Refunding = Effect<Result<Refunded, RefundRefusal>, Option<Recorded<SeatsChanged>>>;

impl Work for Refund {
    type Output = Refunding;
    type Error = PayError;
    const NAME: &'static str = "refund";

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, PayError> {
        refund(tx, self.user, self.payment).await
    }
}

async fn refund(tx: &mut Tx, user: UserId, payment: PaymentId) -> Result<Refunding, PayError> {
    let refused = |refusal| Ok(Effect { outcome: Err(refusal), event: None });
    let terms = RefundTerms { late: false, block: false };
    match refund_payments(tx, user, &[payment], terms).await? {
        RefundReply::NoPayment => Err(PayError::NoPayment),
        RefundReply::AlreadyRefunded => refused(RefundRefusal::AlreadyRefunded),
        RefundReply::Closed => refused(RefundRefusal::Closed),
        RefundReply::Refunded(RefundedPayments { payments, balance, change, .. }) => {
            let payment = payments
                .into_iter()
                .next()
                .ok_or_else(|| StoreError::Inconsistent("a refund has no payment".to_owned()))?;
            Ok(Effect { outcome: Ok(Refunded { payment, balance }), event: Some(change) })
        }
    }
}
