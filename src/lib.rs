//! onsale: a ticket-sale engine. The modules, in the order a buyer meets them.

pub mod store;
