//! Conversions between counts, floating-point numbers and text.

/// A count as a floating-point number.
#[expect(clippy::cast_precision_loss, reason = "a count is far below 2^52")]
pub fn float(count: u64) -> f64 {
    count as f64
}

/// A duration in milliseconds as a floating-point number.
#[expect(clippy::cast_precision_loss, reason = "a time is far below 2^52 ms")]
pub fn float_ms(millis: i64) -> f64 {
    millis as f64
}

/// The nearest count. Negative numbers are 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and negative counts are 0"
)]
pub fn count(number: f64) -> u64 {
    number.round() as u64
}

/// The smallest count that is not below `number`. Negative numbers are 0.
pub fn ceiling(number: f64) -> u64 {
    count(number.ceil())
}

/// The largest count that is not above `number`. Negative numbers are 0.
pub fn floor(number: f64) -> u64 {
    count(number.floor())
}

/// The nearest number of milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
pub fn millis(number: f64) -> i64 {
    number.round() as i64
}

/// A count with its thousands apart.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}
