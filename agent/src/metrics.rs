//! Prometheus metrics: a closed set of names, labels bounded by the configuration.
//!
//! No label ever carries a tag, a commit, a URL or an object: their number has no bound.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Outcome {
    /// It did what it should.
    Ok,
    /// It failed and is tried again.
    Failed,
    /// The remote branch had moved.
    Lost,
    /// The server refused.
    Refused,
}

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Action {
    /// It was new.
    Created,
    /// It changed.
    Configured,
    /// The server found nothing to change.
    Unchanged,
    /// It was deleted.
    Pruned,
    /// It was brought back after somebody else changed it.
    Corrected,
    /// It could not be written.
    Failed,
}

/// A step on the way of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Step {
    /// From the first listing that shows a tag to the commit's acknowledgement.
    Commit,
    /// From a revision being known to all its objects being applied.
    Apply,
    /// From the apply to the unit being Current.
    Healthy,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostOutcome {
    host: String,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceOutcome {
    source: String,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceState {
    source: String,
    state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UnitAction {
    source: String,
    unit: String,
    action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UnitHealth {
    source: String,
    unit: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepOf {
    source: String,
    step: Step,
}

/// All metrics of the process; clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    scans: Family<HostOutcome, Counter>,
    fetches: Family<SourceOutcome, Counter>,
    pushes: Family<SourceOutcome, Counter>,
    fields: Family<SourceState, Gauge>,
    objects: Family<UnitAction, Counter>,
    health: Family<UnitHealth, Gauge>,
    steps: Family<StepOf, Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers every metric.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("tidegate");
        let scans = Family::default();
        let fetches = Family::default();
        let pushes = Family::default();
        let fields = Family::default();
        let objects = Family::default();
        let health = Family::default();
        let steps = Family::new_with_constructor(seconds as fn() -> Histogram);
        registry.register("scans", "Listings of a repository's tags, by registry host", scans.clone());
        registry.register("fetches", "Fetches of a source's branch", fetches.clone());
        registry.register("pushes", "Pushes of a commit", pushes.clone());
        registry.register("fields", "Image fields of a source by decision or hold", fields.clone());
        registry.register("objects", "Objects written or deleted, by unit", objects.clone());
        registry.register("unit_healthy", "1 if every object of the unit is Current", health.clone());
        registry.register("step_seconds", "Time taken by the steps of a release", steps.clone());
        Self { registry: Arc::new(registry), scans, fetches, pushes, fields, objects, health, steps }
    }

    /// Counts a listing.
    pub fn scanned(&self, host: &str, outcome: Outcome) {
        self.scans.get_or_create(&HostOutcome { host: host.to_owned(), outcome }).inc();
    }

    /// Counts a fetch.
    pub fn fetched(&self, source: &str, outcome: Outcome) {
        self.fetches.get_or_create(&SourceOutcome { source: source.to_owned(), outcome }).inc();
    }

    /// Counts a push.
    pub fn pushed(&self, source: &str, outcome: Outcome) {
        self.pushes.get_or_create(&SourceOutcome { source: source.to_owned(), outcome }).inc();
    }

    /// Sets how many fields of a source are in `state` (a decision or a hold's reason code).
    pub fn fields(&self, source: &str, state: &str, count: usize) {
        let labels = SourceState { source: source.to_owned(), state: state.to_owned() };
        self.fields.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Counts something done to an object.
    pub fn object(&self, source: &str, unit: &str, action: Action) {
        let labels = UnitAction { source: source.to_owned(), unit: unit.to_owned(), action };
        self.objects.get_or_create(&labels).inc();
    }

    /// Sets whether a unit is healthy.
    pub fn unit_healthy(&self, source: &str, unit: &str, healthy: bool) {
        let labels = UnitHealth { source: source.to_owned(), unit: unit.to_owned() };
        self.health.get_or_create(&labels).set(i64::from(healthy));
    }

    /// Records the time a step took.
    pub fn step(&self, source: &str, step: Step, time: Duration) {
        self.steps.get_or_create(&StepOf { source: source.to_owned(), step }).observe(time.as_secs_f64());
    }

    /// Prints all metrics in the `OpenMetrics` text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String cannot fail");
        text
    }
}

fn seconds() -> Histogram {
    Histogram::new([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_printed() {
        let metrics = Metrics::new();
        metrics.pushed("fleet", Outcome::Lost);
        metrics.object("fleet", "apps/web", Action::Corrected);
        let text = metrics.text();
        assert!(text.contains(r#"tidegate_pushes_total{source="fleet",outcome="Lost"} 1"#), "{text}");
        assert!(text.contains(r#"action="Corrected""#), "{text}");
    }
}
