//! The registry client against the sandbox and against a real registry: one contract, then faults.

mod contract;
mod proxy;
mod world;
