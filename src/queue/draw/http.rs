//! The proof of a draw over HTTP. It is public.

use std::fmt::Write;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::Entrant;
use super::service::Draws;
use crate::http::api::body::{Json, Path};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::queue::model::Sequence;
use crate::queue::service::QueueError;
use crate::store::StoreError;
use crate::store::id::ScheduleId;

/// `Cache-Control` of an answer that never changes again.
const FOR_A_DAY: &str = "public, max-age=86400, immutable";

/// The routes of draws.
pub fn routes(draws: Draws) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(draw)).routes(routes!(entrants)).with_state(draws)
}

/// The public proof of a draw.
#[derive(Debug, Serialize, ToSchema)]
struct DrawView {
    /// The SHA-256 of the secret, in hex. Public from the creation of the schedule on.
    commitment: String,
    /// The secret, in hex, once every entrant has a drawn rank.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Number of entrants.
    #[serde(skip_serializing_if = "Option::is_none")]
    entrants: Option<u64>,
    /// When the secret became public.
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_at: Option<DateTime<Utc>>,
}

/// The commitment of a draw, and its secret once the draw is made.
///
/// With the list of entrants, this is enough to verify the order. Public.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/queue/draw", tag = "Queue",
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The commitment, and after the draw the secret",
         body = DrawView),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn draw(
    State(draws): State<Draws>,
    Path(schedule): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let proof = draws.proof(schedule).await?.ok_or(QueueError::NoSchedule)?;
    let cache = if proof.opened.is_some() { FOR_A_DAY } else { "public, max-age=1" };
    let (secret, entrants, opened_at) = proof.opened.map_or((None, None, None), |opened| {
        (Some(hex::encode(opened.0)), Some(opened.1), Some(opened.2))
    });
    let commitment = hex::encode(proof.commitment);
    let view = DrawView { commitment, secret, entrants, opened_at };
    Ok(([(CACHE_CONTROL, cache)], Json(view)).into_response())
}

/// The ticket ids of all entrants of a draw.
///
/// One ticket id per line, in order of joining. The draw depends on the ids alone. The list never
/// changes. The operator may remove it long after the concert.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/queue/draw/entrants", tag = "Queue",
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "One ticket id per line", body = String,
         content_type = "text/plain"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`draw_not_frozen`: the sale has not opened, the list is not \
                                      complete yet, or the sale has no draw"),
        (status = 410, description = "`entrants_removed`: the operator no longer keeps the list"),
    ),
)]
async fn entrants(
    State(draws): State<Draws>,
    Path(schedule): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let Some(first) = draws.entrants(schedule, Sequence(0)).await? else {
        draws.proof(schedule).await?.ok_or(QueueError::NoSchedule)?;
        return Err(Problem::new(ProblemCode::DrawNotFrozen));
    };
    if first.is_empty() && draws.has_entrants(schedule).await? {
        return Err(Problem::new(ProblemCode::EntrantsRemoved));
    }
    // Page by page: a million ids are 37 MB.
    let pages = stream::try_unfold(Some(first), move |page: Option<Vec<_>>| {
        let draws = draws.clone();
        async move {
            let Some(last) = page.as_ref().and_then(|page| page.last()).copied() else {
                return Ok::<_, StoreError>(None);
            };
            let text = render_page(page.as_deref().unwrap_or_default());
            Ok(Some((text, draws.entrants(schedule, last.joined).await?)))
        }
    });
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, FOR_A_DAY)];
    Ok((headers, Body::from_stream(pages)).into_response())
}

fn render_page(page: &[Entrant]) -> Bytes {
    let mut text = String::with_capacity(page.len() * 37);
    for Entrant { ticket_id, .. } in page {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{ticket_id}");
    }
    text.into()
}
