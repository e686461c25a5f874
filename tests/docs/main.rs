//! What the pages say holds of the build: examples are read by the product's own readers, lists equal the
//! closed lists of the code, links and commands lead somewhere.
//!
//! Not here: whether the commands of a page do what it says, which only running them shows.

mod configuration;
mod keys;
mod links;
mod manifests;
mod page;
