//! Annotations.

use tidegate_policy::annotation::{ImagePolicy, KEYS, Setting};
use tidegate_policy::select::{Outcome, SelectInput, choose, select};

/// Lines of `key=value` for the container `web`, and after an empty line tags: reading twice gives the same,
/// an error names a setting that is there, an unknown key is never ignored, and both ways to select agree.
pub fn annotation(data: &[u8]) {
    let text = super::text(data);
    let (settings, tags) = text.split_once("\n\n").unwrap_or((&text, ""));
    let settings: Vec<Setting> = settings
        .lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let (key, value) = line.split_once('=')?;
            // A line feed cannot stand in a line, so lists use a tab for it.
            Some(Setting { key: key.to_owned(), value: value.replace('\t', "\n"), line: index + 1 })
        })
        .take(64)
        .collect();
    let read = ImagePolicy::resolve(&settings, "web");
    let is_known = |key: &str| KEYS.contains(&key.split('.').next().unwrap_or_default());
    match &read {
        Ok(policy) => {
            assert!(settings.iter().all(|setting| is_known(&setting.key)), "an unknown key was ignored");
            let again = ImagePolicy::resolve(&settings, "web").expect("it was read before");
            assert_eq!(policy.as_ref().map(|p| &p.text), again.as_ref().map(|p| &p.text));
            if let Some(policy) = policy {
                select_both_ways(policy, tags);
            }
        }
        Err(error) => {
            assert!(settings.iter().any(|setting| setting.line == error.line && setting.key == error.key));
            assert!(!error.message.is_empty() && error.hint.is_some());
        }
    }
}

fn select_both_ways(policy: &ImagePolicy, tags: &str) {
    let tags: Vec<&str> = tags.lines().take(64).collect();
    let current = tags.first().copied();
    for current in [None, current] {
        let input = SelectInput { current, ..SelectInput::default() };
        let selection = select(policy, &tags, &input);
        assert_eq!(selection.verdicts.len(), tags.len());
        let choice = choose(policy, &tags, &input);
        assert_eq!(selection.selected, choice.selected);
        let passed = selection.verdicts.iter().filter(|verdict| verdict.outcome != Outcome::Rejected).count();
        assert_eq!(passed, choice.eligible);
        let mut turned = tags.clone();
        turned.reverse();
        assert_eq!(choose(policy, &turned, &input).selected, choice.selected, "order matters");
    }
}
