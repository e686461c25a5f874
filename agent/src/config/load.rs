//! Text → [`Config`]: serde's errors made actionable, then the rules that serde cannot know.

use std::path::Path;
use std::time::Duration;

use tidegate_policy::annotation::min_age;
use tidegate_policy::manifest::ImagePaths;
use tidegate_policy::schedule::Windows;
use tidegate_policy::spelling::nearest;
use tidegate_policy::sync::units::pattern_error;
use tidegate_policy::update::Guards;

use super::{ClusterConfig, Config, GitCredentials, RegistryCredentials, RegistryHost, Source, raw};
use crate::error::Failure;

/// Keys of the documented format that this version does not support: naming one is an error of its own.
const LATER: &[&str] = &[
    "secret",
    "sshKeyFile",
    "knownHostsFile",
    "githubApp",
    "serviceAccount",
    "hold",
    "adopt",
    "hooks",
    "notifications",
    "signing",
    "authRealm",
    "clusters",
    "commitSubject",
    "skipCi",
];

const POLL_MIN: Duration = Duration::from_millis(500);
const POLL_MAX: Duration = Duration::from_secs(24 * 3600);

/// Reads and validates the file at `path`.
pub fn load(path: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::reject(format!("cannot read the configuration {}", path.display()))
            .because(error)
            .hint("give its path with --config")
    })?;
    parse(&path.display().to_string(), &text)
}

/// Validates the text of a configuration; `file` names it in errors.
pub fn parse(file: &str, text: &str) -> Result<Config, Failure> {
    let raw: raw::Config = serde_yaml::from_str(text).map_err(|error| explain(file, &error))?;
    let listen = raw.listen.parse().map_err(|error| {
        invalid(file, "listen", &raw.listen).because(error).hint("an IP address and a port: 127.0.0.1:8080")
    })?;
    let mut sources = Vec::new();
    for (index, source) in raw.sources.into_iter().enumerate() {
        sources.push(check_source(file, &format!("sources[{index}]"), source)?);
    }
    if sources.is_empty() {
        return Err(
            Failure::reject(format!("{file}: `sources` is empty")).hint("name at least one repository")
        );
    }
    refuse_twice(file, "sources", "name", sources.iter().map(|source| source.name.as_str()))?;
    let mut registries = Vec::new();
    for (index, registry) in raw.registries.into_iter().enumerate() {
        registries.push(check_registry(file, &format!("registries[{index}]"), registry)?);
    }
    refuse_twice(file, "registries", "host", registries.iter().map(|registry| registry.host.as_str()))?;
    check_label(file, "cluster.namespace", &raw.cluster.namespace)?;
    let cluster = ClusterConfig { kubeconfig: raw.cluster.kubeconfig, namespace: raw.cluster.namespace };
    Ok(Config { listen, state: raw.state, sources, registries, cluster })
}

fn check_source(file: &str, key: &str, raw: raw::Source) -> Result<Source, Failure> {
    check_label(file, &format!("{key}.name"), &raw.name)?;
    check_label(file, &format!("{key}.namespace"), &raw.namespace)?;
    check_url(file, &format!("{key}.url"), &raw.url, raw.allow_insecure)?;
    if !git2::Reference::is_valid_name(&format!("refs/heads/{}", raw.branch)) {
        return Err(
            invalid(file, &format!("{key}.branch"), &raw.branch).hint("a branch name without refs/heads/")
        );
    }
    let path = check_path(file, &format!("{key}.path"), &raw.path)?;
    let mut units = Vec::new();
    for unit in &raw.units {
        if let Some(hint) = pattern_error(unit) {
            return Err(invalid(file, &format!("{key}.units"), unit).hint(hint));
        }
        units.push(check_path(file, &format!("{key}.units"), unit)?);
    }
    if !raw.update && !raw.sync {
        return Err(Failure::reject(format!("{file}: `{key}` neither updates nor syncs"))
            .hint("set `update: true`, `sync: true`, or remove the source"));
    }
    Ok(Source {
        poll: check_poll(file, &format!("{key}.poll"), &raw.poll)?,
        credentials: raw.credentials.map(|raw| git_credentials(file, key, raw)).transpose()?,
        name: raw.name,
        url: raw.url,
        branch: raw.branch,
        path,
        units,
        update: raw.update,
        sync: raw.sync,
        namespace: raw.namespace,
        guards: check_guards(file, &format!("{key}.guards"), &raw.guards)?,
        image_paths: check_image_paths(file, &format!("{key}.imagePaths"), &raw.image_paths)?,
        allow_insecure: raw.allow_insecure,
        ca_file: raw.ca_file,
        author: raw.author,
    })
}

