//! The HTTP routes that remove test events.

use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::Removal;
use super::service::Removals;
use crate::admin::seat::change::model::DryRun;
use crate::http::api::auth::Admin;
use crate::http::api::body::{Json, Path, Query};
use crate::http::api::precondition::IfMatch;
use crate::http::api::problem::Problem;
use crate::store::id::{ConcertId, ScheduleId};

/// The routes of removals.
pub(in crate::admin) fn routes(removals: Removals) -> OpenApiRouter {
    let routes = OpenApiRouter::new().routes(routes!(remove_concert));
    routes.routes(routes!(remove_schedule)).with_state(removals)
}

/// Remove a concert with all its schedules.
///
/// For test events: refused while a seat of any schedule is paid, or held by a buyer who may still
/// pay. From the answer on, nobody can see, join or buy; those who wait get `EXPIRED`. Rows and keys
/// are deleted in the following seconds or, for large ones, minutes. Repeating it is safe, and answers
/// what is left; at the end `404`.
#[utoipa::path(
    delete, path = "/v1/admin/concerts/{id}", tag = "Administration", security(("bearer" = ["admin"])),
    params(("id" = ConcertId, Path, description = "The concert"), DryRun,
           ("If-Match" = Option<String>, Header)),
    responses(
        (status = 202, description = "What is being removed, or would be", body = Removal),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`concert_not_found`: also when it is removed"),
        (status = 409, description = "`has_buyers` with `paid` and `held`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
    ),
)]
async fn remove_concert(
    State(removals): State<Removals>,
    Admin(caller): Admin,
    Path(id): Path<ConcertId>,
    Query(DryRun { dry_run }): Query<DryRun>,
    IfMatch(expected): IfMatch,
) -> Result<(StatusCode, Json<Removal>), Problem> {
    let removal = removals.remove_concert(caller.user, id, &expected, dry_run).await?;
    Ok((StatusCode::ACCEPTED, Json(removal)))
}

/// Remove a schedule.
///
/// As for a concert.
#[utoipa::path(
    delete, path = "/v1/admin/schedules/{id}", tag = "Administration", security(("bearer" = ["admin"])),
    params(("id" = ScheduleId, Path, description = "The schedule"), DryRun,
           ("If-Match" = Option<String>, Header)),
    responses(
        (status = 202, description = "What is being removed, or would be", body = Removal),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`: also when it is removed"),
        (status = 409, description = "`has_buyers` with `paid` and `held`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
    ),
)]
async fn remove_schedule(
    State(removals): State<Removals>,
    Admin(caller): Admin,
    Path(id): Path<ScheduleId>,
    Query(DryRun { dry_run }): Query<DryRun>,
    IfMatch(expected): IfMatch,
) -> Result<(StatusCode, Json<Removal>), Problem> {
    let removal = removals.remove_schedule(caller.user, id, &expected, dry_run).await?;
    Ok((StatusCode::ACCEPTED, Json(removal)))
}
