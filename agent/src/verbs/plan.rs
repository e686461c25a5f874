//! `tidegate plan`: what would be committed and applied now, without doing any of it.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use similar::TextDiff;
use tidegate_policy::sync::Outline;
use tidegate_policy::update::{Change, Decision, HoldReason, UpdatePlan};

use super::look::{Look, block_on};
use super::{Format, unwritten, write_json};
use crate::config::Source;
use crate::error::Failure;
use crate::source::SeenRevision;
use crate::sync::{self, UnitPlan};
use crate::update::{EditedFile, Planned};

/// Arguments of `plan`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/tidegate/tidegate.yaml")]
    config: PathBuf,
    /// How the answer is written.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// The answer; a stable shape.
#[derive(Default, Serialize)]
struct Answer {
    sources: Vec<SourceAnswer>,
    units: Vec<Outline>,
}

#[derive(Serialize)]
struct SourceAnswer {
    name: String,
    revision: String,
    changes: Vec<Change>,
    held: Vec<Held>,
}

#[derive(Serialize)]
struct Held {
    field: String,
    reason: HoldReason,
    message: String,
}

/// What was found for one source.
struct Found {
    planned: Planned,
    units: Vec<UnitPlan>,
}

/// Prints the plan; exit code 1 if there is something to do, 0 if not.
pub fn run(args: &Args, output: &mut dyn Write) -> Result<u8, Failure> {
    let found = block_on(async {
        let look = Look::open(&args.config).await?;
        let mut found = Vec::new();
        for source in &look.config.sources {
            found.push((source.name.clone(), look_at(&look, source).await?));
        }
        Ok(found)
    })?;
    for (_, found) in &found {
        warn(found);
    }
    let edited: Vec<EditedFile> = found.iter().flat_map(|(_, found)| found.planned.edited.clone()).collect();
    let answer = answer(found);
    match args.output {
        Format::Json => write_json(output, &answer)?,
        Format::Text => write_text(output, &answer, &edited).map_err(unwritten)?,
    }
    let quiet = answer.sources.iter().all(|source| source.changes.is_empty())
        && answer.units.iter().all(|unit| unit.apply.is_empty() && unit.prune.is_empty());
    Ok(u8::from(!quiet))
}

/// Says on standard error what the answer lacks: it stays one plan on standard output.
fn warn(found: &Found) {
    let units = found.units.iter();
    let refused = units
        .clone()
        .flat_map(|unit| &unit.refused)
        .map(|(object, by)| format!("{object}: it belongs to {by}"));
    let waiting = units.clone().flat_map(|unit| &unit.waiting);
    let waiting = waiting.map(|(object, waiting)| format!("{object}: {waiting}"));
    let findings = found.planned.report.findings.iter().chain(units.flat_map(|unit| &unit.findings));
    let failures = found.planned.failures.iter().map(Failure::chain);
    for line in failures.chain(findings.map(ToString::to_string)).chain(refused).chain(waiting) {
        // Nothing is left to do if standard error is gone.
        writeln!(std::io::stderr(), "warning: {line}").ok();
    }
}

async fn look_at(look: &Look, source: &Source) -> Result<Found, Failure> {
    let repo = look.repo(source)?;
    let mut planned = look.plan(source, &repo).await?;
    if !source.update {
        planned.plan = UpdatePlan { parent: planned.plan.parent, ..UpdatePlan::default() };
        planned.edited.clear();
    }
    let units = match (&look.cluster, source.sync) {
        (_, false) => Vec::new(),
        (Ok(cluster), true) => {
            let seen =
                SeenRevision { revision: planned.revision().to_owned(), files: Arc::clone(&planned.files) };
            let namespace = &look.config.cluster.namespace;
            sync::plan_once(&look.context, cluster, namespace, source, repo.as_ref(), &seen).await?
        }
        (Err(failure), true) => return Err(Failure::reject(failure.chain())),
    };
    Ok(Found { planned, units })
}

fn answer(found: Vec<(String, Found)>) -> Answer {
    let mut answer = Answer::default();
    for (name, Found { planned, units }) in found {
        let fields = planned.report.fields.iter().filter(|field| field.decision == Decision::Held);
        let held = fields.flat_map(|field| {
            field.holds.iter().map(|hold| Held {
                field: field.field.0.clone(),
                reason: hold.reason,
                message: hold.message.clone(),
            })
        });
        answer.sources.push(SourceAnswer {
            name,
            held: held.collect(),
            revision: planned.plan.parent,
            changes: planned.plan.changes,
        });
        answer.units.extend(units.into_iter().map(|unit| unit.outline));
    }
    answer
}

fn write_text(output: &mut dyn Write, answer: &Answer, edited: &[EditedFile]) -> std::io::Result<()> {
    for file in edited {
        let (old, new) = (String::from_utf8_lossy(&file.old), String::from_utf8_lossy(&file.new));
        let diff = TextDiff::from_lines(&old, &new);
        let (a, b) = (format!("a/{}", file.path), format!("b/{}", file.path));
        write!(output, "{}", diff.unified_diff().context_radius(3).header(&a, &b))?;
    }
    for source in &answer.sources {
        for change in &source.changes {
            writeln!(output, "# {}: {}", change.field.0, change.reason)?;
        }
        for held in &source.held {
            writeln!(output, "# {} is held: {}", held.field, held.message)?;
        }
    }
    for unit in &answer.units {
        let title = format!("{} {}", unit.source, unit.unit);
        for object in &unit.apply {
            writeln!(output, "apply {title}: {object}")?;
        }
        for object in &unit.prune {
            writeln!(output, "prune {title}: {object}")?;
        }
        if let Some(held) = &unit.held {
            writeln!(output, "held  {title}: {held}")?;
        }
    }
    Ok(())
}
