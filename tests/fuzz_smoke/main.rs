//! A short, repeatable run of every fuzz target: the corpus, and some thousands of inputs made from it.
//!
//! The seed is fixed and printed; `TIDEGATE_SEED` sets another. Coverage-guided runs are `make fuzz`.

#[path = "../fuzz/properties.rs"]
mod properties;

mod mutate;

use std::path::Path;
use std::time::{Duration, Instant};

/// Inputs made from the corpus of one target.
const INPUTS: usize = 10_000;
/// One input that takes longer has a cost that is not linear.
const INPUT_MAX: Duration = Duration::from_secs(2);

fn seed() -> u64 {
    let given = std::env::var("TIDEGATE_SEED").ok();
    given.map_or(4711, |seed| seed.parse().expect("TIDEGATE_SEED is a number"))
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).expect("a folder of the corpus");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort(); // the order of a folder is not part of the seed
    assert!(files.len() >= 8, "the corpus of {target} is too small");
    files.iter().map(|file| std::fs::read(file).expect("a file of the corpus")).collect()
}

fn smoke(target: &str, property: fn(&[u8])) {
    let seed = seed();
    println!("{target}: seed {seed}");
    let corpus = corpus(target);
    let mut random = fastrand::Rng::with_seed(seed);
    let made = (0..INPUTS).map(|_| mutate::input(&corpus, &mut random));
    for input in corpus.iter().cloned().chain(made) {
        let begun = Instant::now();
        let shown = String::from_utf8_lossy(&input).into_owned();
        let outcome = std::panic::catch_unwind(|| property(&input));
        assert!(outcome.is_ok(), "{target} with seed {seed} fails on {shown:?}");
        assert!(begun.elapsed() < INPUT_MAX, "{target} takes {:?} for {shown:?}", begun.elapsed());
    }
}

macro_rules! smoke {
    ($($target:ident),*) => {$(
        #[test]
        fn $target() {
            smoke(stringify!($target), properties::$target);
        }
    )*};
}

smoke!(reference, version, range, annotation, window, composer, edit);
