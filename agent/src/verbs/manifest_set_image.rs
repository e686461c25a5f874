//! `tidegate manifest set-image`: a file with other images in it, and every other byte as it was.
//!
//! Offline, and asks no policy: this is the tool of a CI job or a person, not of the update loop.

use std::io::{BufRead, Write};
use std::ops::Range;

use tidegate_policy::manifest::{Edit, ImageField, edit, scan_with};
use tidegate_policy::quote::quoted;
use tidegate_policy::reference::{ImageReference, Repository, split_written};

use super::file::read;
use super::image_path::ImagePathArgs;
use super::unwritten;
use crate::error::Failure;

/// The exit code for "no such image".
const NOT_FOUND: u8 = 3;

/// Arguments of `manifest set-image`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// File to read; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: String,
    /// The container or repository NAME gets the image REF, e.g. `web=ghcr.io/acme/web:1.4.3`; may be repeated
    #[arg(long = "set", required = true, value_name = "NAME=REF")]
    pub sets: Vec<String>,
    /// Only in this object: `Kind/namespace/name`, or `Kind/name` where the file names no namespace
    #[arg(long, value_name = "OBJECT")]
    pub object: Option<String>,
    /// Paths of custom kinds
    #[command(flatten)]
    pub paths: ImagePathArgs,
}

/// One `--set`.
struct Setting<'a> {
    name: &'a str,
    reference: &'a str,
}

/// Writes the edited file; nothing is written unless every NAME was found and every edit is safe.
pub fn run(args: &Args, input: &mut dyn BufRead, output: &mut dyn Write) -> Result<u8, Failure> {
    let settings = args.sets.iter().map(|set| parse(set)).collect::<Result<Vec<_>, _>>()?;
    let file = &args.file;
    let bytes = read(file, input)?;
    let found = scan_with(file, &bytes, &args.paths.read()?);
    for finding in &found.findings {
        eprintln!("{finding}");
    }
    let fields: Vec<&ImageField> =
        found.fields.iter().filter(|field| is_in(field, args.object.as_deref())).collect();
    let mut edits = Vec::new();
    let mut named: Vec<&ImageField> = Vec::new();
    for setting in &settings {
        let matching = matching(&fields, setting.name);
        if matching.is_empty() {
            let within = args.object.as_ref().map(|object| format!(" in {}", quoted(object)));
            let name = quoted(setting.name);
            eprintln!("{file}: no container or repository is called {name}{}", within.unwrap_or_default());
            return Ok(NOT_FOUND);
        }
        for field in &matching {
            edits.extend(edit::set_reference(field, setting.reference).map_err(refused)?);
        }
        named.extend(matching);
    }
    check_shared(&found.fields, &named, &edits)?;
    let edited = edit::apply(file, &bytes, &edits).map_err(refused)?;
    output.write_all(&edited).and_then(|()| output.flush()).map_err(unwritten)?;
    Ok(0)
}

fn parse(set: &str) -> Result<Setting<'_>, Failure> {
    let (name, reference) = set.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
        Failure::reject(format!("--set {} is no NAME=REF", quoted(set)))
            .hint("write the container or repository, `=`, and the new reference")
    })?;
    split_written(reference)
        .map_err(|error| Failure::reject(format!("--set {}", quoted(set))).because(error))?;
    Ok(Setting { name, reference })
}

fn refused(error: edit::EditError) -> Failure {
    Failure::reject(error.to_string()).because(error)
}

/// Whether the field is in the object asked for.
fn is_in(field: &ImageField, object: Option<&str>) -> bool {
    let Some(object) = object else { return true };
    let without_namespace = || {
        let (kind, name) = object.split_once('/')?;
        (!name.contains('/')).then(|| format!("{kind}//{name}"))
    };
    field.object == object || without_namespace().is_some_and(|object| field.object == object)
}

/// The fields of a container of this name; only if there is none, those of a repository of this name.
fn matching<'a>(fields: &[&'a ImageField], name: &str) -> Vec<&'a ImageField> {
    let of = |is: &dyn Fn(&ImageField) -> bool| fields.iter().copied().filter(|field| is(field)).collect();
    let containers: Vec<&ImageField> = of(&|field| field.container == name);
    if !containers.is_empty() {
        return containers;
    }
    let Some(repository) = repository(name) else { return Vec::new() };
    of(&|field| self::repository(&field.image).as_ref() == Some(&repository))
}

fn repository(text: &str) -> Option<Repository> {
    ImageReference::parse(text).ok().map(|reference| reference.repository)
}

