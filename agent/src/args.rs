//! What the user typed: the command line, and which verb answers it.
//!
//! Exit codes of all verbs: 0 fine or nothing to do, 1 findings or changes, 2 could not answer, 3 not found.

use std::io::{self, BufRead, BufWriter, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Failure;
use crate::verbs;

/// A GitOps agent: watches registries, commits image updates to git, syncs git into Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the daemon.
    Run(verbs::run::Args),
    /// Show what would be committed and applied now; exit code 1 says that there is something.
    Plan(verbs::plan::Args),
    /// Explain a workload's image: every tag and the reason it is taken or not.
    Explain(verbs::explain::Args),
    /// Work with policies, offline.
    #[command(subcommand)]
    Policy(Policy),
    /// Work with image references, offline.
    #[command(subcommand)]
    Reference(Reference),
    /// Work with manifests, offline.
    #[command(subcommand)]
    Manifest(Manifest),
    /// Judge live objects from a file, as `kubectl get -o yaml` prints them, offline.
    Health(verbs::health::Args),
    /// Print the version.
    Version(verbs::version::Args),
}

#[derive(Debug, Subcommand)]
enum Policy {
    /// Select from tags on standard input, one a line.
    Select(verbs::policy_select::Args),
}

#[derive(Debug, Subcommand)]
enum Reference {
    /// Normalize references as a container runtime reads them.
    Parse(verbs::reference_parse::Args),
}

#[derive(Debug, Subcommand)]
enum Manifest {
    /// List the image fields of files.
    Images(verbs::manifest_images::Args),
    /// Change an image and nothing else; the edited file goes to standard output.
    SetImage(verbs::manifest_set_image::Args),
}

/// Runs the verb and turns its outcome into an exit code; failures go to standard error.
pub fn run(args: &Args) -> ExitCode {
    let mut output = BufWriter::new(io::stdout().lock());
    let outcome = dispatch(&args.verb, &mut io::stdin().lock(), &mut output).and_then(|code| {
        output.flush().map_err(|error| Failure::retry("cannot write to standard output").because(error))?;
        Ok(code)
    });
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            // Nothing is left to do if standard error is gone too.
            writeln!(io::stderr(), "error: {}", failure.chain()).ok();
            ExitCode::from(2)
        }
    }
}

fn dispatch(verb: &Verb, input: &mut dyn BufRead, output: &mut dyn Write) -> Result<u8, Failure> {
    match verb {
        Verb::Run(args) => verbs::run::run(args),
        Verb::Plan(args) => verbs::plan::run(args, output),
        Verb::Explain(args) => verbs::explain::run(args, output),
        Verb::Policy(Policy::Select(args)) => verbs::policy_select::run(args, input, output),
        Verb::Reference(Reference::Parse(args)) => verbs::reference_parse::run(args, input, output),
        Verb::Manifest(Manifest::Images(args)) => verbs::manifest_images::run(args, input, output),
        Verb::Manifest(Manifest::SetImage(args)) => verbs::manifest_set_image::run(args, input, output),
        Verb::Health(args) => verbs::health::run(args, input, output),
        Verb::Version(args) => verbs::version::run(args, input, output),
    }
}
