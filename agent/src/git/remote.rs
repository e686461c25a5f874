//! Which remote, checked once: the URL, the branch and how to log in.
//!
//! Not here: talking to it ([`super::http`]), where its mirror lies ([`super::store`]).

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::{GitCredentials, Source};
use crate::error::Failure;

/// The default of [`RemoteConfig::max_pack_bytes`].
pub const DEFAULT_MAX_PACK_BYTES: u64 = 2 << 30;

/// No credential is longer.
const MAX_SECRET_BYTES: u64 = 64 << 10;

/// The user name that goes with a token; GitHub documents it, other forges ignore the name.
const TOKEN_USER: &str = "x-access-token";

/// One branch of one remote, as the operator wrote it.
#[derive(Clone, Debug)]
pub struct RemoteConfig {
    /// `https://…`, or `http://…` with `allow_insecure`.
    pub url: String,
    /// Branch that is followed and written, without `refs/heads/`.
    pub branch: String,
    /// Directory of the state; the mirror lies below it in `git/`.
    pub state_dir: PathBuf,
    /// Permits `http://`.
    pub allow_insecure: bool,
    /// How to log in; the files are read at each use.
    pub credentials: Option<GitCredentials>,
    /// The only root certificates that are trusted for this remote, PEM; `None`: the system's.
    pub ca_file: Option<PathBuf>,
    /// The most bytes that one answer of the server may have.
    pub max_pack_bytes: u64,
}

impl RemoteConfig {
    /// Reads a source of the configuration; the mirror lies below `state`.
    pub fn of(source: &Source, state: &Path) -> Self {
        Self {
            url: source.url.clone(),
            branch: source.branch.clone(),
            state_dir: state.to_owned(),
            allow_insecure: source.allow_insecure,
            credentials: source.credentials.clone(),
            ca_file: source.ca_file.clone(),
            max_pack_bytes: DEFAULT_MAX_PACK_BYTES,
        }
    }
}

/// A remote whose URL and branch are sound.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    /// Without userinfo, query and fragment.
    pub(super) url: Url,
    pub(super) branch: String,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) max_pack_bytes: u64,
    credentials: Option<GitCredentials>,
}

/// What is sent as HTTP basic authentication.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: SecretString,
}

impl Login {
    /// The password and the forms in which it is sent.
    pub(super) fn secrets(&self) -> [SecretString; 2] {
        let password = self.password.expose_secret();
        [password.into(), STANDARD.encode(format!("{}:{password}", self.username)).into()]
    }
}

impl Remote {
    /// Refuses URLs and branch names that are unsafe or not supported.
    pub(super) fn check(config: &RemoteConfig) -> Result<Self, Failure> {
        let url = check_url(&config.url, config.allow_insecure)?;
        let branch = config.branch.clone();
        if branch.starts_with('-') || !git2::Reference::is_valid_name(&format!("refs/heads/{branch}")) {
            return Err(Failure::reject(format!("`{}` is no branch name", branch.escape_debug()))
                .hint("write the branch as git prints it, e.g. `main`"));
        }
        Ok(Self {
            url,
            branch,
            ca_file: config.ca_file.clone(),
            max_pack_bytes: config.max_pack_bytes,
            credentials: config.credentials.clone(),
        })
    }

    /// The branch's name on the server.
    pub(super) fn reference(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    /// The ref of the mirror that keeps the last tip seen on the server.
    pub(super) fn tracking_reference(&self) -> String {
        format!("refs/remotes/origin/{}", self.branch)
    }

    /// Reads the credentials, as they are now.
    pub(super) fn login(&self) -> Result<Option<Login>, Failure> {
        Ok(match &self.credentials {
            None => None,
            Some(GitCredentials::Password { username, password_file }) => {
                Some(Login { username: username.clone(), password: read_secret(password_file)? })
            }
            Some(GitCredentials::Token { token_file }) => {
                Some(Login { username: TOKEN_USER.to_owned(), password: read_secret(token_file)? })
            }
        })
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url)
    }
}

/// Reads a secret from its file, without the line end that editors leave.
fn read_secret(path: &Path) -> Result<SecretString, Failure> {
    let shown = path.display();
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text)).map_err(
        |error| Failure::reject(format!("cannot read the git credentials in {shown}")).because(error),
    )?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() || secret.len() as u64 > MAX_SECRET_BYTES || secret.chars().any(char::is_control) {
        return Err(Failure::reject(format!("{shown} holds no usable git credential"))
            .hint("the file must hold the password or token alone, on one line"));
    }
    Ok(SecretString::from(secret))
}

