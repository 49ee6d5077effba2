//! `/schedules/{id}/wait`: a place in line, from before it opens until it is one's turn.
//!
//! The page's module does nearly all of it. Without it, a form joins and leaves, and the page is
//! loaded again and again.

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};

use super::context::{SIGN_UPS, Web};
use super::form_cookie::FormCookie;
use super::forms::Form;
use super::headers::is_secure;
use super::page::Page;
use super::shop::View;
use super::theme::Slots;
use super::ticket_cookie::{Place, PlaceCookie, link};
use super::visit::Visit;
use crate::concert::model::{Concert, EntryOrder};
use crate::concert::service::CatalogueError;
use crate::concert::view::ScheduleView;
use crate::http::api::body::Path;
use crate::http::api::problem::Problem;
use crate::http::limit::address_limits::Client;
use crate::http::limit::rate_headers::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::queue::service::QueueError;
use crate::store::id::{ScheduleId, UserId};
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
        Some(kept) if !kept.is_new_user() => Place::look(&web, kept).await,
        _ => None,
    };
    if let (Some(place), Some(kept)) = (place.as_mut().filter(|place| place.active()), &kept) {
        place.link = link(&web, kept).await;
    }
    let cookie = kept.and_then(|kept| match place.as_ref().map(Place::token) {
        // Somebody who signed up and has no place yet: their next try is no sign-up.
        None if kept.is_new_user() => None,
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
    Extension(client): Extension<Client>,
    Path(id): Path<ScheduleId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(&headers, &body)?;
    let kept = PlaceCookie::of(&headers);
    let (done, cookies) = if form.get("do") == "leave" {
        let left = leave(&web, kept.as_ref()).await;
        let cookies = left.is_ok().then(|| PlaceCookie::gone(id));
        (left, cookies.into_iter().collect())
    } else {
        let sent = FormCookie::of(&headers).map(|form| form.hash());
        let new = New { client: &client, name: form.get("name"), form: sent };
        let (joined, kept) = join(&web, id, kept, new).await;
        let mut cookies: Vec<String> =
            kept.map(|kept| kept.kept(id, is_secure(&headers))).into_iter().collect();
        if joined.is_ok() {
            cookies.push(FormCookie::gone(id));
        }
        (joined, cookies)
    };
    let mut response = match done {
        Ok(()) => {
            let address = format!("/schedules/{id}/wait");
            (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response()
        }
        Err(problem) => refused(&web, &visit, id, problem).await?,
    };
    keep(&mut response, cookies);
    Ok(response)
}

/// The page with what went wrong, and when to try again.
async fn refused(
    web: &Web,
    visit: &Visit,
    id: ScheduleId,
    problem: Problem,
) -> Result<Response, Problem> {
    let key = format!("common.error.{}", problem.code());
    let said = visit.find(&key).unwrap_or(visit.t("common.error.unknown")).to_owned();
    let page = page(web, visit, id, known(web, id).await?, (None, Some(said)));
    let mut response = visit.html_as(problem.status(), &page)?;
    for (name, value) in problem.into_response().headers() {
        if [&RETRY_AFTER, &RATE_LIMIT, &RATE_LIMIT_POLICY].contains(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(response)
}

/// What the form of somebody new says.
struct New<'f> {
    client: &'f Client,
    name: &'f str,
    /// What the form is known by: sent twice, it makes one user.
    form: Option<[u8; 32]>,
}

/// Joins as the user of the cookie, or else as a new one; with what to keep in the cookie, in case of
/// a refusal too: a user who was made and got no place tries again as the same user.
async fn join(
    web: &Web,
    id: ScheduleId,
    kept: Option<PlaceCookie>,
    new: New<'_>,
) -> (Result<(), Problem>, Option<PlaceCookie>) {
    let known = match kept {
        Some(kept) => kept.caller(web).await.map(|caller| (caller.user, kept.access)),
        None => None,
    };
    let made = known.is_none();
    let (user, access) = match known {
        Some(known) => known,
        None => match sign_up(web, id, new).await {
            Ok(made) => made,
            Err(problem) => return (Err(problem), None),
        },
    };
    let joined = web.queue.join(id, user).await;
    match joined.map(|(view, _)| view.queue_token) {
        Ok(Some(ticket)) => (Ok(()), Some(PlaceCookie { ticket, access })),
        Ok(None) => (Err(Problem::internal()), made.then(|| PlaceCookie::of_new_user(access))),
        Err(error) => (Err(error.into()), made.then(|| PlaceCookie::of_new_user(access))),
    }
}

/// Makes a user for somebody who joins: only where the schedule can be joined, and within the
/// sign-ups of their address.
async fn sign_up(
    web: &Web,
    id: ScheduleId,
    New { client, name, form }: New<'_>,
) -> Result<(UserId, String), Problem> {
    let name = tidy_name(name).ok_or_else(|| Problem::invalid_request(Vec::new()))?;
    web.queue.check_joinable(id).await?;
    client.take_scarce(SIGN_UPS)?;
    let made = web.users.sign_up_once(name, form).await?;
    Ok((made.user.id, made.token.access_token))
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
    let offer = web.shop.offer(View::About(schedule.concert_id)).await.ok();
    let concert = offer.and_then(|offer| offer.concert.clone());
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
