//! The place in line of somebody whose browser runs no script: kept in a cookie that only the
//! waiting page of its schedule reads, and that decides nothing of the API.

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
/// Between ticket and access token, and in neither of them.
const BETWEEN: char = '~';
/// As long as the access token.
const A_DAY_SECONDS: u32 = 24 * 60 * 60;

/// The cookie: a ticket, empty where the user has no place yet, and the access token of its owner.
#[derive(Clone, PartialEq, Eq)]
pub struct PlaceCookie {
    /// The ticket.
    pub ticket: String,
    /// Who it is.
    pub access: String,
}

impl std::fmt::Debug for PlaceCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlaceCookie(..)")
    }
}

impl PlaceCookie {
    /// The cookie of a user who was made and got no place: it has no ticket.
    #[must_use]
    pub fn of_new_user(access: String) -> Self {
        Self { ticket: String::new(), access }
    }

    /// Whether it is the cookie of a user without a place.
    #[must_use]
    pub fn is_new_user(&self) -> bool {
        self.ticket.is_empty()
    }

    /// The one that a browser sent.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let (ticket, access) = cookie(headers, NAME)?.split_once(BETWEEN)?;
        Some(Self { ticket: ticket.to_owned(), access: access.to_owned() })
    }

    /// `Set-Cookie`: for this schedule's waiting page alone, out of every script's and every other
    /// site's reach.
    #[must_use]
    pub fn kept(&self, schedule: ScheduleId, secure: bool) -> String {
        let Self { ticket, access } = self;
        set(&format!("{ticket}{BETWEEN}{access}"), schedule, A_DAY_SECONDS, secure)
    }

    /// `Set-Cookie` that takes it away.
    #[must_use]
    pub fn gone(schedule: ScheduleId) -> String {
        set("", schedule, 0, false)
    }

    /// Whose access token it is; `None` where it is not valid any more.
    pub async fn caller(&self, web: &Web) -> Option<Caller> {
        web.users.identify(&self.access).await.ok()
    }
}

fn set(value: &str, schedule: ScheduleId, seconds: u32, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!(
        "{NAME}={value}; Path=/schedules/{schedule}; Max-Age={seconds}; HttpOnly; \
         SameSite=Strict{secure}"
    )
}

/// What is known of a place.
#[derive(Debug)]
pub struct Place {
    /// What the ticket is worth; none where the line can't be asked.
    view: Option<TicketView>,
    at: DateTime<Utc>,
    /// Where to go on with another device, once it is one's turn.
    pub link: Option<String>,
}

impl Place {
    /// Looks the place of a cookie up; none where its ticket is no good.
    pub async fn look(web: &Web, kept: &PlaceCookie) -> Option<Self> {
        match web.queue.poll(&kept.ticket).await {
            Ok(view) => Some(Self { at: view.server_time, view: Some(view), link: None }),
            Err(QueueError::Invalid(_)) => None,
            Err(error) => {
                tracing::debug!(%error, "a place could not be looked up for its page");
                Some(Self { view: None, at: Utc::now(), link: None })
            }
        }
    }

    /// What it is now, where that is known.
    #[must_use]
    pub fn status(&self) -> Option<TicketStatus> {
        self.view.as_ref().map(|view| view.status)
    }

    /// Whether it is one's turn.
    #[must_use]
    pub fn active(&self) -> bool {
        self.status() == Some(TicketStatus::Active)
    }

    /// Whether it is over.
    #[must_use]
    pub fn ended(&self) -> bool {
        let on = [None, Some(TicketStatus::Waiting), Some(TicketStatus::Active)];
        !on.contains(&self.status())
    }

    /// A new ticket to keep.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.view.as_ref()?.queue_token.as_deref()
    }

    /// In how many seconds to look again.
    #[must_use]
    pub fn refresh_seconds(&self) -> u64 {
        let pause = self.view.as_ref().and_then(|view| view.poll_after_ms);
        pause.unwrap_or(10_000).div_ceil(1000).clamp(2, 30)
    }

    /// The place as a number; a dash where it is not known.
    #[must_use]
    pub fn position(&self, page: &Page) -> String {
        let position = self.view.as_ref().and_then(|view| view.position);
        position.map_or("—".to_owned(), |position| page.lang().number(position.cast_signed()))
    }

    /// Who is ahead, in words.
    #[must_use]
    pub fn ahead(&self, page: &Page) -> String {
        match self.view.as_ref() {
            None => page.t("wait.still.kept").to_owned(),
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
        let told = match range {
            None => page.t("wait.eta.unknown").to_owned(),
            Some((_, 0 | 1)) => page.t("wait.eta.under").to_owned(),
            Some((low, high)) => {
                let (low, high) = (low.max(1).to_string(), high.to_string());
                page.fill("wait.eta.range.minutes", &[("from", &low), ("to", &high)])
            }
        };
        format!("{}: {told}", page.t("wait.eta"))
    }

    /// What the organiser says.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.view.as_ref()?.message.as_deref()
    }

    /// When this was so.
    #[must_use]
    pub fn at(&self) -> &DateTime<Utc> {
        &self.at
    }
}

/// The link with which somebody goes on elsewhere.
pub async fn link(web: &Web, kept: &PlaceCookie) -> Option<String> {
    let caller = kept.caller(web).await?;
    let (code, _) = web.handoffs.make(&kept.ticket, &caller).await.ok()?;
    Some(format!("/continue#{code}"))
}
