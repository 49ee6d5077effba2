//! The signing keys of tickets and codes, from the settings.

use crate::config::Settings;
use crate::queue::ticket::jwt::TicketKeys;
use crate::queue::ticket::short_code::{CodeKeys, Purpose};

fn secrets(settings: &Settings) -> Vec<String> {
    settings.queue.queue_secrets.iter().map(|secret| secret.reveal().to_owned()).collect()
}

/// The keys of tickets.
pub(super) fn tickets(settings: &Settings) -> TicketKeys {
    TicketKeys::new(&secrets(settings), &settings.access.jwt_issuer)
}

/// The keys of codes for `purpose`.
pub(super) fn codes(settings: &Settings, purpose: Purpose) -> CodeKeys {
    CodeKeys::new(purpose, &secrets(settings), &settings.access.jwt_issuer)
}
