//! The HTTP routes that manage concerts, schedules and queue settings. The routes of seats, figures
//! and the audit are in the modules beside this one.

mod problems;

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{ConcertChange, NewConcert, NewSchedule, TimesChange};
use super::service::SaleAdmin;
use super::services::AdminServices;
use super::settings::QueueChange;
use super::state::{AdminConcert, ScheduleSettings, ScheduleState};
use super::{
    alerts as sale_alerts, box_office, catalogue, export, forecast, history as sale_history,
    person, publish, removal, sales_report, seat, stats, watch,
};
use crate::concert::model::QueueSettings;
use crate::http::api::auth::{Admin, Operator, Viewer};
use crate::http::api::body::{Json, Path, created};
use crate::http::api::precondition::{IfMatch, tagged};
use crate::http::api::problem::Problem;
use crate::precondition::EntityTag;
use crate::store::id::{ConcertId, ScheduleId};

/// The routes of administration.
pub fn routes(admin: AdminServices) -> OpenApiRouter {
    let AdminServices { sales, seats, figures, audit, reports, watch, .. } = admin.clone();
    OpenApiRouter::new()
        .routes(routes!(create_concert))
        .routes(routes!(change_concert))
        .routes(routes!(create_schedule))
        .routes(routes!(change_times))
        .routes(routes!(queue, change_queue))
        .with_state(sales)
        .merge(catalogue::http::routes(admin.catalogue))
        .merge(publish::http::routes(admin.publisher))
        .merge(removal::http::routes(admin.removals))
        .merge(seat::http::routes(seats))
        .merge(seat::change::http::routes(admin.seat_editor))
        .merge(stats::http::routes(figures, audit))
        .merge(sale_alerts::http::routes(admin.alerts))
        .merge(sale_history::http::routes(admin.history))
        .merge(watch::http::routes(watch))
        .merge(forecast::http::routes(admin.forecasts))
        .merge(sales_report::http::routes(reports))
        .merge(box_office::http::routes(admin.box_office))
        .merge(export::http::routes(admin.exports))
        .merge(person::http::routes(admin.people))
}

/// Create a concert.
///
/// The new concert has no schedules. As a `draft` it is visible to administrators only.
#[utoipa::path(
    post, path = "/v1/admin/concerts", tag = "Administration", security(("bearer" = ["admin"])),
    request_body = NewConcert,
    responses(
        (status = 201, description = "Created", body = AdminConcert,
         headers(("Location" = String, description = "The concert"),
                 ("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn create_concert(
    State(service): State<SaleAdmin>,
    Admin(caller): Admin,
    Json(new): Json<NewConcert>,
) -> Result<Response, Problem> {
    let concert = service.create_concert(caller.user, &new).await?;
    let (location, tag) = (format!("/v1/concerts/{}", concert.id), EntityTag::of(&concert));
    Ok(tagged(&tag, created(&location, Json(concert))))
}

/// Change a concert.
///
/// Fields that are absent from the body keep their values. `UNAVAILABLE` stops joins and holds at
/// once. With `If-Match` the change is refused if another one came first.
#[utoipa::path(
    patch, path = "/v1/admin/concerts/{id}", tag = "Administration", security(("bearer" = ["operator"])),
    params(("id" = ConcertId, Path, description = "The concert"),
           ("If-Match" = Option<String>, Header)),
    request_body = ConcertChange,
    responses(
        (status = 200, description = "The concert after the change", body = AdminConcert,
         headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`concert_not_found`"),
        (status = 409, description = "`being_removed`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
    ),
)]
async fn change_concert(
    State(service): State<SaleAdmin>,
    Operator(caller): Operator,
    Path(id): Path<ConcertId>,
    IfMatch(expected): IfMatch,
    Json(change): Json<ConcertChange>,
) -> Result<Response, Problem> {
    let concert = service.change_concert(caller.user, id, &expected, &change).await?;
    Ok(tagged(&EntityTag::of(&concert), Json(concert)))
}

/// Create a schedule.
///
/// Takes the times, and those queue settings that differ from the defaults. The new schedule has no
/// seats, so its phase is `UPCOMING`. As a `draft` it is visible to administrators only.
#[utoipa::path(
    post, path = "/v1/admin/concerts/{id}/schedules", tag = "Administration",
    security(("bearer" = ["admin"])),
    params(("id" = ConcertId, Path, description = "The concert")), request_body = NewSchedule,
    responses(
        (status = 201, description = "Created", body = ScheduleSettings,
         headers(("Location" = String, description = "The schedule"),
                 ("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`concert_not_found`"),
        (status = 409, description = "`being_removed`"),
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
    let location = format!("/v1/schedules/{}", schedule.id);
    let tag = EntityTag::of(&ScheduleState::from(&schedule));
    Ok(tagged(&tag, created(&location, Json(schedule))))
}

/// Change the times of a schedule.
///
/// Fields that are absent from the body keep their values. Tickets and holds stay valid.
#[utoipa::path(
    patch, path = "/v1/admin/schedules/{id}", tag = "Administration", security(("bearer" = ["operator"])),
    params(("id" = ScheduleId, Path, description = "The schedule"),
           ("If-Match" = Option<String>, Header)),
    request_body = TimesChange,
    responses(
        (status = 200, description = "The schedule after the change", body = ScheduleSettings,
         headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`being_removed`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
        (status = 422, description = "`invalid_times`"),
    ),
)]
async fn change_times(
    State(service): State<SaleAdmin>,
    Operator(caller): Operator,
    Path(id): Path<ScheduleId>,
    IfMatch(expected): IfMatch,
    Json(change): Json<TimesChange>,
) -> Result<Response, Problem> {
    let schedule = service.change_times(caller.user, id, &expected, &change).await?;
    Ok(tagged(&EntityTag::of(&ScheduleState::from(&schedule)), Json(schedule)))
}

/// Get the queue settings of a schedule.
///
/// These are the stored settings. `in_force` in `stats` shows those that Redis applies now.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/queue", operation_id = "queue_settings", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The settings", body = QueueSettings,
         headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn queue(
    State(service): State<SaleAdmin>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let settings = service.queue(id).await?;
    Ok(tagged(&EntityTag::of(&settings), Json(settings)))
}

/// Change the queue settings of a schedule.
///
/// Every process applies them within 1 s. Fields that are absent from the body keep their values.
/// `null` clears `message`.
#[utoipa::path(
    patch, path = "/v1/admin/schedules/{id}/queue", tag = "Administration",
    security(("bearer" = ["operator"])),
    params(("id" = ScheduleId, Path, description = "The schedule"),
           ("If-Match" = Option<String>, Header)),
    request_body = QueueChange,
    responses(
        (status = 200, description = "The settings after the change", body = QueueSettings,
         headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`line_is_open`: an open queue keeps its entry order; \
                                      `being_removed`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
    ),
)]
async fn change_queue(
    State(service): State<SaleAdmin>,
    Operator(caller): Operator,
    Path(id): Path<ScheduleId>,
    IfMatch(expected): IfMatch,
    Json(change): Json<QueueChange>,
) -> Result<Response, Problem> {
    let settings = service.change_queue(caller.user, id, &expected, &change).await?;
    Ok(tagged(&EntityTag::of(&settings), Json(settings)))
}
