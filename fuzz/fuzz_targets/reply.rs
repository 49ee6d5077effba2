//! What Redis answers to a script, from its bytes to what the line and the seats make of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onsale::seats::redis::claim;
use onsale::queue::redis::JoinReply;
use onsale::store::script::Reply;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = redis::parse_redis_value(bytes) else { return };
    let Ok(reply) = Reply::read(value) else { return };
    // Both read whatever it is, and say so where it is nothing of theirs.
    let _ = (JoinReply::read(&reply), claim(&reply));
    let _ = reply.rest::<i64>(0);
});
