//! What an erasure takes, and what the person would lose.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::rules::storable;

/// An erasure of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// Whether the person gives up paid seats of concerts to come, and their balance. Nobody can use
    /// either afterwards.
    #[garde(skip)]
    pub give_up_entitlements: bool,
    /// Why, for the audit; 1 to 500 characters. Do not name the person in it.
    #[garde(length(chars, min = 1, max = 500), custom(storable))]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// What a person has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entitlements {
    /// Seats that wait for payment.
    pub held_seats: i64,
    /// Paid seats of concerts to come.
    pub tickets: i64,
    /// Balance in points.
    pub balance: i64,
}

impl Entitlements {
    /// Whether the person can be erased. Holds end by themselves within their time.
    #[must_use]
    pub fn allow(self, erasure: &Erasure) -> bool {
        let none = self.tickets == 0 && self.balance == 0;
        self.held_seats == 0 && (none || erasure.give_up_entitlements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_never_given_up_and_the_rest_only_by_consent() {
        let erasure =
            |give_up_entitlements| Erasure { give_up_entitlements, reason: "asked".to_owned() };
        let none = Entitlements { held_seats: 0, tickets: 0, balance: 0 };
        assert!(none.allow(&erasure(false)));
        for one in [Entitlements { tickets: 1, ..none }, Entitlements { balance: 1, ..none }] {
            assert!(!one.allow(&erasure(false)), "{one:?}");
            assert!(one.allow(&erasure(true)), "{one:?}");
        }
        assert!(!Entitlements { held_seats: 1, ..none }.allow(&erasure(true)));
    }
}
