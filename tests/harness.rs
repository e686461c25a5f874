//! Real servers as child processes on free loopback ports, ended even when a test panics.

pub mod control_plane;
pub mod daemon;
pub mod docker_registry;
pub mod process;
pub mod requirement;
pub mod scratch;
pub mod wait;

/// Makes ring the crypto provider of this program, as the product's `main` does.
pub fn install_crypto_provider() {
    // Another test may have been first.
    rustls::crypto::ring::default_provider().install_default().ok();
}
