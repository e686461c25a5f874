//! Times that recur in a zone: cron is a matter of the clock on the wall, windows open at moments.
//!
//! A clock time that daylight saving skips is taken as much later as the clock jumps; one that comes twice counts at
//! its first coming. So a daily time comes once each day. Called by windows and polls. Not here: durations.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::cron::Cron;

/// A change of the clock matters for so long: no zone ever jumped further.
const JUMP_MAX: SignedDuration = SignedDuration::from_hours(48);

/// A cron expression in its zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Starts {
    pub(super) cron: Cron,
    pub(super) zone: TimeZone,
}

impl Starts {
    /// The last start that is not after `now`.
    pub(super) fn last(&self, now: Timestamp) -> Option<Timestamp> {
        let second = whole_second(now);
        let clock = second + seconds(self.zone.to_offset(now));
        let clocks = [Some(clock), self.jump_before(now).map(|jump| jump.last_old_clock(second))];
        let starts = clocks.into_iter().flatten().filter_map(|clock| self.at(self.cron.until(clock)?));
        starts.filter(|start| *start <= now).max()
    }

    /// The first start after `now`.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let second = whole_second(now);
        let clock = second + seconds(self.zone.to_offset(now));
        let clocks = [
            Some(clock),
            self.jump_before(now).map(|jump| jump.last_old_clock(second)),
            // A skipped time is moved behind those that follow the jump, so these are asked for as well.
            self.jump_after(now).map(Jump::before_new_clock),
        ];
        let starts = clocks.into_iter().flatten().filter_map(|clock| self.at(self.cron.after(clock)?));
        starts.filter(|start| *start > now).min()
    }

    /// The moment at which the clock of the zone shows `clock`.
    fn at(&self, clock: i64) -> Option<Timestamp> {
        let civil: DateTime = Offset::UTC.to_datetime(Timestamp::from_second(clock).ok()?);
        self.zone.to_ambiguous_timestamp(civil).compatible().ok()
    }

    fn jump_before(&self, now: Timestamp) -> Option<Jump> {
        let end = now.checked_add(SignedDuration::from_nanos(1)).ok()?;
        let moment = self.zone.preceding(end).next()?.timestamp();
        self.jump(moment).filter(|_| now.duration_since(moment) < JUMP_MAX)
    }

    fn jump_after(&self, now: Timestamp) -> Option<Jump> {
        let moment = self.zone.following(now).next()?.timestamp();
        self.jump(moment)
    }

    fn jump(&self, moment: Timestamp) -> Option<Jump> {
        let before = moment.checked_sub(SignedDuration::from_nanos(1)).ok()?;
        let (old, new) = (self.zone.to_offset(before), self.zone.to_offset(moment));
        Some(Jump { moment: moment.as_second(), old: seconds(old), new: seconds(new) })
    }
}

/// A change of the offset of a zone, in seconds.
#[derive(Clone, Copy)]
struct Jump {
    moment: i64,
    old: i64,
    new: i64,
}

impl Jump {
    /// What the clock would show at `second` had it not jumped, but no time that it shows after an overlap.
    ///
    /// In the skipped hour this finds the times that were moved; in the hour that comes twice, those of its first
    /// coming that the clock on the wall has yet to show again.
    fn last_old_clock(self, second: i64) -> i64 {
        let clock = second + self.old;
        if self.old > self.new { clock.min(self.moment + self.old - 1) } else { clock }
    }

    /// The second before the clock shows its first time after the jump.
    fn before_new_clock(self) -> i64 {
        self.moment + self.new - 1
    }
}

fn seconds(offset: Offset) -> i64 {
    i64::from(offset.seconds())
}

/// The second that `now` lies in: starts fall on whole ones.
fn whole_second(now: Timestamp) -> i64 {
    now.as_second() - i64::from(now.subsec_nanosecond() < 0)
}
