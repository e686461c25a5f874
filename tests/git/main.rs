//! The git seam against the real `git http-backend`.

mod world;

mod certificate;
mod commit;
mod failure;
mod fetch;
mod push;
