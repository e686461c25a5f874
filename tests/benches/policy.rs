//! What deciding and editing cost: selecting among many tags, reading files, setting an image.
//!
//! `make bench-policy` runs it; docs/performance.md holds the figures. Besides the times it prints what selecting
//! needs of memory, as a ratio to the text of the tags.

mod deployment;
mod texts;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use peak_alloc::PeakAlloc;
use tidegate_policy::annotation::{ImagePolicy, Setting};
use tidegate_policy::manifest::edit::{apply, replacements};
use tidegate_policy::manifest::scan;
use tidegate_policy::reference::Tag;
use tidegate_policy::select::{SelectInput, choose, select};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const TAGS: usize = 100_000;

fn policy() -> ImagePolicy {
    let setting = |key: &str, value: &str| Setting { key: key.into(), value: value.into(), line: 1 };
    let settings = [
        setting("policy", "semver:>=1.2 <9"),
        setting("tags", r"regex:^v(?P<version>[0-9]+\.[0-9]+\.[0-9]+)-[0-9a-f]+$"),
    ];
    ImagePolicy::resolve(&settings, "web").expect("a readable policy").expect("a policy")
}

fn selecting(criterion: &mut Criterion) {
    let (policy, tags) = (policy(), texts::tags(TAGS));
    let input = SelectInput { current: Some("v1.2.3-0000000"), ..SelectInput::default() };
    let mut group = criterion.benchmark_group("select among 100,000 tags by semver and a regex");
    group.bench_function("the choice, as a plan makes it", |bencher| {
        bencher.iter(|| choose(black_box(&policy), black_box(&tags), &input).selected);
    });
    group.bench_function("with a verdict for each tag, as explain does", |bencher| {
        bencher.iter(|| select(black_box(&policy), black_box(&tags), &input).selected);
    });
    group.finish();
    print_memory(&policy, &input);
}

/// Prints the peak of the heap with the listing and a selection, as a ratio to the bytes of the tags.
fn print_memory(policy: &ImagePolicy, input: &SelectInput<'_>) {
    let before = HEAP.current_usage();
    let tags = texts::tags(TAGS);
    let text: usize = tags.iter().map(String::len).sum();
    HEAP.reset_peak_usage();
    let listing = HEAP.current_usage() - before;
    black_box(choose(policy, &tags, input).selected);
    let chosen = HEAP.peak_usage() - before;
    HEAP.reset_peak_usage();
    black_box(select(policy, &tags, input).selected);
    let selected = HEAP.peak_usage() - before;
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    let ratio = |bytes: usize| bytes as f64 / text as f64;
    println!(
        "memory: {TAGS} tags of {text} bytes in all; listing {:.2} times that, with the choice {:.2}, with all verdicts {:.2}",
        ratio(listing),
        ratio(chosen),
        ratio(selected)
    );
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("first read");
    for (name, files) in
        [("files that hold images", texts::with_images()), ("files that cannot", texts::without())]
    {
        let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
        group.throughput(Throughput::Bytes(bytes as u64));
        let found: usize = files.iter().map(|(path, text)| scan(path, text.as_bytes()).fields.len()).sum();
        println!("{name}: {} files, {bytes} bytes, {found} image fields", files.len());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                files
                    .iter()
                    .map(|(path, text)| scan(path, black_box(text.as_bytes())).fields.len())
                    .sum::<usize>()
            });
        });
    }
    group.finish();
}

fn editing(criterion: &mut Criterion) {
    let file = texts::large_file(1 << 20);
    let tag = Tag::parse("9.9.9").expect("a tag");
    println!("set an image: a file of {} bytes", file.len());
    criterion.bench_function("set an image in a file of 1 MB", |bencher| {
        bencher.iter_batched(
            || file.clone(),
            |file| {
                let found = scan("large.yaml", file.as_bytes());
                let field = found.fields.last().expect("an image");
                let edits = replacements(field, &tag, None).expect("an edit");
                apply("large.yaml", file.as_bytes(), &edits).expect("the edited file")
            },
            BatchSize::LargeInput,
        );
    });
}

criterion_group!(benches, selecting, reading, editing);
criterion_main!(benches);
