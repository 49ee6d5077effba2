//! `/schedules/{id}/wait`: the waiting page of a schedule, from before the queue opens until the
//! buyer is admitted.
//!
//! The page's module does nearly all of the work. In a browser without scripts, a form joins and
//! leaves, and the page reloads itself.

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
use super::ticket_cookie::{ShownEntry, TicketCookie, link};
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
    /// When the concert begins; `None` while the stores do not answer.
    when: Option<DateTime<Utc>>,
    /// The address of the concert's page.
    back: String,
    /// Whether a draw decides the entry order.
    drawn: bool,
    /// The organiser's own page, with its slots filled.
    own: Option<String>,
    /// Seconds until the page reloads without a script; `None` if the page shows a form.
    refresh: Option<u64>,
    /// The queue entry of a user whose browser runs no script.
    place: Option<ShownEntry>,
    /// Why the form was refused, in the reader's language.
    problem: Option<String>,
}

/// The schedule and its concert; `None` while the stores do not answer.
struct SaleInfo {
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
    let sale = load_sale(&web, id).await?;
    let cookie = TicketCookie::of(&headers);
    let mut place = match &cookie {
        Some(cookie) if !cookie.is_new_user() => ShownEntry::load(&web, cookie).await,
        _ => None,
    };
    if let (Some(place), Some(cookie)) = (place.as_mut().filter(|place| place.active()), &cookie) {
        place.link = link(&web, cookie).await;
    }
    let new_cookie = cookie.and_then(|cookie| match place.as_ref().map(ShownEntry::token) {
        // The user has signed up but not joined: the next try must not sign up again.
        None if cookie.is_new_user() => None,
        None => Some(TicketCookie::remove(id)),
        Some(Some(ticket)) => {
            Some(TicketCookie { ticket: ticket.to_owned(), ..cookie }.set(id, is_secure(&headers)))
        }
        Some(None) => None,
    });
    // Set before the form is sent, so that a form sent twice differs from forms of two users.
    let form = (place.is_none() && visit.signup && FormCookie::of(&headers).is_none())
        .then(FormCookie::random)
        .flatten()
        .map(|form| form.set(id, is_secure(&headers)));
    let mut response = visit.html(&page(&web, &visit, id, sale, place, None))?;
    set_cookies(&mut response, new_cookie.into_iter().chain(form));
    Ok(response)
}

