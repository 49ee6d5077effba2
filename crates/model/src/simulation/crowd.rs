//! The people of a run: when each comes, and what each will do.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::input::{Arrivals, Crowd, Curve, SimulationInput, Takes};
use crate::number::millis;

/// Spread of times about their median: one in 20 takes 2.7 times as long.
const SIGMA: f64 = 0.6;
/// After the late time, this share of the late people has come: three means.
const LATE_MEANS: f64 = 3.0;

/// What a person will do. Times are in ms.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is drawn by itself, and any may hold together"
)]
#[derive(Debug, Clone)]
pub struct Person {
    /// When it comes, from the opening.
    pub comes_at: i64,
    /// How long it waits before it closes the page.
    pub patience_ms: i64,
    /// It leaves the queue after two polls.
    pub leaves_soon: bool,
    /// It is away when its turn comes.
    pub is_away: bool,
    /// It leaves the sale without a seat.
    pub leaves_sale: bool,
    /// It pays for what it holds.
    pub pays: bool,
    /// Seats that it wants.
    pub basket: u64,
    /// From admission to the hold.
    pub choose_ms: i64,
    /// From the hold to the payment.
    pub pay_ms: i64,
}

/// A time in ms, by a distribution.
pub fn takes(takes: Takes, random: &mut ChaCha8Rng) -> i64 {
    let seconds = match takes {
        Takes::About(median) => median * (SIGMA * normal(random)).exp(),
        Takes::Between(least, most) => least + (most - least) * random.random::<f64>(),
    };
    millis(seconds * 1000.0)
}

fn exponential(mean: f64, random: &mut ChaCha8Rng) -> f64 {
    -mean * above_zero(random).ln()
}

/// A number with the standard normal distribution, by Box and Muller.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let angle = std::f64::consts::TAU * random.random::<f64>();
    (-2.0 * above_zero(random).ln()).sqrt() * angle.cos()
}

/// A number above 0 and up to 1.
fn above_zero(random: &mut ChaCha8Rng) -> f64 {
    1.0 - random.random::<f64>()
}

fn comes_at(arrivals: &Arrivals, random: &mut ChaCha8Rng) -> i64 {
    let is_early = random.random::<f64>() < arrivals.early_share;
    let seconds = match (is_early, arrivals.curve) {
        (true, Curve::Even) => -arrivals.early_seconds * random.random::<f64>(),
        (true, Curve::Rush) => -arrivals.early_seconds * random.random::<f64>().powi(2),
        (false, Curve::Even) => arrivals.late_seconds * random.random::<f64>(),
        (false, Curve::Rush) => exponential(arrivals.late_seconds / LATE_MEANS, random),
    };
    millis(seconds * 1000.0)
}

fn basket(weights: &[f64], random: &mut ChaCha8Rng) -> u64 {
    let mut rest = random.random::<f64>() * weights.iter().sum::<f64>();
    for (seats, weight) in (1..).zip(weights) {
        rest -= weight;
        if rest < 0.0 {
            return seats;
        }
    }
    weights.len().max(1) as u64
}

impl SimulationInput {
    /// The people of this sale, for others than a run.
    #[must_use]
    pub fn crowd_of(&self, seed: u64) -> Vec<Person> {
        people(self, self.people, &mut ChaCha8Rng::seed_from_u64(seed))
    }
}

/// `count` people of a sale.
pub fn people(input: &SimulationInput, count: u64, random: &mut ChaCha8Rng) -> Vec<Person> {
    let Crowd { patience_seconds, leaves_soon, no_shows, leaves_sale, pays, .. } = input.crowd;
    let mut person = || {
        let patience = patience_seconds.map(|mean| exponential(mean, random));
        Person {
            comes_at: comes_at(&input.arrivals, random),
            patience_ms: patience.map_or(i64::MAX / 2, |seconds| millis(seconds * 1000.0)),
            leaves_soon: random.random::<f64>() < leaves_soon,
            is_away: random.random::<f64>() < no_shows,
            leaves_sale: random.random::<f64>() < leaves_sale,
            pays: random.random::<f64>() < pays,
            basket: basket(&input.crowd.baskets, random),
            choose_ms: takes(input.crowd.choose, random),
            pay_ms: takes(input.crowd.pay, random),
        }
    };
    (0..count).map(|_| person()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_their_median_and_their_mean() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut times: Vec<i64> =
            (0..20_001).map(|_| takes(Takes::About(60.0), &mut random)).collect();
        times.sort_unstable();
        assert!((57_000..63_000).contains(&times[10_000]), "half: {}", times[10_000]);
        let slow = times[19_000];
        assert!((150_000..175_000).contains(&slow), "one in 20 takes 2.7 times as long: {slow}");
        let sum: f64 = (0..20_000).map(|_| exponential(60.0, &mut random)).sum();
        assert!((58.0..62.0).contains(&(sum / 20_000.0)), "{}", sum / 20_000.0);
    }
}
