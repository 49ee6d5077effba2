//! The HTTP routes of new codes.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{ReissuedCode, ReissuedPlace, Reissuing};
use super::service::Reissues;
use crate::http::api::auth::BoxOffice;
use crate::http::api::body::{Json, Path};
use crate::http::api::problem::Problem;
use crate::store::id::{ScheduleId, UserId};

/// The routes of new codes.
pub fn routes(reissues: Reissues) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(reissue_place))
        .routes(routes!(reissue_recovery_code))
        .with_state(reissues)
}

/// Reissue a buyer's place in a queue.
///
/// Makes a code with which the buyer continues at `/continue#<code>`, on any device: the same place or
/// active slot, and a new session. It works once, for 15 minutes. Marks the buyer as present.
#[utoipa::path(
    post, path = "/v1/admin/box-office/buyers/{id}/places/{schedule_id}", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = UserId, Path, description = "The user"),
           ("schedule_id" = ScheduleId, Path, description = "The schedule")),
    request_body = Reissuing,
    responses(
        (status = 201, description = "The code, shown only in this answer", body = ReissuedPlace),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`user_not_found`, `schedule_not_found`"),
        (status = 409, description = "`not_in_queue`"),
    ),
)]
async fn reissue_place(
    State(reissues): State<Reissues>,
    BoxOffice(caller): BoxOffice,
    Path((user, schedule)): Path<(UserId, ScheduleId)>,
    Json(why): Json<Reissuing>,
) -> Result<Response, Problem> {
    let made = reissues.reissue_place(caller.user, user, schedule, &why.reason).await?;
    Ok(shown_once(made))
}

/// Reissue a buyer's recovery code.
///
/// With it the buyer signs in again and has their tickets. An earlier code stops working; sessions that
/// have begun last until their end.
#[utoipa::path(
    post, path = "/v1/admin/box-office/buyers/{id}/recovery-code", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = UserId, Path, description = "The user")), request_body = Reissuing,
    responses(
        (status = 201, description = "The code, shown only in this answer", body = ReissuedCode),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`user_not_found`"),
        (status = 409, description = "`signs_in_elsewhere`"),
    ),
)]
async fn reissue_recovery_code(
    State(reissues): State<Reissues>,
    BoxOffice(caller): BoxOffice,
    Path(user): Path<UserId>,
    Json(why): Json<Reissuing>,
) -> Result<Response, Problem> {
    let made = reissues.reissue_code(caller.user, user, &why.reason).await?;
    Ok(shown_once(made))
}

/// An answer with a secret, which nobody stores.
fn shown_once(made: impl serde::Serialize) -> Response {
    (StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(made)).into_response()
}
