//! `tidegate explain`: each tag of a workload's images, and the reason it is taken or not.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use tidegate_policy::reference::ImageReference;
use tidegate_policy::update::{FieldReport, HoldReport, TagVerdict};

use super::look::{Look, block_on};
use super::{Format, unwritten, write_json};
use crate::config::Source;
use crate::error::Failure;

/// Arguments of `explain`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The workload: Kind/namespace/name, Kind/name, a name, or a whole field id.
    workload: String,
    /// Only this container.
    #[arg(long)]
    container: Option<String>,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/tidegate/tidegate.yaml")]
    config: PathBuf,
    /// How the answer is written: JSON is one object a line, one for each image field.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// The answer for one image field; a stable shape.
#[derive(Serialize)]
struct Answer {
    selected: Option<String>,
    error: Option<String>,
    tags: Vec<TagVerdict>,
    field: String,
    image: String,
    current: Option<String>,
    holds: Vec<HoldReport>,
    decision: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// Prints the explanation of every matching image field; exit code 3 if there is none.
pub fn run(args: &Args, output: &mut dyn Write) -> Result<u8, Failure> {
    let answers = block_on(async {
        let look = Look::open(&args.config).await?;
        let mut answers = Vec::new();
        for source in &look.config.sources {
            let planned = look.plan(source, &look.repo(source)?).await?;
            let wanted = |field: &&FieldReport| matches(args, source, field);
            for field in planned.report.fields.iter().filter(wanted) {
                answers.push(explain(field, planned.verdicts(&field.field)));
            }
        }
        Ok(answers)
    })?;
    for answer in &answers {
        match args.output {
            Format::Json => write_json(output, answer)?,
            Format::Text => write_text(output, answer).map_err(unwritten)?,
        }
    }
    if answers.is_empty() {
        let workload = &args.workload;
        // Nothing is left to do if standard error is gone.
        writeln!(
            std::io::stderr(),
            "error: no image of `{workload}` is in any source (hint: Kind/namespace/name as git writes it; `tidegate plan` reads every file)"
        )
        .ok();
        return Ok(3);
    }
    Ok(0)
}

fn explain(field: &FieldReport, tags: Option<Vec<TagVerdict>>) -> Answer {
    let current = ImageReference::parse(&field.image).ok().and_then(|image| image.tag);
    Answer {
        selected: field.selected.clone(),
        error: None,
        tags: tags.unwrap_or_default(),
        field: field.field.0.clone(),
        image: field.image.clone(),
        current: current.map(|tag| tag.as_str().to_owned()),
        holds: field.holds.clone(),
        decision: field.decision.code(),
        warnings: field.warnings.clone(),
    }
}

/// Whether a field belongs to the workload that was asked for; kinds are compared without regard to case.
fn matches(args: &Args, source: &Source, field: &FieldReport) -> bool {
    if args.container.as_ref().is_some_and(|container| *container != field.container) {
        return false;
    }
    if field.field.0 == args.workload {
        return true;
    }
    let (mut kind, mut namespace, mut name) = ("", "", field.object.as_str());
    if let [first, second, third] = field.object.splitn(3, '/').collect::<Vec<_>>()[..] {
        (kind, namespace, name) = (first, second, third);
    }
    // An object that names no namespace lives in the source's.
    let namespace = if namespace.is_empty() { &source.namespace } else { namespace };
    match args.workload.split('/').collect::<Vec<_>>()[..] {
        [wanted] => wanted == name,
        [wanted, of_name] => wanted.eq_ignore_ascii_case(kind) && of_name == name,
        [wanted, of_namespace, of_name] => {
            wanted.eq_ignore_ascii_case(kind) && of_namespace == namespace && of_name == name
        }
        _ => false,
    }
}

fn write_text(output: &mut dyn Write, answer: &Answer) -> std::io::Result<()> {
    writeln!(output, "{}", answer.field)?;
    writeln!(output, "  image:    {}", answer.image)?;
    writeln!(output, "  decision: {}", answer.decision)?;
    if let Some(selected) = &answer.selected {
        writeln!(output, "  selected: {selected}")?;
    }
    for hold in &answer.holds {
        writeln!(output, "  held:     {} ({})", hold.message, hold.reason.code())?;
    }
    for warning in &answer.warnings {
        writeln!(output, "  warning:  {warning}")?;
    }
    let width = answer.tags.iter().map(|verdict| verdict.tag.len()).max().unwrap_or(0);
    for verdict in &answer.tags {
        let code = verdict.reason.map_or("", |reason| reason.code());
        let code =
            if code.is_empty() { format!("{:?}", verdict.outcome).to_lowercase() } else { code.to_owned() };
        writeln!(output, "  {:width$}  {code:<16} {}", verdict.tag, verdict.message)?;
    }
    Ok(())
}
