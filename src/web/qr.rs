//! `POST /qr`: encodes a text as a QR code, which a page draws. The text is in the body because it
//! must not appear in a log.

use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use fast_qr::{ECL, QRBuilder};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::api::body::Json;
use crate::http::api::problem::Problem;

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QrRequest {
    /// The text to encode.
    #[garde(length(bytes, min = 1, max = 1200))]
    #[schema(min_length = 1, max_length = 1200)]
    text: String,
}

/// A QR code, measured in modules; the first is at (0, 0). Without the white border.
#[derive(Debug, Serialize)]
struct Picture {
    /// Width and height, in modules.
    size: usize,
    /// The dark modules, as the data of an SVG path.
    path: String,
}

/// `POST /qr`
pub(super) async fn qr(Json(QrRequest { text }): Json<QrRequest>) -> Result<Response, Problem> {
    let code = QRBuilder::new(text)
        .ecl(ECL::L)
        .build()
        .map_err(|_| Problem::invalid_request(Vec::new()))?;
    let mut path = String::new();
    for y in 0..code.size {
        let row = &code[y];
        let mut x = 0;
        while x < code.size {
            let run = row[x..code.size].iter().take_while(|module| module.value()).count();
            if run > 0 {
                path.extend([format!("M{x} {y}h{run}v1h-{run}z")]);
            }
            x += run.max(1);
        }
    }
    Ok(([(CACHE_CONTROL, "no-store")], Json(Picture { size: code.size, path })).into_response())
}
