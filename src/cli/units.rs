//! Values of command lines: times and shares.

use std::str::FromStr;

/// A duration such as `90s` or `1h 30m`, in minutes.
#[derive(Debug, Clone, Copy)]
pub struct Minutes(pub f64);

impl FromStr for Minutes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
        let minutes = time.as_secs_f64() / 60.0;
        let is_usable = (1.0 / 60.0..=7.0 * 24.0 * 60.0).contains(&minutes);
        is_usable.then_some(Self(minutes)).ok_or_else(|| "from 1s to 7d".to_owned())
    }
}

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or("a share is a number from 0 to 1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_from_0_to_1_and_a_time_is_not_zero() {
        assert!(["0", "0.5", "1"].iter().all(|text| text.parse::<Share>().is_ok()));
        assert!(["-0.1", "1.1", "NaN", "half"].iter().all(|text| text.parse::<Share>().is_err()));
        let minutes = |text: &str| text.parse::<Minutes>().map(|minutes| minutes.0);
        assert!(minutes("90s").is_ok_and(|minutes| (minutes - 1.5).abs() < 1e-9));
        assert!(["0s", "8d", "5", "-1m"].iter().all(|text| minutes(text).is_err()));
    }
}
