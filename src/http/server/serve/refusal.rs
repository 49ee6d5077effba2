//! Refuses a connection, and says why.

use std::io::Write;

use axum::response::IntoResponse;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::http::api::problem::{Problem, ProblemCode};
use crate::http::limit::connections::Full;

/// Sends the reason if that needs no waiting, and closes the connection.
pub(super) fn refuse(stream: TcpStream, full: Full) {
    let problem = match full {
        Full::InAll => Problem::overloaded(),
        Full::FromOne => {
            let detail = "Too many connections from this address.";
            Problem::new(ProblemCode::RateLimited).detail(detail).retry_after(5)
        }
    };
    let sent = stream.into_std().and_then(|mut stream| send_problem(&mut stream, problem));
    if let Err(error) = sent {
        tracing::debug!(%error, "a refused connection was closed without an answer");
    }
}

/// Sends a problem before any request has arrived. The kernel's send buffer of a new connection has
/// room for it, so the write does not block.
fn send_problem(stream: &mut std::net::TcpStream, problem: Problem) -> std::io::Result<()> {
    let body = problem.render(&Uuid::now_v7().to_string());
    let mut text = Vec::new();
    write!(text, "HTTP/1.1 {}\r\nconnection: close\r\n", problem.status())?;
    for (name, value) in problem.into_response().headers() {
        write!(text, "{name}: {}\r\n", value.to_str().unwrap_or_default())?;
    }
    write!(text, "content-length: {}\r\n\r\n{body}", body.len())?;
    stream.write_all(&text)
}
