//! Query strings of lists: an accepted cursor can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onsale::http::api::pagination::parse_paging;

fuzz_target!(|query: &str| {
    let Ok(paging) = parse_paging(query) else { return };
    assert!((1..=200).contains(&paging.limit));
    let Some(after) = paging.after else { return };
    let full = vec![after; usize::from(paging.limit) + 1];
    let next = paging.page(full, |id| *id).next_cursor.expect("one more than fits");
    let again = parse_paging(&format!("cursor={next}")).expect("a valid cursor");
    assert_eq!(again.after, Some(after));
});
