//! The languages of the pages, and the choice of a reader's language.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use chrono::{DateTime, Utc};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// All languages; the first is the default.
    pub const ALL: [Self; 2] = [Self::En, Self::Ko];

    /// The language tag (BCP 47), which is also the folder in `web/lang`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// The language's own name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Ko => "한국어",
        }
    }

    /// The language of a tag with any region: `ko`, `ko-KR`.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.tag()))
    }

    /// The language that a query string chooses with `lang=`.
    #[must_use]
    pub fn of_query(query: &str) -> Option<Self> {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == "lang").and_then(|(_, tag)| Self::of_tag(&tag))
    }

    /// The language that the reader chose before, else the one that the browser prefers, else the
    /// default.
    #[must_use]
    pub fn of_headers(headers: &HeaderMap) -> Self {
        let chosen = cookie(headers, "lang").and_then(Self::of_tag);
        chosen.or_else(|| preferred(headers)).unwrap_or(Self::ALL[0])
    }

    /// A number with commas between thousands.
    #[must_use]
    pub fn number(self, number: i64) -> String {
        let digits = number.unsigned_abs().to_string();
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        if number < 0 { format!("-{text}") } else { text }
    }

    /// A price.
    #[must_use]
    pub fn money(self, points: i64) -> String {
        match self {
            Self::En => format!("₩{}", self.number(points)),
            Self::Ko => format!("{}원", self.number(points)),
        }
    }

    /// A time in UTC, for browsers that run no script. A script shows it in the reader's time zone.
    #[must_use]
    pub fn time(self, time: DateTime<Utc>) -> String {
        let pattern = match self {
            Self::En => "%-d %b %Y, %H:%M UTC",
            Self::Ko => "%Y년 %-m월 %-d일 %H:%M (UTC)",
        };
        time.format(pattern).to_string()
    }
}

/// The value of a cookie that was sent exactly once.
#[must_use]
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let texts = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// The page language with the highest weight in `Accept-Language`; the first of equal ones.
fn preferred(headers: &HeaderMap) -> Option<Lang> {
    let text = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut best: Option<(Lang, f32)> = None;
    for item in text.split(',') {
        let (tag, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
        let (Some(lang), Some(weight)) = (Lang::of_tag(tag), weight) else {
            continue;
        };
        if weight > best.map_or(0.0, |(_, weight)| weight) {
            best = Some((lang, weight));
        }
    }
    best.map(|(lang, _)| lang)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn the_readers_choice_precedes_the_browsers_preference() {
        for (accepted, expected) in [
            ("ko-KR,ko;q=0.9,en;q=0.8", Lang::Ko),
            ("en-GB,ko;q=0.5", Lang::En),
            ("fr,en;q=0.3,ko;q=0.7", Lang::Ko),
            ("fr, de", Lang::En),
            ("ko;q=0", Lang::En),
            ("ko;q=x", Lang::En),
        ] {
            assert_eq!(Lang::of_headers(&headers(&[("accept-language", accepted)])), expected);
        }
        let chosen = headers(&[("accept-language", "en"), ("cookie", "a=b; lang=ko")]);
        assert_eq!(Lang::of_headers(&chosen), Lang::Ko);
        assert_eq!(Lang::of_headers(&HeaderMap::new()), Lang::En);
        assert_eq!(Lang::of_query("a=1&lang=ko"), Some(Lang::Ko));
        assert_eq!(Lang::of_query("lang=xx"), None);
    }

    #[test]
    fn a_cookie_that_was_sent_twice_is_ignored() {
        assert_eq!(cookie(&headers(&[("cookie", "lang=ko; lang=en")]), "lang"), None);
        assert_eq!(cookie(&headers(&[("cookie", "xlang=ko")]), "lang"), None);
    }

    #[test]
    fn numbers_have_commas_between_thousands() {
        let all = [0, 999, 1000, 1_234_567, -1000].map(|number| Lang::En.number(number));
        assert_eq!(all, ["0", "999", "1,000", "1,234,567", "-1,000"]);
        assert_eq!(
            (Lang::En.money(55_000), Lang::Ko.money(55_000)),
            ("₩55,000".into(), "55,000원".into())
        );
    }
}
