//! What a unit says of itself: log lines for what it leaves out, its health to everybody, its status to its parent.

use std::time::Duration;

use tidegate_policy::object::ObjectId;
use tidegate_policy::sync::health::Health;
use tidegate_policy::sync::plan::SyncReport;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::report::UnitReport;
use super::state::report;
use super::unit::Unit;
use crate::context::Context;
use crate::error::Failure;
use crate::metrics::Step;

/// The least time between two writes of a status.
const SHOW_EVERY: Duration = Duration::from_secs(1);
/// How long a write of a status may take.
const SHOW_LIMIT: Duration = Duration::from_secs(30);

impl Unit {
    /// Tells what a plan leaves out, and why.
    pub(super) fn tell(&mut self, report: &SyncReport) {
        let (source, unit, revision) = (&self.key.source, &self.key.unit, &self.input.revision);
        for finding in &self.input.desired.findings {
            warn!(event = "finding", %source, %unit, %revision, file = %finding.file, line = finding.line, message = %finding);
        }
        for (id, by) in &report.refused {
            let place = self.input.desired.objects.get(id).map(|object| object.place());
            warn!(
                event = "refused", %source, %unit, object = %id, %revision, place,
                reason = %format_args!("it belongs to {by}"),
                hint = "an object has one owner: remove it from here or from there",
            );
            self.trouble.refused.insert(id.clone(), by.clone());
        }
        for id in &report.adopted {
            info!(event = "adopted", %source, %unit, object = %id, %revision);
        }
        for (id, from) in &report.moved {
            info!(event = "moved", %source, %unit, object = %id, %revision, %from);
        }
        for (id, waiting) in &report.waiting {
            warn!(event = "waiting", %source, %unit, object = %id, %revision, reason = %waiting);
        }
    }

    /// Tells that an object could not be looked up, so it is not applied.
    pub(super) fn tell_unread(&mut self, id: ObjectId, failure: &Failure) {
        let (source, unit, revision) = (&self.key.source, &self.key.unit, &self.input.revision);
        let place = self.input.desired.objects.get(&id).map(|object| object.place());
        warn!(event = "read-failed", %source, %unit, object = %id, %revision, place, error = failure.chain());
        self.trouble.fail(id, failure);
    }

    /// Says in the parent what is about to be written, at its known version.
    pub(super) async fn announce(&mut self, context: &Context) -> Result<(), Failure> {
        let mut data = self.report().data();
        let words = [("health", Health::InProgress.to_string()), ("message", "being applied".to_owned())];
        data.extend(words.map(|(key, value)| (key.to_owned(), value)));
        let extent = self.extent();
        self.parent.announce(context, &extent, &data).await
    }

    fn report(&self) -> UnitReport {
        report(&self.input, &self.objects, &self.trouble, self.pruning.held.as_ref().map(ToString::to_string))
    }

    /// Tells everybody what changed, and plans to write it into the parent.
    pub(super) fn publish(&mut self) {
        let report = self.report();
        if self.reported.as_ref() == Some(&report) {
            return;
        }
        let (source, unit, revision) = (&self.key.source, &self.key.unit, &report.revision);
        let is_healthy = report.health == Health::Current;
        if is_healthy && self.healthy.as_ref() != Some(revision) {
            let elapsed = self.input.seen.elapsed();
            info!(event = "healthy", %source, %unit, %revision, objects = report.objects, elapsed_ms = millis(elapsed));
            self.hub.parts.metrics.step(source, Step::Healthy, elapsed);
            self.healthy = Some(revision.clone());
        } else if self.reported.as_ref().map(|before| before.health) != Some(report.health) {
            info!(event = "health", %source, %unit, %revision, health = %report.health, message = %report.message);
        }
        if !is_healthy {
            self.healthy = None;
        }
        self.hub.parts.metrics.unit_healthy(source, unit, is_healthy);
        self.hub.health.send_modify(|health| {
            health.units.insert(self.key.clone(), report.clone());
        });
        self.reported = Some(report);
        self.show_at = self.show_at.or_else(|| Some(Instant::now() + SHOW_EVERY));
    }

    /// Writes the status into the parent.
    pub(super) async fn show(&mut self) {
        self.show_at = None;
        let context = Context::new(&self.hub.parts.stop, SHOW_LIMIT);
        let data = self.report().data();
        if let Err(failure) = self.parent.show(&context, &data).await {
            debug!(event = "status-failed", source = %self.key.source, unit = %self.key.unit, error = %failure.chain());
            self.show_at = Some(Instant::now() + self.hub.parts.jitter.spread(Duration::from_secs(10)));
        }
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
