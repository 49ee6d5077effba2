//! What API handlers share: problems, callers, bodies, pages of lists, content negotiation, and the
//! OpenAPI description.

pub mod auth;
pub mod body;
pub mod compression;
pub mod negotiation;
pub mod openapi;
pub mod pagination;
pub mod problem;
