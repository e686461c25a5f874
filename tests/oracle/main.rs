//! The rules that Tidegate shares with other programs, compared with those programs themselves.

mod kubectl;
mod range;

/// The seed of what is drawn; `TIDEGATE_SEED` sets another.
fn seed() -> u64 {
    let given = std::env::var("TIDEGATE_SEED").ok();
    given.map_or(4711, |seed| seed.parse().expect("TIDEGATE_SEED is a number"))
}
