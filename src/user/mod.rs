//! People: sign-up, access tokens, and who a token speaks for.

pub mod http;
pub mod jwks;
pub mod model;
pub mod pg;
pub mod service;
pub mod token;
