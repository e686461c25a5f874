//! One log line for every decision that changed, and the gauges of decisions.
//!
//! Called by [`super::tick`] after each plan.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tidegate_policy::finding::Finding;
use tidegate_policy::manifest::FieldId;
use tidegate_policy::update::{Decision, FieldReport, UpdatePlan, UpdateReport};

use crate::metrics::Metrics;

/// What was said last, so that nothing is said twice.
pub(super) struct Reporter {
    source: String,
    metrics: Metrics,
    said: HashMap<FieldId, String>,
    findings: BTreeSet<String>,
    states: BTreeSet<&'static str>,
}

impl Reporter {
    pub(super) fn new(source: &str, metrics: Metrics) -> Self {
        Self {
            source: source.to_owned(),
            metrics,
            said: HashMap::new(),
            findings: BTreeSet::new(),
            states: BTreeSet::new(),
        }
    }

    /// Logs what is new in `report` and sets the gauges.
    pub(super) fn report(&mut self, plan: &UpdatePlan, report: &UpdateReport) {
        let decisions: HashMap<&FieldId, &str> =
            plan.changes.iter().map(|change| (&change.field, change.decision.as_str())).collect();
        let mut said = HashMap::with_capacity(report.fields.len());
        for field in &report.fields {
            let words = words(field);
            if self.said.get(&field.field) != Some(&words) {
                self.log(&plan.parent, field, decisions.get(&field.field).copied(), &words);
            }
            said.insert(field.field.clone(), words);
        }
        self.said = said;
        self.report_findings(&plan.parent, &report.findings);
        self.set_gauges(report);
    }

    fn log(&self, revision: &str, field: &FieldReport, id: Option<&str>, words: &str) {
        let (source, image, outcome) = (&self.source, &field.image, state(field));
        let (name, place) = (&field.field.0, format!("{}:{}", field.file, field.line));
        // The level is part of a log line's place in the code, so each level has a line of its own.
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    event = "decision",
                    source,
                    field = name,
                    place,
                    image,
                    outcome,
                    decision = id,
                    revision,
                    "{words}"
                )
            };
        }
        if field.decision == Decision::NoPolicy {
            line!(debug); // most images of most repositories
        } else if !field.warnings.is_empty() || field.decision == Decision::Held {
            line!(warn);
        } else {
            line!(info);
        }
    }

    fn report_findings(&mut self, revision: &str, findings: &[Finding]) {
        let now: BTreeSet<String> = findings.iter().map(ToString::to_string).collect();
        for finding in now.difference(&self.findings) {
            tracing::warn!(event = "finding", source = self.source, revision, "{finding}");
        }
        self.findings = now;
    }

    fn set_gauges(&mut self, report: &UpdateReport) {
        let mut counts: BTreeMap<&'static str, usize> = self.states.iter().map(|state| (*state, 0)).collect();
        for field in &report.fields {
            *counts.entry(state(field)).or_default() += 1;
        }
        for (state, count) in &counts {
            self.metrics.fields(&self.source, state, *count);
        }
        self.states = counts.into_keys().collect();
    }
}

/// The decision's code, or the code of the first hold.
fn state(field: &FieldReport) -> &'static str {
    field.holds.first().map_or(field.decision.code(), |hold| hold.reason.code())
}

/// The decision in words.
fn words(field: &FieldReport) -> String {
    let mut words = match (field.decision, &field.selected) {
        (Decision::Update, Some(tag)) => format!("moves to {tag}"),
        (Decision::Waiting, Some(tag)) => format!("waits for the manifest of {tag}"),
        (Decision::Waiting | Decision::Update, None) => "waits for the registry".to_owned(),
        (Decision::UpToDate, _) => "is up to date".to_owned(),
        (Decision::NoPolicy, _) => "has no policy".to_owned(),
        (Decision::Held, None) => "is held".to_owned(),
        (Decision::Held, Some(tag)) => format!("is held and would move to {tag}"),
    };
    for hold in &field.holds {
        words = format!("{words}; {}: {}", hold.reason.code(), hold.message);
    }
    for warning in &field.warnings {
        words = format!("{words}; {warning}");
    }
    words
}