fn check_url(text: &str, allow_insecure: bool) -> Result<Url, Failure> {
    let shown = printable_url(text);
    let refuse = |why: &str, hint: &str| Err(Failure::reject(format!("git url `{shown}` {why}")).hint(hint));
    let https = "write it as https://host/path";
    if text.starts_with('-') || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refuse("starts with `-` or has control characters or spaces", https);
    }
    let Ok(url) = Url::parse(text) else {
        return refuse("cannot be read", https);
    };
    match url.scheme() {
        "https" => {}
        "http" if allow_insecure => {}
        "http" => {
            return refuse("is not encrypted", "use https://, or set `allowInsecure: true` on the source");
        }
        _ => return refuse("has a scheme that is not supported", https),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("carries credentials", "put them into files and name these under `credentials`");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("has a query or a fragment", https);
    }
    if url.host_str().is_none_or(str::is_empty) || text.contains("::") && !text.contains('[') {
        return refuse("has no usable host", https);
    }
    Ok(url)
}

/// Makes a URL that may hold anything fit for print: no userinfo, no query, no control characters.
fn printable_url(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit('@').next().unwrap_or_default();
    let separator = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{separator}{rest}").chars().take(200).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str, branch: &str) -> RemoteConfig {
        RemoteConfig {
            url: url.to_owned(),
            branch: branch.to_owned(),
            state_dir: PathBuf::new(),
            allow_insecure: false,
            credentials: None,
            ca_file: None,
            max_pack_bytes: DEFAULT_MAX_PACK_BYTES,
        }
    }

    #[track_caller]
    fn refused(url: &str, word: &str) {
        let failure = Remote::check(&config(url, "main")).expect_err(url);
        assert!(failure.message.contains(word), "{url}: {failure}");
        assert!(!failure.chain().contains("s3cret"), "{}", failure.chain());
        assert!(failure.hint.is_some(), "{url}");
    }

    #[test]
    fn only_https_is_accepted() {
        assert!(Remote::check(&config("https://git.example.com/acme/fleet.git", "main")).is_ok());
        refused("http://git.example.com/a", "not encrypted");
        refused("file:///etc/passwd", "not supported");
        refused("ssh://git@git.example.com/a", "not supported");
        refused("git@git.example.com:acme/a", "cannot be read");
        refused("ext::sh -c id", "control characters or spaces");
        refused("ext::sh", "not supported");
        refused("--upload-pack=touch", "starts with `-`");
        refused("https://evil%0d%0a.example.com\nhost=x", "control characters");
        refused("/srv/repo", "cannot be read");
        refused("https://git.example.com/a?x=s3cret", "query");
    }

    #[test]
    fn http_needs_to_be_allowed() {
        let insecure =
            |url| Remote::check(&RemoteConfig { allow_insecure: true, ..config(url, "main") }).map(|_| ());
        assert!(insecure("http://127.0.0.1:8080/fleet").is_ok());
        assert!(insecure("file:///srv/repo").is_err());
    }

    #[test]
    fn credentials_in_a_url_are_refused_and_not_repeated() {
        refused("https://bob:s3cret@git.example.com/a", "credentials");
        refused("https://s3cret@git.example.com/a", "credentials");
        refused("ssh://bob:s3cret@git.example.com/a", "not supported");
        refused("https://bob:s3cret@git.example.com:99999/a", "cannot be read");
    }

    #[test]
    fn branch_names_follow_gits_rules() {
        for branch in ["-x", "a..b", "", "a b", "../x", "a.lock", "a\n", "@{"] {
            assert!(Remote::check(&config("https://h/a", branch)).is_err(), "{branch}");
        }
        assert!(Remote::check(&config("https://h/a", "release/1.4")).is_ok());
    }

    #[test]
    fn a_secret_is_read_at_each_use_without_its_line_end() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let remote = Remote::check(&RemoteConfig {
            credentials: Some(GitCredentials::Token { token_file: file.clone() }),
            ..config("https://h/a", "main")
        })
        .unwrap();
        for secret in ["one", "two"] {
            std::fs::write(&file, format!("{secret}\r\n")).unwrap();
            assert_eq!(remote.login().unwrap().unwrap().password.expose_secret(), secret);
        }
        for bad in ["", "\n", "a\nb"] {
            std::fs::write(&file, bad).unwrap();
            assert!(remote.login().is_err(), "{bad:?}");
        }
        std::fs::remove_file(&file).unwrap();
        assert!(remote.login().unwrap_err().message.contains("token"));
    }
}
