//! The HTTP route of the best available seats. It needs no authentication.

use std::str::FromStr;

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use garde::Validate;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::choice::SeatChoices;
use super::service::choose_seats;
use crate::concert::service::Catalogue;
use crate::http::api::body::{Json, Path, Query};
use crate::http::api::problem::{FieldError, Problem};
use crate::reservation::model::{Best, BestSeats, MAX_PRICE_RANGES, MAX_SEATS, are_ranges};
use crate::store::id::{ScheduleId, SeatId};

/// The route of the best available seats.
pub fn routes(catalogue: Catalogue, choices: SeatChoices) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(best_seats)).with_state((catalogue, choices))
}

#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct BestQuery {
    /// Number of seats.
    #[garde(range(min = 1, max = MAX_SEATS))]
    #[param(minimum = 1, maximum = 100)]
    quantity: usize,
    /// Only seats in this section.
    #[garde(inner(length(chars, min = 1, max = 50)))]
    #[param(min_length = 1, max_length = 50)]
    section: Option<String>,
    /// Only seats with at most this price, in points.
    #[garde(inner(range(min = 0)))]
    #[param(minimum = 0)]
    max_price: Option<i64>,
    /// Price ranges to exclude: up to 20 of `low-high`, separated by commas.
    #[garde(skip)]
    exclude_prices: Option<String>,
    /// Ids of seats to exclude: up to 100, separated by commas.
    #[garde(skip)]
    except: Option<String>,
}

/// Find the best free seats.
///
/// Public, at most 1 s old. A hold with the same `quantity`, `section`, `max_price` and
/// `exclude_prices` tries these seats first. Empty if there are too few. Nothing is held.
#[utoipa::path(get, path = "/v1/schedules/{id}/seats/best", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule"), BestQuery),
    responses((status = 200, description = "At most 1 s old", body = BestSeats),
              (status = 404, description = "`schedule_not_found`")))]
async fn best_seats(
    State((catalogue, choices)): State<(Catalogue, SeatChoices)>,
    Path(id): Path<ScheduleId>,
    Query(query): Query<BestQuery>,
) -> Result<([(HeaderName, &'static str); 1], Json<BestSeats>), Problem> {
    let BestQuery { quantity, section, max_price, exclude_prices, except } = query;
    let exclude_prices = parse_list(exclude_prices.as_deref(), MAX_PRICE_RANGES, parse_range)
        .filter(|ranges| are_ranges(ranges))
        .ok_or_else(|| invalid("/exclude_prices", "up to 20 of low-high, separated by commas"))?;
    let except = parse_list(except.as_deref(), MAX_SEATS, |id| i64::from_str(id).ok().map(SeatId))
        .ok_or_else(|| invalid("/except", "up to 100 seat ids, separated by commas"))?;
    let best = Best { quantity, section, max_price, exclude_prices };
    let chosen = choose_seats(&catalogue, &choices, id, &best, &except).await?;
    Ok(([(CACHE_CONTROL, "public, max-age=1")], Json(chosen)))
}

fn invalid(pointer: &str, detail: &str) -> Problem {
    let (pointer, detail) = (pointer.to_owned(), detail.to_owned());
    Problem::invalid_request(vec![FieldError { pointer, detail }])
}

/// Parses items separated by commas. `None` if there are more than `limit`, or if `parse` rejects
/// one.
fn parse_list<T>(
    text: Option<&str>,
    limit: usize,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    let items = text.filter(|text| !text.is_empty()).map(|text| text.split(','));
    // One item more than the limit shows that there are too many, without parsing the rest.
    let items: Vec<T> =
        items.into_iter().flatten().take(limit + 1).map(parse).collect::<Option<_>>()?;
    (items.len() <= limit).then_some(items)
}

/// Parses `low-high`.
fn parse_range(text: &str) -> Option<[i64; 2]> {
    let (low, high) = text.split_once('-')?;
    Some([low.parse().ok()?, high.parse().ok()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_with_an_invalid_item_is_rejected_as_a_whole() {
        let parse = |text| parse_list(text, 2, parse_range);
        assert_eq!(parse(None), Some(vec![]));
        assert_eq!(parse(Some("")), Some(vec![]));
        assert_eq!(parse(Some("5-7,9-9")), Some(vec![[5, 7], [9, 9]]));
        for text in ["5", "5-", "-5", "5-7,", "a-b", "1-1,2-2,3-3", "5-99999999999999999999"] {
            assert_eq!(parse(Some(text)), None, "{text}");
        }
    }
}
