//! What an operator looks at on the night: who is next, and whether all that it rests on is well.

pub mod http;
pub mod model;
pub mod service;
