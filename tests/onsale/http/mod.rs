//! The HTTP contract: codes, validation, identity, limits and connections.

pub mod access;
pub mod codes;
pub mod collector;
pub mod connections;
pub mod description;
pub mod explained;
pub mod fast_path;
pub mod fields;
pub mod hardened;
pub mod hostile;
pub mod identity;
pub mod jwks;
pub mod limits;
pub mod logging;
pub mod matrix;
pub mod otlp;
pub mod problems;
pub mod provider;
pub mod roles;
pub mod secret_files;
pub mod secrets;
pub mod sessions;
pub mod trace_settings;
pub mod traces;
pub mod wrong;
