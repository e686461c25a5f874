//! `--image-path`: images of custom kinds, for the verbs that read files without a configuration.

use tidegate_policy::manifest::ImagePaths;
use tidegate_policy::quote::quoted;

use crate::error::Failure;

/// The argument that these verbs share.
#[derive(clap::Args, Debug, Default)]
pub struct ImagePathArgs {
    /// Where a custom kind holds an image, e.g. `CronWorkflow.argoproj.io=/spec/workflowSpec/templates/*/container/image`; may be repeated
    #[arg(long = "image-path", value_name = "KIND.GROUP=/POINTER")]
    pub image_paths: Vec<String>,
}

impl ImagePathArgs {
    /// Reads the paths.
    pub fn read(&self) -> Result<ImagePaths, Failure> {
        let mut paths = ImagePaths::default();
        for text in &self.image_paths {
            paths.add_written(text).map_err(|error| {
                Failure::reject(format!("--image-path {}: {}", quoted(text), error.message)).hint(error.hint)
            })?;
        }
        Ok(paths)
    }
}
