//! What Redis must still hear of, written in the transaction of the effect. Append only: whoever
//! caused the effect tells Redis at once where it can, and the relay (`upkeep::relay`) repeats it.

pub mod model;
pub mod pg;
