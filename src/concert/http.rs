//! The catalogue over HTTP, open to everybody.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, Uri};
use garde::Validate;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::map;
use super::map::http::Maps;
use super::model::{Concert, ConcertStatus, Dates, Sale};
use super::service::{Catalogue, CatalogueError};
use super::view::ScheduleView;
use crate::http::api::body::{Json, Path};
use crate::http::api::pagination::{PageQuery, parse_filtered};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::http::server::fast_path::Shortcut;
use crate::pagination::{ListPaging, Page};
use crate::store::id::{ConcertId, ScheduleId};

/// Every answer here is for everybody, and at most a second old.
type Fresh<T> = ([(HeaderName, &'static str); 1], Json<T>);

fn fresh<T>(body: T) -> Fresh<T> {
    ([(CACHE_CONTROL, "public, max-age=1")], Json(body))
}

/// The shortcut of seat maps that were rendered already.
#[must_use]
pub fn shortcut(maps: Maps) -> Shortcut {
    map::http::shortcut(maps)
}

/// The routes of the catalogue, the seat map among them.
pub fn routes(catalogue: Catalogue, maps: Maps) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(concerts))
        .routes(routes!(concert))
        .routes(routes!(schedules))
        .routes(routes!(schedule))
        .with_state(catalogue)
        .merge(map::http::routes(maps))
}

/// Which concerts.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those of this status.
    #[garde(skip)]
    #[param(inline)]
    status: Option<ConcertStatus>,
    /// Only those with a date whose sale is not over: `OPEN` where the sale of a date has opened, in
    /// order of the latest opening; `UPCOMING` where none has, in order of the next opening.
    #[garde(skip)]
    #[param(inline)]
    sale: Option<Sale>,
}

/// Which dates of a concert.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct WhichDates {
    /// Only those whose sale is not over, the next date first (`UPCOMING`), or is over, the latest
    /// date first (`PAST`).
    #[garde(skip)]
    #[param(inline)]
    dates: Option<Dates>,
}

/// Concerts, in order of their ids, or with `sale` of what can be bought now.
///
/// Public, at most a second old. `?status=` keeps only the concerts of one status.
#[utoipa::path(
    get, path = "/v1/concerts", tag = "Catalogue", params(Which, PageQuery),
    responses((status = 200, description = "A page of them", body = Page<Concert>)),
)]
async fn concerts(
    State(catalogue): State<Catalogue>,
    uri: Uri,
) -> Result<Fresh<Page<Concert>>, Problem> {
    let query = uri.query().unwrap_or_default();
    let (Which { status, sale }, paging) =
        parse_filtered(query, |which: &Which| which.sale.is_some())?;
    let page = match (sale, paging) {
        (Some(sale), ListPaging::ByTime(paging)) => {
            catalogue.concerts_by_sale(sale, status, paging).await?
        }
        (_, paging) => catalogue.concerts(status, paging.by_id()).await?,
    };
    Ok(fresh(page))
}

/// One concert.
///
/// Public, at most a second old.
#[utoipa::path(
    get, path = "/v1/concerts/{id}", tag = "Catalogue",
    params(("id" = ConcertId, Path, description = "The concert")),
    responses(
        (status = 200, description = "The concert", body = Concert),
        (status = 404, description = "`concert_not_found`"),
    ),
)]
async fn concert(
    State(catalogue): State<Catalogue>,
    Path(id): Path<ConcertId>,
) -> Result<Fresh<Concert>, Problem> {
    Ok(fresh(catalogue.concert(id).await?))
}

/// The schedules of a concert, in order of their ids, or with `dates` of when it plays.
///
/// Public, at most a second old. Each has its phase, prices and seat counts.
#[utoipa::path(
    get, path = "/v1/concerts/{id}/schedules", tag = "Catalogue",
    params(("id" = ConcertId, Path, description = "The concert"), WhichDates, PageQuery),
    responses(
        (status = 200, description = "A page of them", body = Page<ScheduleView>),
        (status = 404, description = "`concert_not_found`"),
    ),
)]
async fn schedules(
    State(catalogue): State<Catalogue>,
    Path(id): Path<ConcertId>,
    uri: Uri,
) -> Result<Fresh<Page<ScheduleView>>, Problem> {
    let query = uri.query().unwrap_or_default();
    let (WhichDates { dates }, paging) =
        parse_filtered(query, |which: &WhichDates| which.dates.is_some())?;
    let page = match (dates, paging) {
        (Some(dates), ListPaging::ByTime(paging)) => {
            catalogue.concert(id).await?;
            catalogue.dates(id, dates, paging).await?
        }
        (_, paging) => catalogue.schedules(id, paging.by_id()).await?,
    };
    Ok(fresh(page))
}

/// One schedule: times, phase, prices, and how many seats there are to be had.
///
/// Public, at most a second old. `server_time` is what countdowns count from.
#[utoipa::path(
    get, path = "/v1/schedules/{id}", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The schedule, at most 1 s old", body = ScheduleView),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn schedule(
    State(catalogue): State<Catalogue>,
    Path(id): Path<ScheduleId>,
) -> Result<Fresh<ScheduleView>, Problem> {
    Ok(fresh(catalogue.view(id).await?))
}

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::ConcertNotFound => Self::new(ProblemCode::ConcertNotFound),
            CatalogueError::ScheduleNotFound => Self::new(ProblemCode::ScheduleNotFound),
            CatalogueError::Store(error) => error.into(),
        }
    }
}
