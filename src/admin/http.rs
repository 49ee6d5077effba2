//! The HTTP routes that manage concerts, schedules and queue settings. The routes of seats, figures
//! and the audit are in the modules beside this one.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::AdminError;
use super::model::{ConcertChange, NewConcert, NewSchedule, ScheduleSettings, TimesChange};
use super::service::SaleAdmin;
use super::services::AdminServices;
use super::settings::QueueChange;
use super::{forecast, sales_report, seat, stats, watch};
use crate::concert::model::{Concert, QueueSettings};
use crate::concert::service::CatalogueError;
use crate::http::api::auth::Admin;
use crate::http::api::body::{Json, Path, created};
use crate::http::api::problem::{FieldError, Problem, ProblemCode};
use crate::store::id::{ConcertId, ScheduleId};

/// `Retry-After` while the first report of a schedule is computed.
const REPORT_RETRY_SECONDS: u64 = 2;

/// The routes of administration.
pub fn routes(admin: AdminServices) -> OpenApiRouter {
    let AdminServices { sales, seats, figures, audit, reports, watch, forecasts } = admin;
    OpenApiRouter::new()
        .routes(routes!(create_concert))
        .routes(routes!(change_concert))
        .routes(routes!(create_schedule))
        .routes(routes!(change_times))
        .routes(routes!(queue, change_queue))
        .with_state(sales)
        .merge(seat::http::routes(seats))
        .merge(stats::http::routes(figures, audit))
        .merge(watch::http::routes(watch))
        .merge(forecast::http::routes(forecasts))
        .merge(sales_report::http::routes(reports))
}

/// Create a concert.
///
/// The new concert has no schedules.
#[utoipa::path(
    post, path = "/v1/admin/concerts", tag = "Administration", security(("bearer" = [])),
    request_body = NewConcert,
    responses(
        (status = 201, description = "Created", body = Concert,
         headers(("Location" = String, description = "The concert"))),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn create_concert(
    State(service): State<SaleAdmin>,
    Admin(caller): Admin,
    Json(new): Json<NewConcert>,
) -> Result<Response, Problem> {
    let concert = service.create_concert(caller.user, &new).await?;
    Ok(created(&format!("/v1/concerts/{}", concert.id), Json(concert)))
}

/// Change a concert.
///
/// Fields that are absent from the body keep their values. `UNAVAILABLE` stops joins and holds at
/// once.
#[utoipa::path(
    patch, path = "/v1/admin/concerts/{id}", tag = "Administration", security(("bearer" = [])),
    params(("id" = ConcertId, Path, description = "The concert")), request_body = ConcertChange,
    responses(
        (status = 200, description = "The concert after the change", body = Concert),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`concert_not_found`"),
    ),
)]
async fn change_concert(
    State(service): State<SaleAdmin>,
    Admin(caller): Admin,
    Path(id): Path<ConcertId>,
    Json(change): Json<ConcertChange>,
) -> Result<Json<Concert>, Problem> {
    Ok(Json(service.change_concert(caller.user, id, &change).await?))
}

/// Create a schedule.
///
/// Takes the times, and those queue settings that differ from the defaults. The new schedule has no
/// seats, so its phase is `UPCOMING`.
#[utoipa::path(
    post, path = "/v1/admin/concerts/{id}/schedules", tag = "Administration",
    security(("bearer" = [])),
    params(("id" = ConcertId, Path, description = "The concert")), request_body = NewSchedule,
    responses(
        (status = 201, description = "Created", body = ScheduleSettings,
         headers(("Location" = String, description = "The schedule"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`concert_not_found`"),
        (status = 422, description = "`invalid_times` unless queue_opens_at ≤ \
                                      reservation_available_at < deadline_at ≤ concert_at"),
    ),
)]
async fn create_schedule(
    State(service): State<SaleAdmin>,
    Admin(caller): Admin,
    Path(id): Path<ConcertId>,
    Json(new): Json<NewSchedule>,
) -> Result<Response, Problem> {
    let schedule = service.create_schedule(caller.user, id, &new).await?;
    Ok(created(&format!("/v1/schedules/{}", schedule.id), Json(schedule)))
}

/// Change the times of a schedule.
///
/// Fields that are absent from the body keep their values. Tickets and holds stay valid.
#[utoipa::path(
    patch, path = "/v1/admin/schedules/{id}", tag = "Administration", security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")), request_body = TimesChange,
    responses(
        (status = 200, description = "The schedule after the change", body = ScheduleSettings),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 422, description = "`invalid_times`"),
    ),
)]
async fn change_times(
    State(service): State<SaleAdmin>,
    Admin(caller): Admin,
    Path(id): Path<ScheduleId>,
    Json(change): Json<TimesChange>,
) -> Result<Json<ScheduleSettings>, Problem> {
    Ok(Json(service.change_times(caller.user, id, &change).await?))
}

/// Get the queue settings of a schedule.
///
/// These are the stored settings. `in_force` in `stats` shows those that Redis applies now.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/queue", operation_id = "queue_settings", tag = "Administration",
    security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The settings", body = QueueSettings),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn queue(
    State(service): State<SaleAdmin>,
    Admin(_): Admin,
    Path(id): Path<ScheduleId>,
) -> Result<Json<QueueSettings>, Problem> {
    Ok(Json(service.queue(id).await?))
}

/// Change the queue settings of a schedule.
///
/// Every process applies them within 1 s. Fields that are absent from the body keep their values.
/// `null` clears `message`.
#[utoipa::path(
    patch, path = "/v1/admin/schedules/{id}/queue", tag = "Administration",
    security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")), request_body = QueueChange,
    responses(
        (status = 200, description = "The settings after the change", body = QueueSettings),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`line_is_open`: an open queue keeps its entry order"),
    ),
)]
async fn change_queue(
    State(service): State<SaleAdmin>,
    Admin(caller): Admin,
    Path(id): Path<ScheduleId>,
    Json(change): Json<QueueChange>,
) -> Result<Json<QueueSettings>, Problem> {
    Ok(Json(service.change_queue(caller.user, id, &change).await?))
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::ConcertNotFound => CatalogueError::ConcertNotFound.into(),
            AdminError::ScheduleNotFound => CatalogueError::ScheduleNotFound.into(),
            AdminError::SeatNotFound => Self::new(ProblemCode::SeatNotFound),
            AdminError::InvalidTimes(detail) => Self::new(ProblemCode::InvalidTimes).detail(detail),
            AdminError::LineIsOpen => Self::new(ProblemCode::LineIsOpen),
            AdminError::SeatsInUse(seats) => {
                Self::new(ProblemCode::SeatInUse).with("seat_ids", json!(seats))
            }
            AdminError::ReportPending => {
                Self::new(ProblemCode::ReportPending).retry_after(REPORT_RETRY_SECONDS)
            }
            AdminError::Invalid { pointer, detail } => {
                Self::invalid_request(vec![FieldError { pointer, detail }])
            }
            AdminError::Store(error) => error.into(),
        }
    }
}
