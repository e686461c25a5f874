//! The registry client against the sandbox and against a real registry: one contract, then faults.

mod contract;
mod failures;
mod listing;
mod login;
mod proxy;
mod tls;
mod world;
