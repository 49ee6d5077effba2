//! The catalogue over HTTP, open to everybody.

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use garde::Validate;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::map;
use super::map::http::Maps;
use super::model::{Concert, ConcertStatus};
use super::service::{Catalogue, CatalogueError};
use super::view::ScheduleView;
use crate::http::body::{Json, Path};
use crate::http::page::{Filtered, Page, PageQuery, Paging};
use crate::http::problem::{Problem, ProblemCode};
use crate::http::shortcut::Shortcut;
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
}

/// Concerts, in order of their ids.
///
/// Public, at most a second old. `?status=` keeps only the concerts of one status.
#[utoipa::path(
    get, path = "/v1/concerts", tag = "Catalogue", params(Which, PageQuery),
    responses((status = 200, description = "A page of them", body = Page<Concert>)),
)]
async fn concerts(
    State(catalogue): State<Catalogue>,
    Filtered(Which { status }, paging): Filtered<Which>,
) -> Result<Fresh<Page<Concert>>, Problem> {
    Ok(fresh(catalogue.concerts(status, paging).await?))
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

/// The schedules of a concert, in order of their ids.
///
/// Public, at most a second old. Each has its phase, prices and seat counts.
#[utoipa::path(
    get, path = "/v1/concerts/{id}/schedules", tag = "Catalogue",
    params(("id" = ConcertId, Path, description = "The concert"), PageQuery),
    responses(
        (status = 200, description = "A page of them", body = Page<ScheduleView>),
        (status = 404, description = "`concert_not_found`"),
    ),
)]
async fn schedules(
    State(catalogue): State<Catalogue>,
    Path(id): Path<ConcertId>,
    paging: Paging,
) -> Result<Fresh<Page<ScheduleView>>, Problem> {
    Ok(fresh(catalogue.schedules(id, paging).await?))
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
