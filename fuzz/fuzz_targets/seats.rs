//! Lists of new seats: an accepted list is complete and within its limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onsale::admin::seat::model::{Columns, MAX_PER_CALL, NewSeats};
use onsale::http::api::body::Json;

fuzz_target!(|text: &[u8]| {
    let Ok(Json(new)) = Json::<NewSeats>::read(text) else { return };
    let Ok(columns) = Columns::of(new) else { return };
    let seats = columns.prices.len();
    assert!((1..=MAX_PER_CALL).contains(&seats));
    assert_eq!((columns.sections.len(), columns.rows.len()), (seats, seats));
    assert!(columns.prices.iter().all(|price| *price >= 0));
});
