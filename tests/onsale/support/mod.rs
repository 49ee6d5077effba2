//! What tests share: private stores, processes, and clients that call them.

pub mod client;
pub mod crowd;
pub mod disk;
pub mod draw;
pub mod events;
pub mod faults;
pub mod kept;
pub mod parts;
pub mod patch;
pub mod program;
pub mod provider;
pub mod proxy;
pub mod queue;
pub mod rush;
pub mod sale;
pub mod sampler;
pub mod servers;
pub mod shape;
pub mod state;
pub mod wait;
pub mod wire;
pub mod world;
