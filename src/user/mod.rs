//! Users: sign-up, access tokens, and the user that a token identifies.

pub mod http;
pub mod jwks;
pub mod keys;
pub mod model;
pub mod pg;
mod provided;
pub mod recovery;
pub mod rehearsal_pass;
pub mod service;
pub mod session;
pub mod sign_up_error;
pub mod token;
pub mod token_error;
