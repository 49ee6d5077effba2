//! Keeps the ticket of a user whose browser runs no script, in a cookie. Only the waiting page of
//! its schedule reads the cookie; the API ignores it.

use axum::http::HeaderMap;
use chrono::{DateTime, Utc};

use super::context::Web;
use super::lang::cookie;
use super::page::Page;
use crate::caller::{Caller, Identify};
use crate::queue::model::{TicketStatus, TicketView};
use crate::queue::service::QueueError;
use crate::store::id::ScheduleId;

const NAME: &str = "onsale_place";
/// Separates the ticket and the access token; neither contains it.
const SEPARATOR: char = '~';
/// Lifetime of the cookie, in seconds: as long as the access token.
const A_DAY_SECONDS: u32 = 24 * 60 * 60;

/// The cookie: a ticket, empty if the user has not joined yet, and the user's access token.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketCookie {
    /// The ticket; empty if the user has not joined yet.
    pub ticket: String,
    /// The user's access token.
    pub access: String,
}

impl std::fmt::Debug for TicketCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TicketCookie(..)")
    }
}

impl TicketCookie {
    /// The cookie of a new user who could not join: it has no ticket.
    #[must_use]
    pub fn of_new_user(access: String) -> Self {
        Self { ticket: String::new(), access }
    }

    /// Whether the user has not joined yet.
    #[must_use]
    pub fn is_new_user(&self) -> bool {
        self.ticket.is_empty()
    }

    /// Reads the cookie that a browser sent.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let (ticket, access) = cookie(headers, NAME)?.split_once(SEPARATOR)?;
        Some(Self { ticket: ticket.to_owned(), access: access.to_owned() })
    }

    /// The `Set-Cookie` value. The cookie is sent only to this schedule's pages; scripts and other
    /// sites cannot use it.
    #[must_use]
    pub fn set(&self, schedule: ScheduleId, secure: bool) -> String {
        let Self { ticket, access } = self;
        set_cookie(&format!("{ticket}{SEPARATOR}{access}"), schedule, A_DAY_SECONDS, secure)
    }

    /// The `Set-Cookie` value that removes the cookie.
    #[must_use]
    pub fn remove(schedule: ScheduleId) -> String {
        set_cookie("", schedule, 0, false)
    }

    /// The owner of the access token; `None` if the token is no longer valid.
    pub async fn caller(&self, web: &Web) -> Option<Caller> {
        web.users.identify(&self.access).await.ok()
    }
}

fn set_cookie(value: &str, schedule: ScheduleId, seconds: u32, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!(
        "{NAME}={value}; Path=/schedules/{schedule}; Max-Age={seconds}; HttpOnly; \
         SameSite=Strict{secure}"
    )
}

/// The queue entry of a user whose browser runs no script, as the waiting page shows it.
#[derive(Debug)]
pub struct ShownEntry {
    /// The state of the ticket; none while the stores do not answer.
    view: Option<TicketView>,
    at: DateTime<Utc>,
    /// The link to continue on another device, once the user is admitted.
    pub link: Option<String>,
}

impl ShownEntry {
    /// Polls the ticket of a cookie; `None` if the ticket is not valid.
    pub async fn load(web: &Web, cookie: &TicketCookie) -> Option<Self> {
        match web.queue.poll(&cookie.ticket).await {
            Ok(view) => Some(Self { at: view.server_time, view: Some(view), link: None }),
            Err(QueueError::Invalid(_)) => None,
            Err(error) => {
                tracing::debug!(%error, "the ticket of a waiting page could not be polled");
                Some(Self { view: None, at: Utc::now(), link: None })
            }
        }
    }

    /// The status of the ticket, while the stores answer.
    #[must_use]
    pub fn status(&self) -> Option<TicketStatus> {
        self.view.as_ref().map(|view| view.status)
    }

    /// Whether the user has an active slot.
    #[must_use]
    pub fn active(&self) -> bool {
        self.status() == Some(TicketStatus::Active)
    }

    /// Whether the entry has ended.
    #[must_use]
    pub fn ended(&self) -> bool {
        let not_ended = [None, Some(TicketStatus::Waiting), Some(TicketStatus::Active)];
        !not_ended.contains(&self.status())
    }

    /// A new ticket that replaces the one in the cookie.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.view.as_ref()?.queue_token.as_deref()
    }

    /// Seconds until the page reloads: the poll interval, from 2 to 30.
    #[must_use]
    pub fn refresh_seconds(&self) -> u64 {
        let pause = self.view.as_ref().and_then(|view| view.poll_after_ms);
        pause.unwrap_or(10_000).div_ceil(1000).clamp(2, 30)
    }

    /// The position as a number; a dash if it is unknown.
    #[must_use]
    pub fn position(&self, page: &Page) -> String {
        let position = self.view.as_ref().and_then(|view| view.position);
        position.map_or("—".to_owned(), |position| page.lang().number(position.cast_signed()))
    }

    /// The number of users ahead, in words.
    #[must_use]
    pub fn ahead(&self, page: &Page) -> String {
        match self.view.as_ref() {
            None => page.t("wait.noscript.kept").to_owned(),
            Some(TicketView { ahead: None, .. }) => page.t("wait.place.unknown").to_owned(),
            Some(TicketView { ahead: Some(0), .. }) => page.t("wait.ahead.none").to_owned(),
            Some(TicketView { ahead: Some(ahead), .. }) => {
                page.count("wait.ahead", &ahead.cast_signed())
            }
        }
    }

    /// The expected wait, in words.
    #[must_use]
    pub fn eta(&self, page: &Page) -> String {
        let range = self.view.as_ref().and_then(|view| {
            let (low, high) = (view.eta_low_seconds?, view.eta_high_seconds?);
            Some((low / 60, high.div_ceil(60)))
        });
        let text = match range {
            None => page.t("wait.eta.unknown").to_owned(),
            Some((_, 0 | 1)) => page.t("wait.eta.under").to_owned(),
            Some((low, high)) => {
                let (low, high) = (low.max(1).to_string(), high.to_string());
                page.fill("wait.eta.range.minutes", &[("from", &low), ("to", &high)])
            }
        };
        format!("{}: {text}", page.t("wait.eta"))
    }

    /// The organiser's message.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.view.as_ref()?.message.as_deref()
    }

    /// When this was the state.
    #[must_use]
    pub fn at(&self) -> &DateTime<Utc> {
        &self.at
    }
}

/// Creates a hand-off code and returns the link to continue on another device.
pub async fn link(web: &Web, cookie: &TicketCookie) -> Option<String> {
    let caller = cookie.caller(web).await?;
    let (code, _) = web.handoffs.make(&cookie.ticket, &caller).await.ok()?;
    Some(format!("/continue#{code}"))
}
