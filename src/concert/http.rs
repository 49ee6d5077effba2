//! The HTTP routes of the catalogue. They need no authentication.

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
use crate::http::server::fast_path::FastPath;
use crate::pagination::{ListPaging, Page};
use crate::store::id::{ConcertId, ScheduleId};

/// An answer that any cache may keep for 1 s, since it is the same for all clients.
type Fresh<T> = ([(HeaderName, &'static str); 1], Json<T>);

fn fresh<T>(body: T) -> Fresh<T> {
    ([(CACHE_CONTROL, "public, max-age=1")], Json(body))
}

/// The fast path of seat maps: answers from bodies that are already rendered.
#[must_use]
pub fn seat_map_fast_path(maps: Maps) -> FastPath {
    map::http::seat_map_fast_path(maps)
}

/// The routes of the catalogue, including the seat map.
pub fn routes(catalogue: Catalogue, maps: Maps) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(concerts))
        .routes(routes!(concert))
        .routes(routes!(schedules))
        .routes(routes!(schedule))
        .with_state(catalogue)
        .merge(map::http::routes(maps))
}

/// Filters for the list of concerts.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ConcertQuery {
    /// Only concerts with this status.
    #[garde(skip)]
    #[param(inline)]
    status: Option<ConcertStatus>,
    /// Only concerts with a date whose sale is not over. `OPEN`: the sale of at least one date has
    /// opened; the latest opening comes first. `UPCOMING`: no sale has opened; the next opening
    /// comes first.
    #[garde(skip)]
    #[param(inline)]
    sale: Option<Sale>,
}

/// Filters for the dates of a concert.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ScheduleQuery {
    /// Only dates whose sale is not over, the next date first (`UPCOMING`), or dates whose sale is
    /// over, the latest date first (`PAST`).
    #[garde(skip)]
    #[param(inline)]
    dates: Option<Dates>,
}

/// List concerts.
///
/// Public, at most 1 s old. In order of ids, or with `sale` in order of the opening of their sales.
#[utoipa::path(
    get, path = "/v1/concerts", tag = "Catalogue", params(ConcertQuery, PageQuery),
    responses((status = 200, description = "A page of concerts", body = Page<Concert>)),
)]
async fn concerts(
    State(catalogue): State<Catalogue>,
    uri: Uri,
) -> Result<Fresh<Page<Concert>>, Problem> {
    let query = uri.query().unwrap_or_default();
    let (ConcertQuery { status, sale }, paging) =
        parse_filtered(query, |filters: &ConcertQuery| filters.sale.is_some())?;
    let page = match (sale, paging) {
        (Some(sale), ListPaging::ByTime(paging)) => {
            catalogue.concerts_by_sale(sale, status, paging).await?
        }
        (_, paging) => catalogue.concerts(status, paging.by_id()).await?,
    };
    Ok(fresh(page))
}

/// Get a concert.
///
/// Public, at most 1 s old.
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

/// List the schedules of a concert.
///
/// Public, at most 1 s old. In order of ids, or with `dates` in order of the dates. Each has its
/// phase, prices and seat counts.
#[utoipa::path(
    get, path = "/v1/concerts/{id}/schedules", tag = "Catalogue",
    params(("id" = ConcertId, Path, description = "The concert"), ScheduleQuery, PageQuery),
    responses(
        (status = 200, description = "A page of schedules", body = Page<ScheduleView>),
        (status = 404, description = "`concert_not_found`"),
    ),
)]
async fn schedules(
    State(catalogue): State<Catalogue>,
    Path(id): Path<ConcertId>,
    uri: Uri,
) -> Result<Fresh<Page<ScheduleView>>, Problem> {
    let query = uri.query().unwrap_or_default();
    let (ScheduleQuery { dates }, paging) =
        parse_filtered(query, |filters: &ScheduleQuery| filters.dates.is_some())?;
    let page = match (dates, paging) {
        (Some(dates), ListPaging::ByTime(paging)) => {
            catalogue.concert(id).await?;
            catalogue.dates(id, dates, paging).await?
        }
        (_, paging) => catalogue.schedules(id, paging.by_id()).await?,
    };
    Ok(fresh(page))
}

/// Get a schedule: its times, phase, prices and seat counts.
///
/// Public, at most 1 s old. Countdowns should use `server_time` as the current time.
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
