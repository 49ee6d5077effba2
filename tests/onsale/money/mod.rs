//! Points, payments and idempotency keys.

pub mod calls;
pub mod charges;
pub mod checkout;
pub mod cut_off;
pub mod hangups;
pub mod plans;
pub mod plans_at_size;
pub mod points;
pub mod repeats;
pub mod silent;
pub mod sql_functions;
pub mod stored_forms;