/// `POST /schedules/{id}/wait`: joins or leaves the queue, for browsers that run no script.
pub(super) async fn act(
    State(web): State<Web>,
    visit: Visit,
    Extension(client): Extension<Client>,
    Path(id): Path<ScheduleId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(&headers, &body)?;
    let cookie = TicketCookie::of(&headers);
    let (result, cookies) = if form.get("do") == "leave" {
        let left = leave(&web, cookie.as_ref()).await;
        let cookies = left.is_ok().then(|| TicketCookie::remove(id));
        (left, cookies.into_iter().collect())
    } else {
        let hash = FormCookie::of(&headers).map(|form| form.hash());
        let new_user = NewUser { client: &client, name: form.get("name"), form: hash };
        let (joined, cookie) = join(&web, id, cookie, new_user).await;
        let mut cookies: Vec<String> =
            cookie.map(|cookie| cookie.set(id, is_secure(&headers))).into_iter().collect();
        if joined.is_ok() {
            cookies.push(FormCookie::remove(id));
        }
        (joined, cookies)
    };
    let mut response = match result {
        Ok(()) => {
            let address = format!("/schedules/{id}/wait");
            (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response()
        }
        Err(problem) => page_with_problem(&web, &visit, id, problem).await?,
    };
    set_cookies(&mut response, cookies);
    Ok(response)
}

/// The page with the problem in the reader's language, and the problem's `Retry-After`.
async fn page_with_problem(
    web: &Web,
    visit: &Visit,
    id: ScheduleId,
    problem: Problem,
) -> Result<Response, Problem> {
    let key = format!("common.error.{}", problem.code());
    let text = visit.find(&key).unwrap_or(visit.t("common.error.unknown")).to_owned();
    let page = page(web, visit, id, load_sale(web, id).await?, None, Some(text));
    let mut response = visit.html_as(problem.status(), &page)?;
    for (name, value) in problem.into_response().headers() {
        if [&RETRY_AFTER, &RATE_LIMIT, &RATE_LIMIT_POLICY].contains(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(response)
}

/// The form of a user who signs up by joining.
struct NewUser<'f> {
    client: &'f Client,
    name: &'f str,
    /// Hash of the form cookie: a form that is sent twice creates one user.
    form: Option<[u8; 32]>,
}

/// Joins as the user of the cookie, or else signs up a new user. Also returns the cookie to set,
/// even after a refusal: a new user who could not join tries again as the same user.
async fn join(
    web: &Web,
    id: ScheduleId,
    cookie: Option<TicketCookie>,
    new_user: NewUser<'_>,
) -> (Result<(), Problem>, Option<TicketCookie>) {
    let signed_in = match cookie {
        Some(cookie) => cookie.caller(web).await.map(|caller| (caller.user, cookie.access)),
        None => None,
    };
    let is_new = signed_in.is_none();
    let (user, access) = match signed_in {
        Some(signed_in) => signed_in,
        None => match sign_up(web, id, new_user).await {
            Ok(signed_up) => signed_up,
            Err(problem) => return (Err(problem), None),
        },
    };
    let joined = web.queue.join(id, user).await;
    match joined.map(|(view, _)| view.queue_token) {
        Ok(Some(ticket)) => (Ok(()), Some(TicketCookie { ticket, access })),
        Ok(None) => (Err(Problem::internal()), is_new.then(|| TicketCookie::of_new_user(access))),
        Err(error) => (Err(error.into()), is_new.then(|| TicketCookie::of_new_user(access))),
    }
}

/// Creates a user who joins: only if the schedule can be joined, and within the rate limit of
/// sign-ups of the address.
async fn sign_up(
    web: &Web,
    id: ScheduleId,
    NewUser { client, name, form }: NewUser<'_>,
) -> Result<(UserId, String), Problem> {
    let name = tidy_name(name).ok_or_else(|| Problem::invalid_request(Vec::new()))?;
    web.queue.check_joinable(id).await?;
    client.take_scarce(SIGN_UPS)?;
    let signed_up = web.users.sign_up_once(name, form).await?;
    Ok((signed_up.user.id, signed_up.token.access_token))
}

async fn leave(web: &Web, cookie: Option<&TicketCookie>) -> Result<(), Problem> {
    let Some(cookie) = cookie else { return Ok(()) };
    let caller = cookie.caller(web).await.ok_or_else(Problem::unauthenticated)?;
    match web.queue.leave(&cookie.ticket, caller.user).await {
        Ok(()) | Err(QueueError::Invalid(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn load_sale(web: &Web, id: ScheduleId) -> Result<SaleInfo, Problem> {
    let schedule = match web.catalogue.view(id).await {
        Ok(schedule) => schedule,
        // The page still works without these data, and a user in the queue must not get an error.
        Err(CatalogueError::Store(error)) => {
            tracing::warn!(%error, "the schedule of a waiting page could not be loaded");
            return Ok(SaleInfo { schedule: None, concert: None });
        }
        Err(error) => return Err(error.into()),
    };
    let offer = web.shop.offer(View::About(schedule.concert_id)).await.ok();
    let concert = offer.and_then(|offer| offer.concert.clone());
    Ok(SaleInfo { schedule: Some(schedule), concert })
}

fn page(
    web: &Web,
    visit: &Visit,
    id: ScheduleId,
    SaleInfo { schedule, concert }: SaleInfo,
    place: Option<ShownEntry>,
    problem: Option<String>,
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
        refresh: place.as_ref().map(ShownEntry::refresh_seconds),
        place,
        problem,
    }
}

fn set_cookies(response: &mut Response, cookies: impl IntoIterator<Item = String>) {
    for cookie in cookies.into_iter().filter_map(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
