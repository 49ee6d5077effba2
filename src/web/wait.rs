//! `/schedules/{id}/wait`: a place in line, from before it opens until it is one's turn.
//!
//! The page's module does nearly all of it. Without it, a form joins and leaves, and the page is
//! loaded again and again.

use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};

use super::Web;
use super::form_cookie::FormCookie;
use super::forms::Form;
use super::page::{Page, Visit};
use super::place::{Place, PlaceCookie, link};
use super::theme::Slots;
use crate::concert::model::{Concert, EntryOrder};
use crate::concert::service::CatalogueError;
use crate::concert::view::ScheduleView;
use crate::http::body::Path;
use crate::http::problem::Problem;
use crate::queue::service::QueueError;
use crate::store::id::ScheduleId;
use crate::user::model::tidy_name;

#[derive(Template)]
#[template(path = "wait.html")]
struct WaitPage {
    page: Page,
    id: ScheduleId,
    title: String,
    /// When the concert is; nothing where that is not known at the moment.
    when: Option<DateTime<Utc>>,
    /// The page before.
    back: String,
    /// Whether the order is drawn.
    drawn: bool,
    /// The organiser's own page, its slots filled.
    own: Option<String>,
    /// In how many seconds to look again, without a script; nothing where there is a form.
    refresh: Option<u64>,
    /// The place of somebody whose browser runs no script.
    place: Option<Place>,
    /// What went wrong with the form.
    problem: Option<String>,
}

/// What is known of a sale; less while the stores do not answer.
struct Known {
    schedule: Option<ScheduleView>,
    concert: Option<Concert>,
}

/// `GET /schedules/{id}/wait`
pub(super) async fn wait(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<ScheduleId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let known = known(&web, id).await?;
    let kept = PlaceCookie::of(&headers);
    let mut place = match &kept {
        Some(kept) => Place::look(&web, kept).await,
        None => None,
    };
    if let (Some(place), Some(kept)) = (place.as_mut().filter(|place| place.active()), &kept) {
        place.link = link(&web, kept).await;
    }
    let cookie = kept.and_then(|kept| match place.as_ref().map(Place::token) {
        None => Some(PlaceCookie::gone(id)),
        Some(Some(ticket)) => {
            Some(PlaceCookie { ticket: ticket.to_owned(), ..kept }.kept(id, is_secure(&headers)))
        }
        Some(None) => None,
    });
    // Before the form is sent, so that sending it twice can be told from two people.
    let form = (place.is_none() && visit.signup && FormCookie::of(&headers).is_none())
        .then(FormCookie::random)
        .flatten()
        .map(|form| form.kept(id, is_secure(&headers)));
    let mut response = visit.html(&page(&web, &visit, id, known, (place, None)))?;
    keep(&mut response, cookie.into_iter().chain(form));
    Ok(response)
}

/// `POST /schedules/{id}/wait`: joins, or leaves, for browsers that run no script.
pub(super) async fn act(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<ScheduleId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(&headers, &body)?;
    let kept = PlaceCookie::of(&headers);
    let done = match form.get("do") {
        "leave" => leave(&web, kept.as_ref()).await.map(|()| vec![PlaceCookie::gone(id)]),
        _ => {
            let sent = FormCookie::of(&headers).map(|form| form.hash());
            let joined = join(&web, id, kept.as_ref(), (form.get("name"), sent)).await;
            joined.map(|place| vec![place.kept(id, is_secure(&headers)), FormCookie::gone(id)])
        }
    };
    match done {
        Ok(cookies) => {
            let address = format!("/schedules/{id}/wait");
            let mut response = (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response();
            keep(&mut response, cookies);
            Ok(response)
        }
        Err(problem) => {
            let key = format!("common.error.{}", problem.code());
            let said = visit.find(&key).unwrap_or(visit.t("common.error.unknown")).to_owned();
            let known = known(&web, id).await?;
            let page = page(&web, &visit, id, known, (None, Some(said)));
            visit.html_as(problem.status(), &page)
        }
    }
}

/// The place of the user who has one already, or else of a new user. A form that is sent twice makes
/// one user: `sent` is what it is known by.
async fn join(
    web: &Web,
    id: ScheduleId,
    kept: Option<&PlaceCookie>,
    (name, sent): (&str, Option<[u8; 32]>),
) -> Result<PlaceCookie, Problem> {
    let known = match kept {
        Some(kept) => kept.caller(web).await.map(|caller| (caller.user, kept.access.clone())),
        None => None,
    };
    let (user, access) = if let Some(known) = known {
        known
    } else {
        let name = tidy_name(name).ok_or_else(|| Problem::invalid_request(Vec::new()))?;
        let made = web.users.sign_up_once(name, sent).await?;
        (made.user.id, made.token.access_token)
    };
    let (view, _) = web.queue.join(id, user).await?;
    let ticket = view.queue_token.ok_or_else(Problem::internal)?;
    Ok(PlaceCookie { ticket, access })
}

async fn leave(web: &Web, kept: Option<&PlaceCookie>) -> Result<(), Problem> {
    let Some(kept) = kept else { return Ok(()) };
    let caller = kept.caller(web).await.ok_or_else(Problem::unauthenticated)?;
    match web.queue.leave(&kept.ticket, caller.user).await {
        Ok(()) | Err(QueueError::Invalid(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn known(web: &Web, id: ScheduleId) -> Result<Known, Problem> {
    let schedule = match web.catalogue.view(id).await {
        Ok(schedule) => schedule,
        // The page goes on by itself: whoever has a place must not be sent away.
        Err(CatalogueError::Store(error)) => {
            tracing::warn!(%error, "a waiting page could not look its schedule up");
            return Ok(Known { schedule: None, concert: None });
        }
        Err(error) => return Err(error.into()),
    };
    let offer = web.shop.offer(Some(schedule.concert_id)).await.ok();
    let concert = offer.and_then(|offer| offer.shows.first().map(|show| show.concert.clone()));
    Ok(Known { schedule: Some(schedule), concert })
}

fn page(
    web: &Web,
    visit: &Visit,
    id: ScheduleId,
    Known { schedule, concert }: Known,
    (place, problem): (Option<Place>, Option<String>),
) -> WaitPage {
    let title =
        concert.as_ref().map_or(visit.t("wait.title"), |concert| concert.title.as_str()).to_owned();
    let drawn = schedule.as_ref().is_some_and(|s| s.entry_order == EntryOrder::Draw);
    let when = schedule.as_ref().map(|schedule| schedule.concert_at);
    let back = schedule.as_ref().map(|schedule| format!("/concerts/{}", schedule.concert_id));
    let page = Page::named(visit, "wait")
        .titled(title.clone())
        .with("schedule_id", id)
        .with("drawn", drawn)
        .with("title", &title)
        .with("schedule", &schedule);
    let slots = Slots {
        title: &title,
        description: concert.as_ref().map_or("", |concert| concert.description.as_str()),
        when,
        schedule: id,
        visit,
    };
    WaitPage {
        own: web.theme.waiting_page(&slots),
        page,
        id,
        title,
        when,
        back: back.unwrap_or_else(|| "/".to_owned()),
        drawn,
        refresh: place.as_ref().map(Place::refresh_seconds),
        place,
        problem,
    }
}

fn keep(response: &mut Response, cookies: impl IntoIterator<Item = String>) {
    for cookie in cookies.into_iter().filter_map(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// Whether the browser came over TLS, by the word of the proxy in front. A client that says so
/// itself only keeps its own cookie from going over anything else.
pub(super) fn is_secure(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
}