fn check_guards(file: &str, key: &str, raw: &raw::Guards) -> Result<Guards, Failure> {
    let refuse = |key: &str, value: &str, (problem, hint): (String, String)| {
        invalid(file, key, value).because(problem).hint(hint)
    };
    let min_age = match &raw.min_age {
        Some(text) => {
            let key = format!("{key}.minAge");
            Some(min_age(text).map_err(|problem| refuse(&key, text, problem))?)
        }
        None => None,
    };
    let mut windows = Windows::default();
    for text in &raw.window {
        let key = format!("{key}.window");
        let read = Windows::parse_list(text).map_err(|problem| refuse(&key, text, problem))?;
        windows.open.extend(read.open);
        windows.freeze.extend(read.freeze);
    }
    Ok(Guards { min_age, windows, allow_downgrade: raw.allow_downgrade })
}

fn check_image_paths(file: &str, key: &str, raw: &[raw::ImagePaths]) -> Result<ImagePaths, Failure> {
    let mut image_paths = ImagePaths::default();
    for (index, entry) in raw.iter().enumerate() {
        for path in &entry.paths {
            image_paths.add(&entry.group, &entry.kind, path).map_err(|error| {
                Failure::reject(format!("{file}: `{key}[{index}]`: {}", error.message)).hint(error.hint)
            })?;
        }
    }
    Ok(image_paths)
}

fn check_registry(file: &str, key: &str, raw: raw::Registry) -> Result<RegistryHost, Failure> {
    if raw.host.is_empty() || raw.host.contains(['/', '@', ' ']) {
        return Err(invalid(file, &format!("{key}.host"), &raw.host)
            .hint("host and optional port as in image references, without scheme or path: ghcr.io"));
    }
    Ok(RegistryHost {
        poll: check_poll(file, &format!("{key}.poll"), &raw.poll)?,
        credentials: raw.credentials.map(|raw| registry_credentials(file, key, raw)).transpose()?,
        host: raw.host,
        plain_http: raw.plain_http,
        ca_file: raw.ca_file,
    })
}

fn git_credentials(file: &str, key: &str, raw: raw::GitCredentials) -> Result<GitCredentials, Failure> {
    match (raw.username, raw.password_file, raw.token_file) {
        (Some(username), Some(password_file), None) => {
            Ok(GitCredentials::Password { username, password_file })
        }
        (None, None, Some(token_file)) => Ok(GitCredentials::Token { token_file }),
        _ => Err(Failure::reject(format!("{file}: `{key}.credentials` is incomplete or ambiguous"))
            .hint("either `username` and `passwordFile`, or `tokenFile` alone")),
    }
}

fn registry_credentials(
    file: &str,
    key: &str,
    raw: raw::RegistryCredentials,
) -> Result<RegistryCredentials, Failure> {
    match (raw.docker_config_file, raw.username_file, raw.password_file) {
        (Some(path), None, None) => Ok(RegistryCredentials::DockerConfig(path)),
        (None, Some(username_file), Some(password_file)) => {
            Ok(RegistryCredentials::Password { username_file, password_file })
        }
        _ => Err(Failure::reject(format!("{file}: `{key}.credentials` is incomplete or ambiguous"))
            .hint("either `dockerConfigFile`, or `usernameFile` and `passwordFile`")),
    }
}

