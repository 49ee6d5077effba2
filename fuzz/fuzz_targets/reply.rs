//! Replies of Redis to scripts, from bytes to the replies of joins and claims.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onsale::queue::redis::JoinReply;
use onsale::seats::redis::claim;
use onsale::store::script::Reply;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = redis::parse_redis_value(bytes) else { return };
    let Ok(reply) = Reply::read(value) else { return };
    // Both must accept any reply, and return an error for one that they do not know.
    let _ = (JoinReply::read(&reply), claim(&reply));
    let _ = reply.rest::<i64>(0);
});
