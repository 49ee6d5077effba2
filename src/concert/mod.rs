//! The catalogue: concerts, their schedules and seats, and the public seat map.

pub mod audience;
pub mod http;
pub mod layout;
pub mod map;
pub mod model;
pub mod pg;
pub mod queue_settings;
pub mod sale_settings;
pub mod service;
pub mod view;