/// Refuses to change, by an anchor, an image that was not named.
fn check_shared(all: &[ImageField], named: &[&ImageField], edits: &[Edit]) -> Result<(), Failure> {
    let is_edited = |range: &Range<usize>| edits.iter().any(|edit| edit.range == *range);
    let changes = |field: &ImageField| field.sites.iter().any(|site| is_edited(&site.range));
    if let Some((field, line)) =
        all.iter().filter(|field| changes(field)).find_map(|field| Some((field, field.shared?)))
    {
        let message = format!("line {line} reads the value of {} by an anchor and is no image", field.id.0);
        return Err(Failure::reject(message).hint("write the image out in each place"));
    }
    let other =
        all.iter().find(|field| !named.iter().any(|named| std::ptr::eq(*named, *field)) && changes(field));
    match other {
        None => Ok(()),
        Some(field) => Err(Failure::reject(format!("{} shares the value by an anchor", field.id.0))
            .hint("name that one too, or write the image out in each place")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    const TWO: &str = "kind: Deployment\nmetadata: {name: a, namespace: x}\nspec: {template: {spec: {containers: [\n  {name: web, image: 'nginx:1.2'}, # one\n  {name: log, image: fluentd}]}}}\r\n---\nkind: Deployment\nmetadata:\n  name: b\nspec: {template: {spec: {containers: [{name: web, image: nginx}]}}}";

    /// The changed lines of `text`, the exit code where it is not 0, or the failure.
    #[track_caller]
    fn check(text: &str, arguments: &[&str], expect: &str) {
        let cli = Cli::try_parse_from(["set-image", "-"].iter().chain(arguments)).unwrap();
        let mut output = Vec::new();
        let shown = match run(&cli.args, &mut text.as_bytes(), &mut output) {
            Err(failure) => failure.chain(),
            Ok(0) => {
                let output = String::from_utf8(output).unwrap();
                assert_eq!(output.split('\n').count(), text.split('\n').count());
                let changed =
                    output.split('\n').zip(text.split('\n')).filter(|(after, before)| after != before);
                changed.map(|(after, _)| after.to_owned()).collect::<Vec<_>>().join("\n")
            }
            Ok(code) => {
                assert!(output.is_empty());
                format!("exit {code}")
            }
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn a_container_gets_its_image_in_every_object() {
        check(
            TWO,
            &["--set", "web=ghcr.io/acme/web:1.3"],
            "  {name: web, image: 'ghcr.io/acme/web:1.3'}, # one\nspec: {template: {spec: {containers: [{name: web, image: ghcr.io/acme/web:1.3}]}}}",
        );
    }

    #[test]
    fn an_object_narrows_it() {
        check(
            TWO,
            &["--object", "Deployment/x/a", "--set", "web=nginx:1.3", "--set", "log=fluentd:v1"],
            "  {name: web, image: 'nginx:1.3'}, # one\n  {name: log, image: fluentd:v1}]}}}\r",
        );
        check(
            TWO,
            &["--object", "Deployment/b", "--set", "web=nginx:1.3"],
            "spec: {template: {spec: {containers: [{name: web, image: nginx:1.3}]}}}",
        );
        check(
            TWO,
            &["--object", "Deployment//b", "--set", "docker.io/library/nginx=nginx:1.3"],
            "spec: {template: {spec: {containers: [{name: web, image: nginx:1.3}]}}}",
        );
    }

    #[test]
    fn what_is_not_there_is_exit_code_three() {
        check(TWO, &["--set", "nope=nginx:1.3"], "exit 3");
        check(TWO, &["--set", "web=nginx:1.3", "--set", "nope=nginx:1.3"], "exit 3");
        check(TWO, &["--object", "Pod/x/a", "--set", "web=nginx:1.3"], "exit 3");
        check("", &["--set", "web=nginx:1.3"], "exit 3");
    }

    #[test]
    fn a_kustomization_takes_name_and_tag_apart() {
        check(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nimages:\n- name: web\n  newName: nginx\n  newTag: v1\n",
            &["--set", "web=ghcr.io/acme/web:1.10"],
            "  newName: ghcr.io/acme/web\n  newTag: \"1.10\"",
        );
        check(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nimages:\n- name: nginx\n  newTag: v1\n",
            &["--set", "nginx=redis:7"],
            "-#images/nginx has no line for the name: add `newName: …` first",
        );
    }

    #[test]
    fn a_path_of_a_custom_kind_is_named_on_the_command_line() {
        let text = "apiVersion: a.io/v1\nkind: Set\nmetadata: {name: s}\nspec: {name: web, image: 'x:1', log: {image: y:1}}\n";
        check(text, &["--set", "web=x:2"], "exit 3");
        check(
            text,
            &["--image-path", "Set.a.io=/spec/image", "--set", "web=x:2"],
            "spec: {name: web, image: 'x:2', log: {image: y:1}}",
        );
        check(
            text,
            &["--image-path", "Set.a.io=/spec/*/image", "--set", "y=y:2"],
            "spec: {name: web, image: 'x:1', log: {image: y:2}}",
        );
    }

    #[test]
    fn an_image_that_was_not_named_is_not_changed_by_an_anchor() {
        let text = "kind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: a, image: &i nginx}\n  - {name: b, image: *i}\n";
        check(
            text,
            &["--set", "a=nginx:1"],
            "-#/Pod//a#b shares the value by an anchor (hint: name that one too, or write the image out in each place)",
        );
        check(text, &["--set", "docker.io/library/nginx=nginx:1"], "  - {name: a, image: &i nginx:1}");
    }

    #[test]
    fn what_is_no_image_is_not_changed_by_an_anchor() {
        check(
            "kind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: a, image: &i nginx, env: [{name: I, value: *i}]}\n",
            &["--set", "a=nginx:1"],
            "line 5 reads the value of -#/Pod//a#a by an anchor and is no image (hint: write the image out in each place)",
        );
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        check(
            TWO,
            &["--set", "web"],
            "--set `web` is no NAME=REF (hint: write the container or repository, `=`, and the new reference)",
        );
        check(
            TWO,
            &["--set", "web=a b"],
            "--set `web=a b`: `a b` is no repository name: ` ` is not allowed in it",
        );
    }
}
