//! What all update loops together want to know of one repository, and when that asks for the next listing.
//!
//! Called by the board, which adds the interests up, and by the repositories' tasks.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tidegate_policy::reference::Tag;
use tidegate_policy::schedule::Poll;
use tidegate_policy::update::Interest;

use crate::backoff::Jitter;

/// A host is not asked more often about one repository, whatever a manifest says.
const POLL_MIN: Duration = Duration::from_millis(500);

/// The interests of all subscribers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Interests {
    polls: Vec<Poll>,
    default_poll: bool,
    /// Tags that are followed by digest.
    pub(super) follow: BTreeSet<Tag>,
}

impl Interests {
    pub(super) fn add(&mut self, interest: &Interest) {
        for poll in &interest.polls {
            if !self.polls.contains(poll) {
                self.polls.push(poll.clone());
            }
        }
        self.default_poll |= interest.default_poll;
        self.follow.extend(interest.follow.iter().cloned());
    }

    /// How long after a listing at `listed` the next one is due: the shortest wins.
    ///
    /// Intervals are spread, so that many repositories drift apart; times of day are kept.
    pub(super) fn wait(&self, listed: Timestamp, default: Duration, jitter: &Jitter) -> Duration {
        let intervals = self.polls.iter().filter_map(Poll::interval);
        let intervals = intervals.filter_map(|interval| Duration::try_from(interval).ok());
        let uses_default = self.default_poll || self.polls.is_empty();
        let interval =
            intervals.chain(uses_default.then_some(default)).min().map(|least| jitter.spread(least));
        let by_clock = self.polls.iter().filter(|poll| poll.interval().is_none());
        let next = by_clock.filter_map(|poll| poll.next(listed)).min();
        let until_next = next.and_then(|next| Duration::try_from(next.duration_since(listed)).ok());
        [interval, until_next].into_iter().flatten().min().unwrap_or(default).max(POLL_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(polls: &[&str], default_poll: bool, expect: std::ops::RangeInclusive<u64>) {
        let polls = polls.iter().map(|poll| Poll::parse(poll).unwrap()).collect();
        let mut interests = Interests::default();
        interests.add(&Interest { polls, default_poll, ..Interest::default() });
        let listed = "2026-06-01T12:58:00Z".parse().unwrap();
        let wait = interests.wait(listed, Duration::from_secs(60), &Jitter::new(1));
        assert!(expect.contains(&wait.as_secs()), "{wait:?}");
    }

    #[test]
    fn the_shortest_poll_wins_and_the_host_s_own_only_where_a_field_has_none() {
        check(&[], true, 54..=60);
        check(&[], false, 54..=60);
        check(&["10s", "1h"], true, 9..=10);
        check(&["1h"], true, 54..=60);
        check(&["1h"], false, 3240..=3600);
        check(&["0 13 * * *"], false, 120..=120);
        check(&["0 13 * * *", "30s"], false, 27..=30);
        check(&["0 14 * * *"], true, 54..=60);
    }
}
