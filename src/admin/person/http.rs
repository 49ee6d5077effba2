//! `/v1/admin/users/{id}/data`.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::People;
use crate::http::api::auth::Admin;
use crate::http::api::body::Path;
use crate::http::api::problem::{Problem, ProblemCode};
use crate::store::StoreError;
use crate::store::id::UserId;

/// The route of a person's data.
pub(in crate::admin) fn routes(people: People) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(user_data)).with_state(people)
}

/// Export the data of one person.
///
/// One JSON document with everything that the service has about the user: name, identity at a
/// provider, balance and its history, reservations, payments, queue entries, and changes made as an
/// administrator. It is read while it is sent.
#[utoipa::path(
    get, path = "/v1/admin/users/{id}/data", tag = "Administration", security(("bearer" = ["admin"])),
    params(("id" = UserId, Path, description = "The user")),
    responses(
        (status = 200, description = "The data", body = Object),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`user_not_found`"),
    ),
)]
async fn user_data(
    State(people): State<People>,
    Admin(_): Admin,
    Path(id): Path<UserId>,
) -> Result<Response, Problem> {
    let begun = people.begin(id).await?;
    let (text, part) = begun.ok_or_else(|| Problem::new(ProblemCode::UserNotFound))?;
    let parts = stream::try_unfold((Some(text), part), move |(begun, part)| {
        let people = people.clone();
        async move {
            if let Some(text) = begun {
                return Ok(Some((Bytes::from(text), (None, part))));
            }
            let next = people.part(id, part).await?;
            Ok::<_, StoreError>(next.map(|(text, part)| (Bytes::from(text), (None, part))))
        }
    });
    let name = format!("attachment; filename=\"onsale-user-{id}.json\"");
    let headers = [(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(parts)).into_response())
}
