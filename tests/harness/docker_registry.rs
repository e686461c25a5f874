//! Debian's `docker-registry` (CNCF distribution) as a child process: the judge of the registry client.

use std::time::Duration;

use reqwest::Client;
use tempfile::TempDir;

use super::process::{self, Process};
use super::requirement;
use crate::sandbox::image::{self, Image};

const START_LIMIT: Duration = Duration::from_secs(20);
/// Another process may take the free port before the registry binds it.
const START_TRIES: usize = 3;

/// A real registry on a free loopback port, with its storage in a temporary directory.
pub struct DockerRegistry {
    // Fields drop in this order: first the process, then what it writes to.
    process: Process,
    host: String,
    client: Client,
    _room: TempDir,
}

impl DockerRegistry {
    /// Starts a registry and waits until it answers; `None` if this machine has none (the test is skipped).
    pub async fn start() -> Option<Self> {
        let program = requirement::program("docker-registry", "apt-get install docker-registry")?;
        let mut failure = None;
        for _ in 0..START_TRIES {
            match Self::try_start(&program).await {
                Ok(registry) => return Some(registry),
                Err(error) => failure = Some(error),
            }
        }
        panic!("docker-registry did not start: {failure:?}");
    }

    async fn try_start(program: &std::path::Path) -> anyhow::Result<Self> {
        let room = tempfile::tempdir()?;
        let host = process::free_address()?.to_string();
        let config = room.path().join("config.yml");
        std::fs::write(&config, config_text(&host, &room.path().join("storage").display().to_string()))?;
        let mut command = process::command(program);
        command.arg("serve").arg(&config).env("OTEL_TRACES_EXPORTER", "none");
        let mut process = Process::start("docker-registry", command, &room.path().join("log"))?;
        let client = crate::sandbox::client::new();
        let base_url = format!("http://{host}/v2/");
        process
            .ready(START_LIMIT, || async {
                client.get(&base_url).send().await.is_ok_and(|answer| answer.status() == 200)
            })
            .await?;
        Ok(Self { process, host, client, _room: room })
    }

    /// Host and port, as in image references.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Pushes a small image under a tag and returns its digest; the same arguments give the same digest.
    pub async fn push(&self, repository: &str, tag: &str) -> anyhow::Result<String> {
        self.push_image(repository, tag, &Image::new(&format!("{repository}:{tag}"))).await
    }

    /// Pushes a given image under a tag and returns its digest.
    pub async fn push_image(&self, repository: &str, tag: &str, image: &Image) -> anyhow::Result<String> {
        image.push(&self.client, &format!("http://{}", self.host), repository, tag).await?;
        Ok(image.digest())
    }

    /// Deletes an image manifest by digest, and with it every tag that names it.
    pub async fn delete(&self, repository: &str, digest: &str) -> anyhow::Result<()> {
        image::delete(&self.client, &format!("http://{}", self.host), repository, digest).await
    }

    /// What the registry has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

fn config_text(host: &str, storage: &str) -> String {
    format!(
        "version: 0.1\n\
         log: {{level: info, accesslog: {{disabled: false}}}}\n\
         storage:\n  filesystem: {{rootdirectory: {storage:?}}}\n  delete: {{enabled: true}}\n\
         \x20 maintenance: {{uploadpurging: {{enabled: false}}}}\n\
         http: {{addr: {host:?}}}\n"
    )
}
