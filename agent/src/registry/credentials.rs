//! Reading of the login for one host from files. The files are read at each use: they are small, and a
//! rotated password takes effect without a restart.
//!
//! Not here: to whom a login is shown ([`super::realm`]).

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::config::{Credentials, RegistryConfig};
use crate::error::Failure;

/// A larger file is no credentials file.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A user name and a password. Prints neither.
#[derive(Debug)]
pub(super) struct Login {
    username: SecretString,
    password: SecretString,
}

impl Login {
    fn new(username: &str, password: &str) -> Self {
        Self { username: username.into(), password: password.into() }
    }

    /// The `Authorization` header of RFC 7617.
    pub(super) fn basic(&self) -> HeaderValue {
        let pair = format!("{}:{}", self.username.expose_secret(), self.password.expose_secret());
        let text = format!("Basic {}", STANDARD.encode(pair));
        let mut value = HeaderValue::from_str(&text).expect("base64 is visible ASCII");
        value.set_sensitive(true);
        value
    }

    /// Tells logins apart without keeping them.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        // The length keeps `a` + `bc` apart from `ab` + `c`.
        hash.update(self.username.expose_secret().len().to_le_bytes());
        hash.update(self.username.expose_secret());
        hash.update(self.password.expose_secret());
        hash.finalize().into()
    }
}

/// Reads the login for the configured host; `None` is anonymous. Another host's login is never returned.
pub(super) async fn read(config: &RegistryConfig) -> Result<Option<Login>, Failure> {
    match &config.credentials {
        Credentials::Anonymous => Ok(None),
        Credentials::Files { username, password } => {
            let username_text = read_line(username).await?;
            if username_text.contains(':') {
                return Err(broken(username, "a user name must not contain a colon"));
            }
            Ok(Some(Login::new(&username_text, &read_line(password).await?)))
        }
        Credentials::DockerConfig(file) => {
            let text = read_file(file).await?;
            from_docker_config(config, file, &text)
        }
    }
}

#[derive(Deserialize)]
struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, DockerAuth>,
}

#[derive(Deserialize)]
struct DockerAuth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

fn from_docker_config(config: &RegistryConfig, file: &Path, text: &str) -> Result<Option<Login>, Failure> {
    // The parser's own words could quote a secret: only its position is told.
    let parsed: DockerConfig = serde_json::from_str(text).map_err(|error| {
        broken(file, &format!("no docker config.json (line {}, column {})", error.line(), error.column()))
    })?;
    let Some((key, entry)) = parsed.auths.iter().find(|(key, _)| config.is_docker_config_key(key)) else {
        return Ok(None);
    };
    let login = match (&entry.auth, &entry.username, &entry.password) {
        (_, Some(username), Some(password)) if !username.is_empty() => Some(Login::new(username, password)),
        (Some(auth), ..) => decode_auth(auth),
        _ => None,
    };
    login.map(Some).ok_or_else(|| {
        broken(file, &format!("auths[{key:?}] holds no readable login")).hint(
            "log in with a plain docker config.json: credential helpers and identity tokens are not supported",
        )
    })
}

/// Decodes `base64(user:password)`.
fn decode_auth(auth: &str) -> Option<Login> {
    let text = String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    // Docker pads some passwords with NUL.
    (!username.is_empty()).then(|| Login::new(username, password.trim_end_matches('\0')))
}

/// Reads a file that holds one value; a trailing line end is not part of it.
async fn read_line(file: &Path) -> Result<String, Failure> {
    let text = read_file(file).await?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() { Err(broken(file, "the file is empty")) } else { Ok(line.to_owned()) }
}

async fn read_file(file: &Path) -> Result<String, Failure> {
    let unreadable = |error| {
        broken(file, "it cannot be read").because(error).hint("the file must be readable by the agent's user")
    };
    let size = tokio::fs::metadata(file).await.map_err(unreadable)?.len();
    if size > MAX_FILE_BYTES {
        return Err(broken(file, "it is larger than 1 MiB"));
    }
    let bytes = tokio::fs::read(file).await.map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| broken(file, "it is not UTF-8"))
}

