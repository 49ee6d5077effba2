use chrono::DateTime;

use super::*;
use crate::pagination::{Page, encode_id};

#[test]
fn a_list_is_read_page_by_page_to_its_end() {
    let all: Vec<i64> = (1..=5).collect();
    let (mut seen, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let paging = parse_paging(&query).unwrap();
        let after = paging.after.unwrap_or(0);
        let fetch = usize::try_from(paging.fetch()).unwrap();
        let rows = all.iter().copied().filter(|id| *id > after).take(fetch).collect();
        let page = paging.page(rows, |id| *id);
        assert!(page.items.len() <= 2);
        seen.extend(page.items);
        match page.next_cursor {
            Some(cursor) => query = format!("limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, all);
}

#[test]
fn the_last_page_has_no_cursor_even_if_it_is_full() {
    let page = Paging { limit: 2, after: None }.page(vec![1, 2], |id| *id);
    assert_eq!(page, Page { items: vec![1, 2], next_cursor: None });
}

#[test]
fn a_list_in_order_of_a_time_continues_after_the_last_item_of_its_page() {
    let at =
        |micros: i64, id| TimeCursor { time: DateTime::from_timestamp_micros(micros).unwrap(), id };
    let all = [at(1, 9), at(5, 2), at(5, 3)];
    let paging = parse_time_paging("limit=2").unwrap();
    let page = paging.page(all.to_vec(), |item| *item);
    assert_eq!(page.items, all[..2]);
    let query = format!("cursor={}", page.next_cursor.unwrap());
    assert_eq!(parse_time_paging(&query).unwrap().after, Some(at(5, 2)));
    assert_eq!(TimePaging { limit: 3, after: None }.page(all.to_vec(), |i| *i).next_cursor, None);
    // Cursors of lists in order of ids, and invented ones, including one with a time before 1970.
    for cursor in ["", "AAAA", &encode_id(7), &"_".repeat(22), &"A".repeat(43)] {
        let refused = parse_time_paging(&format!("cursor={cursor}")).unwrap_err();
        assert_eq!(refused.code(), "invalid_request", "{cursor}");
    }
}

#[test]
fn an_invalid_limit_or_cursor_is_refused() {
    assert_eq!(parse_paging("").unwrap(), Paging { limit: 50, after: None });
    for query in ["limit=0", "limit=201", "limit=x", "cursor=", "cursor=%20", "cursor=AAAA"] {
        assert_eq!(parse_paging(query).unwrap_err().code(), "invalid_request", "{query}");
    }
}
