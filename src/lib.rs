//! onsale: a ticket-sale engine. The modules, in the order a buyer meets them.

/// What the service speaks: problems, callers, pages, limits, and the API's description.
pub mod http;
/// The two stores: connections, transactions, and how they fail.
pub mod store;
