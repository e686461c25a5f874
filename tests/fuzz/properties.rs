//! What must hold of any bytes: the bodies of the fuzz targets, one function each.
//!
//! Called by the fuzz targets (coverage-guided, for minutes or hours) and by the test target `fuzz_smoke` (a fixed
//! seed, in every test run). Not here: what is right for a given input; that is tested beside the code.

#[path = "properties/manifests.rs"]
mod manifests;
#[path = "properties/references.rs"]
mod references;
#[path = "properties/settings.rs"]
mod settings;
#[path = "properties/versions.rs"]
mod versions;
#[path = "properties/windows.rs"]
mod windows;

pub use manifests::{composer, edit};
pub use references::reference;
pub use settings::annotation;
pub use versions::{range, version};
pub use windows::window;

/// The input as text, its invalid bytes replaced.
fn text(data: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(data)
}
