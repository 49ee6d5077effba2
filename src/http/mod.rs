//! What every route shares: problems, callers, bodies, pages, limits, and the API's description.

pub mod auth;
pub mod body;
pub mod changes;
pub mod cors;
pub mod gate;
pub mod guard;
pub mod layers;
pub mod negotiate;
pub mod object;
pub mod openapi;
pub mod packing;
pub mod page;
pub mod problem;
pub mod remembered;
pub mod serve;
pub mod shortcut;
pub mod stream;
mod unread;
