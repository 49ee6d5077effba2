//! How long `onsale prune` keeps the rows of tables that grow with each sale.

use std::fmt;
use std::time::Duration;

use clap::Args;

/// Shortest time for which rows are kept.
const SHORTEST: Duration = Duration::from_hours(24);
/// Longest time: a thousand years, which PostgreSQL's times can express.
pub(super) const LONGEST: Duration = Duration::from_hours(365_000 * 24);

/// How long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// They are never deleted.
    Forever,
    /// For this long.
    For(Duration),
}

/// How long rows are kept: a time such as `400d`, at least `1d`, or `forever`.
#[derive(Debug, Clone, Copy, Args)]
pub struct RetentionSettings {
    /// How long the queue entries of a sale are kept after its concert. Its final report is kept
    /// for good.
    #[arg(long, env = "ONSALE_KEEP_ENTRIES", value_name = "TIME", default_value = "400d")]
    #[arg(value_parser = keep)]
    pub keep_entries: Keep,
    /// How long the entrants of a draw are kept after the concert. Without them, nobody can check
    /// the draw any more.
    #[arg(long, env = "ONSALE_KEEP_ENTRANTS", value_name = "TIME", default_value = "forever")]
    #[arg(value_parser = keep)]
    pub keep_entrants: Keep,
    /// How long the counts of rejections of a sale are kept after its concert. Its final report has
    /// them.
    #[arg(long, env = "ONSALE_KEEP_REJECTIONS", value_name = "TIME", default_value = "400d")]
    #[arg(value_parser = keep)]
    pub keep_rejections: Keep,
    /// How long the audit keeps the changes that administrators made.
    #[arg(long, env = "ONSALE_KEEP_AUDIT", value_name = "TIME", default_value = "forever")]
    #[arg(value_parser = keep)]
    pub keep_audit: Keep,
    /// How long events that Redis refused are kept after their sale.
    #[arg(long, env = "ONSALE_KEEP_PARKED", value_name = "TIME", default_value = "90d")]
    #[arg(value_parser = keep)]
    pub keep_parked: Keep,
    /// How long the names of users are kept after their last activity: their sign-up, a join, a
    /// movement of points, a change as an administrator, or the concert of a reservation. Users with
    /// a balance keep them.
    #[arg(long, env = "ONSALE_KEEP_USERS", value_name = "TIME", default_value = "forever")]
    #[arg(value_parser = keep)]
    pub keep_users: Keep,
}

fn keep(text: &str) -> Result<Keep, String> {
    if text == "forever" {
        return Ok(Keep::Forever);
    }
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time < SHORTEST {
        return Err("it must be at least 1d".to_owned());
    }
    if time > LONGEST {
        return Err("it is longer than a thousand years: use forever".to_owned());
    }
    Ok(Keep::For(time))
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forever => f.write_str("forever"),
            Self::For(time) if time.as_secs().is_multiple_of(86_400) => {
                write!(f, "{} days", time.as_secs() / 86_400)
            }
            Self::For(time) => write!(f, "{}", humantime::format_duration(*time)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_for_a_day_at_least_or_forever() {
        assert_eq!(keep("forever"), Ok(Keep::Forever));
        assert_eq!(keep("400d"), Ok(Keep::For(Duration::from_hours(400 * 24))));
        for bad in ["23h", "0s", "never", "", "9999999d"] {
            assert!(keep(bad).is_err(), "{bad}");
        }
        assert_eq!(keep("400d").map(|it| it.to_string()), Ok("400 days".to_owned()));
        assert_eq!(keep("36h").map(|it| it.to_string()), Ok("1day 12h".to_owned()));
    }
}
