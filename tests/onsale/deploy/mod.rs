//! The files of `deploy` with the programs that they are for.

pub mod drill;
pub mod kubernetes;
pub mod nginx;
pub mod nginx_streams;
pub mod postgresql;
pub mod rolling;
pub mod staging;
pub mod standbys;
pub mod systemd;