/// Refuses what is no plain HTTP(S) URL; userinfo is refused because URLs are printed.
fn check_url(file: &str, key: &str, text: &str, allow_insecure: bool) -> Result<(), Failure> {
    let shown = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    let url = url::Url::parse(text).map_err(|error| {
        invalid(file, key, shown).because(error).hint("https://git.example.com/group/repository.git")
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            invalid(file, key, shown).hint("put the credentials under `credentials`, not into the URL")
        );
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if allow_insecure => Ok(()),
        "http" => {
            Err(invalid(file, key, shown).hint("use https://, or set `allowInsecure: true` on this source"))
        }
        "ssh" | "git+ssh" => {
            Err(invalid(file, key, shown).hint("ssh is not supported by this version: use https://"))
        }
        _ => Err(invalid(file, key, shown).hint("the URL must start with https://")),
    }
}

/// Normalizes a directory: no leading or trailing `/`, no empty, `.` or `..` parts.
fn check_path(file: &str, key: &str, text: &str) -> Result<String, Failure> {
    let trimmed = text.trim_start_matches("./").trim_matches('/');
    if trimmed.is_empty() || trimmed == "." {
        return Ok(String::new());
    }
    if trimmed.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err(invalid(file, key, text).hint("a directory inside the repository, like clusters/prod"));
    }
    Ok(trimmed.to_owned())
}

fn check_poll(file: &str, key: &str, text: &str) -> Result<Duration, Failure> {
    let hint = "a duration from 500ms to 24h, like 30s or 1m";
    let duration: jiff::SignedDuration =
        text.parse().map_err(|error: jiff::Error| invalid(file, key, text).because(error).hint(hint))?;
    match Duration::try_from(duration) {
        Ok(duration) if (POLL_MIN..=POLL_MAX).contains(&duration) => Ok(duration),
        _ => Err(invalid(file, key, text).hint(hint)),
    }
}

fn check_label(file: &str, key: &str, text: &str) -> Result<(), Failure> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let ok = (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-');
    if ok {
        Ok(())
    } else {
        Err(invalid(file, key, text).hint("lower-case letters, digits and `-`, at most 63"))
    }
}

fn refuse_twice<'a>(
    file: &str,
    list: &str,
    key: &str,
    values: impl Iterator<Item = &'a str>,
) -> Result<(), Failure> {
    let mut seen = std::collections::HashSet::new();
    for value in values {
        if !seen.insert(value) {
            return Err(Failure::reject(format!("{file}: two {list} have the {key} `{value}`"))
                .hint(format!("each {key} must be unique")));
        }
    }
    Ok(())
}

fn invalid(file: &str, key: &str, value: &str) -> Failure {
    Failure::reject(format!("{file}: `{key}` cannot be `{}`", value.escape_debug()))
}

/// Adds file, line and a hint to what serde says.
fn explain(file: &str, error: &serde_yaml::Error) -> Failure {
    let text = error.to_string();
    let place = error.location().map_or_else(|| file.to_owned(), |at| format!("{file}:{}", at.line()));
    let Some(unknown) = text.split("unknown field `").nth(1).and_then(|rest| rest.split('`').next()) else {
        return Failure::reject(format!("{place}: {text}"))
            .hint("docs/getting-started.md shows a whole configuration");
    };
    let expected: Vec<&str> =
        text.split("expected ").nth(1).unwrap_or_default().split('`').skip(1).step_by(2).collect();
    if LATER.contains(&unknown) {
        return Failure::reject(format!("{place}: `{unknown}` is not supported by this version here"))
            .hint("remove the key; it is refused because ignoring it could be unsafe");
    }
    let failure = Failure::reject(format!("{place}: unknown key `{unknown}`"));
    match nearest(unknown, expected.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("known here: {}", expected.join(", "))),
    }
}
