//! How a sale goes: a discrete-event simulation of its buyers on the model of the queue.
//!
//! People arrive, poll as the service paces them, are admitted by [`crate::queue`], choose seats,
//! and pay or do not. A run depends only on its input and its seed. A sale of more people than
//! [`LARGEST`] is simulated at a scale: people, seats, capacity and rate are divided by it.

mod auto;
mod crowd;
mod ends;
mod input;
mod plot;
mod range;
mod rank;
mod recommend;
mod run;
pub mod rush;
mod seats;
mod series;
mod summary;
#[cfg(test)]
mod tests;
mod text;

pub use crowd::Person;
pub use ends::Ends;
pub use input::{Arrivals, AutoSale, Crowd, Curve, LARGEST, SaleRules, SimulationInput, Takes};
pub use plot::Plot;
pub use range::Range;
pub use recommend::{Recommendation, recommend, recommend_watched};
pub use run::Run;
pub use series::{Sample, Series};
pub use summary::{Summary, Times};
