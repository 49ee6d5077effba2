//! The HTTP routes that publish drafts.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Publication, PublishSchedule};
use super::service::Publisher;
use crate::admin::state::AdminConcert;
use crate::http::api::auth::Admin;
use crate::http::api::body::{Json, Path};
use crate::http::api::precondition::{IfMatch, tagged};
use crate::http::api::problem::Problem;
use crate::precondition::EntityTag;
use crate::store::id::{ConcertId, ScheduleId};

/// The routes of publishing.
pub(in crate::admin) fn routes(publisher: Publisher) -> OpenApiRouter {
    let routes = OpenApiRouter::new().routes(routes!(publish_concert));
    routes.routes(routes!(publish_schedule)).with_state(publisher)
}

/// Publish a concert.
///
/// Everybody sees it from then on; this is final. Its schedules that are drafts stay drafts. A
/// published concert does not change.
#[utoipa::path(
    post, path = "/v1/admin/concerts/{id}/publish", tag = "Administration",
    security(("bearer" = ["admin"])),
    params(("id" = ConcertId, Path, description = "The concert"),
           ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The published concert", body = AdminConcert,
         headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`concert_not_found`"),
        (status = 409, description = "`being_removed`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
    ),
)]
async fn publish_concert(
    State(publisher): State<Publisher>,
    Admin(caller): Admin,
    Path(id): Path<ConcertId>,
    IfMatch(expected): IfMatch,
) -> Result<Response, Problem> {
    let concert = publisher.publish_concert(caller.user, id, &expected).await?;
    Ok(tagged(&EntityTag::of(&concert), Json(concert)))
}

/// Publish a schedule.
///
/// Everybody sees it from then on; this is final. If its sale would be impossible, it is refused
/// with every reason; `dry_run` lists the reasons and changes nothing. Warnings do not keep it from
/// being published. A published schedule does not change.
#[utoipa::path(
    post, path = "/v1/admin/schedules/{id}/publish", tag = "Administration",
    security(("bearer" = ["admin"])),
    params(("id" = ScheduleId, Path, description = "The schedule"),
           ("If-Match" = Option<String>, Header)),
    request_body = PublishSchedule,
    responses(
        (status = 200, description = "Published, or after a dry run what keeps it from being so",
         body = Publication, headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`not_publishable` with `obstacles`; `being_removed`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
    ),
)]
async fn publish_schedule(
    State(publisher): State<Publisher>,
    Admin(caller): Admin,
    Path(id): Path<ScheduleId>,
    IfMatch(expected): IfMatch,
    Json(how): Json<PublishSchedule>,
) -> Result<Response, Problem> {
    let (done, state) = publisher.publish_schedule(caller.user, id, &expected, how).await?;
    Ok(tagged(&EntityTag::of(&state), Json(done)))
}
