//! Common parts of the API's handlers: problems, callers, bodies, paging, content negotiation, and
//! the OpenAPI description.

pub mod auth;
pub mod body;
pub mod compression;
pub mod negotiation;
pub mod openapi;
pub mod pagination;
pub mod precondition;
pub mod problem;
