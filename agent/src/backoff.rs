//! Bounded exponential back-off with seeded jitter.
//!
//! One [`Jitter`] is made from one seed at start and shared: a run can be repeated from that seed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The only source of randomness in the agent.
#[derive(Clone, Debug)]
pub struct Jitter {
    random: Arc<Mutex<fastrand::Rng>>,
}

impl Jitter {
    /// Starts the sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { random: Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))) }
    }

    /// Draws a duration in `least..=most`.
    pub fn between(&self, least: Duration, most: Duration) -> Duration {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        least + most.saturating_sub(least).mul_f64(random.f64())
    }

    /// Draws an interval around `interval`, up to 10 % shorter, so that many pollers drift apart.
    pub fn spread(&self, interval: Duration) -> Duration {
        self.between(interval.mul_f64(0.9), interval)
    }
}

/// Delays that double from `least` to `most`, each with full jitter above half of it.
#[derive(Clone, Debug)]
pub struct Backoff {
    least: Duration,
    most: Duration,
    failures: u32,
    jitter: Jitter,
}

impl Backoff {
    /// Starts without failures.
    pub fn new(least: Duration, most: Duration, jitter: Jitter) -> Self {
        Self { least, most, failures: 0, jitter }
    }

    /// Counts a failure and returns how long to wait; `after` is what a server asked for, and wins up to 15 min.
    pub fn failed(&mut self, after: Option<Duration>) -> Duration {
        let ceiling = self.least.saturating_mul(1 << self.failures.min(20)).min(self.most);
        self.failures = self.failures.saturating_add(1);
        let own = self.jitter.between(ceiling / 2, ceiling);
        after.map_or(own, |asked| asked.min(Duration::from_secs(15 * 60)).max(own))
    }

    /// Forgets the failures.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff() -> Backoff {
        Backoff::new(Duration::from_secs(1), Duration::from_secs(300), Jitter::new(7))
    }

    #[test]
    fn delays_grow_to_the_bound_and_stay_there() {
        let mut backoff = backoff();
        let delays: Vec<_> = (0..40).map(|_| backoff.failed(None)).collect();
        assert!(delays[0] <= Duration::from_secs(1));
        assert!(delays.iter().all(|delay| *delay <= Duration::from_secs(300)));
        assert!(delays[39] >= Duration::from_secs(150));
    }

    #[test]
    fn a_servers_wish_is_honoured_up_to_a_quarter_of_an_hour() {
        assert_eq!(backoff().failed(Some(Duration::from_secs(120))), Duration::from_secs(120));
        assert_eq!(backoff().failed(Some(Duration::from_secs(1_000_000_000))), Duration::from_secs(900));
    }

    #[test]
    fn one_seed_gives_one_sequence() {
        let draw = |seed| {
            let jitter = Jitter::new(seed);
            [(); 4].map(|()| jitter.spread(Duration::from_secs(60)))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