fn broken(file: &Path, why: &str) -> Failure {
    Failure::reject(format!("credentials file {}: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, docker_config: &str, expect: &str) {
        let config = RegistryConfig { host: host.to_owned(), ..RegistryConfig::default() };
        let got = match from_docker_config(&config, Path::new("config.json"), docker_config) {
            Ok(None) => "anonymous".to_owned(),
            Ok(Some(login)) => {
                format!("{}/{}", login.username.expose_secret(), login.password.expose_secret())
            }
            Err(failure) => failure.to_string(),
        };
        assert_eq!(got, expect, "{docker_config}");
    }

    // base64 of ana:hush
    const ANA: &str = r#"{"auths": {"r.example.com": {"auth": "YW5hOmh1c2g="}}}"#;

    #[test]
    fn the_entry_of_exactly_this_host_is_taken() {
        check("r.example.com", ANA, "ana/hush");
        check("r.example.com:444", ANA, "anonymous");
        check("b.example.com", ANA, "anonymous");
        check("r.example.com.evil.org", ANA, "anonymous");
        check(
            "r.example.com",
            r#"{"auths": {"https://r.example.com/v2/": {"username": "ana", "password": "a:b"}}}"#,
            "ana/a:b",
        );
        check(
            "docker.io",
            r#"{"auths": {"https://index.docker.io/v1/": {"auth": "YW5hOmh1c2g="}}}"#,
            "ana/hush",
        );
    }

    #[test]
    fn a_file_without_logins_is_anonymous() {
        check("r.example.com", "{}", "anonymous");
        check("r.example.com", r#"{"credsStore": "desktop", "auths": {}}"#, "anonymous");
    }

    #[test]
    fn an_entry_without_a_readable_login_is_an_error_not_anonymous() {
        let expect = r#"credentials file config.json: auths["r.example.com"] holds no readable login"#;
        check("r.example.com", r#"{"auths": {"r.example.com": {}}}"#, expect);
        check("r.example.com", r#"{"auths": {"r.example.com": {"identitytoken": "x"}}}"#, expect);
        check("r.example.com", r#"{"auths": {"r.example.com": {"auth": "!!!"}}}"#, expect);
        check("r.example.com", r#"{"auths": {"r.example.com": {"auth": "YW5h"}}}"#, expect);
    }

    #[test]
    fn a_broken_file_is_named_without_quoting_it() {
        check(
            "r.example.com",
            r#"{"auths": {"r.example.com": "hush"}}"#,
            "credentials file config.json: no docker config.json (line 1, column 34)",
        );
    }

    #[test]
    fn a_login_prints_no_secret() {
        let login = Login::new("ana", "hush");
        assert!(!format!("{login:?} {:?}", login.basic()).contains("hush"));
        assert_eq!(login.basic(), "Basic YW5hOmh1c2g=");
    }

    #[tokio::test]
    async fn a_rotated_password_file_is_seen_at_the_next_use() {
        let room = tempfile::tempdir().expect("a directory");
        let (username, password) = (room.path().join("username"), room.path().join("password"));
        let config = RegistryConfig {
            credentials: Credentials::Files { username: username.clone(), password: password.clone() },
            ..RegistryConfig::default()
        };
        std::fs::write(&username, "ana\n").expect("written");
        std::fs::write(&password, "hush\r\n").expect("written");
        let first = read(&config).await.expect("readable").expect("a login");
        assert_eq!(first.password.expose_secret(), "hush");
        std::fs::write(&password, "new").expect("written");
        let second = read(&config).await.expect("readable").expect("a login");
        assert_eq!(second.password.expose_secret(), "new");
        assert_ne!(first.fingerprint(), second.fingerprint());
        std::fs::remove_file(&password).expect("removed");
        let error = read(&config).await.expect_err("gone");
        assert!(error.message.contains("password: it cannot be read"), "{error}");
    }
}
