//! Feedback admission: the admission rate of a sale follows a target, between bounds that an operator
//! set. One process at a time checks the rates; the rules are in `onsale_model::auto_rate`.

pub mod controller;
pub mod model;
pub mod pg;
