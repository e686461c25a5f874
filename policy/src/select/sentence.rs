//! Verdicts as sentences for people, naming the values.

use super::{Judge, Outcome, Reason, Selection, Verdict};
use jiff::SignedDuration;

use crate::annotation::{Order, Pattern};
use crate::quote::{quoted, shown};

impl Judge<'_> {
    /// Says why a tag was (or was not) chosen: a lower-case fragment without a full stop.
    pub fn sentence(&self, selection: &Selection<'_>, verdict: &Verdict<'_>) -> String {
        let tag = shown(verdict.tag);
        match (verdict.outcome, verdict.reason) {
            (Outcome::Rejected, Some(reason)) => self.rejected(verdict.tag, &tag, reason),
            (Outcome::Selected, _) if self.is_entering() => {
                format!("{tag} is the best that {} admits (entering policy)", shown(&self.policy.text.policy))
            }
            (Outcome::Selected, _) => {
                format!("{tag} is the best that {} admits", shown(&self.policy.text.policy))
            }
            _ => format!("{tag} passes, and {} is preferred", shown(selection.selected.unwrap_or_default())),
        }
    }

    fn rejected(&self, raw: &str, tag: &str, reason: Reason) -> String {
        let running = self.current.as_ref().map_or("", |(tag, _)| tag);
        let range = match &self.policy.order {
            Order::Semver(range) => shown(range.as_str()),
            _ => String::new(),
        };
        match reason {
            Reason::NotInTags if self.follows().is_some() && self.policy.filter.compared(raw).is_some() => {
                format!("{tag} is not the tag {} that the policy follows", self.follows().unwrap_or_default())
            }
            Reason::NotInTags => format!("{tag} does not match {}", any_of(&self.policy.filter.tags)),
            Reason::Ignored => {
                let by = self.policy.filter.ignored_by(raw).map_or("", |pattern| &pattern.text);
                format!("{tag} matches {} of `ignore-tags`", quoted(by))
            }
            Reason::NotAVersion => format!("{} is not a version", self.compared(raw)),
            Reason::NotANumber => format!("{} is not a decimal number", self.compared(raw)),
            Reason::PreRelease => format!("{tag} is a pre-release, and {range} does not ask for it"),
            Reason::OutOfRange => format!("{tag} is outside {range}"),
            Reason::FewerParts => {
                format!("{tag} has fewer numeric parts than the running tag {}", shown(running))
            }
            Reason::NotNewer if raw == running => format!("{tag} is the running tag"),
            Reason::NotNewer if self.policy.order == Order::Newest => self.not_seen_later(raw, tag, running),
            Reason::NotNewer => format!("{tag} is not newer than the running tag {}", shown(running)),
            Reason::TakenOut if self.floor.is_none() => format!("{tag} was taken out"),
            Reason::TakenOut => {
                let floor = self.floor.as_ref().map_or("", |floor| floor.tag);
                format!("{tag} was taken out: it is not newer than {}, which was here before", shown(floor))
            }
            Reason::TooYoung => self.too_young(raw, tag),
            Reason::ManifestMissing => format!("the registry lists {tag} but has no manifest for it"),
            Reason::PlatformMissing => format!("{tag} has no image for {}", self.platforms()),
        }
    }

    /// The tag whose digest is followed.
    fn follows(&self) -> Option<&str> {
        match &self.policy.order {
            Order::Digest(tag) => Some(tag.as_str()),
            _ => None,
        }
    }

    fn not_seen_later(&self, raw: &str, tag: &str, running: &str) -> String {
        match self.seen(raw) {
            Some(seen) => {
                format!("{tag} was first seen {seen}, not later than the running tag {}", shown(running))
            }
            None if self.input.first_seen.is_none() => {
                format!("it is not known when {tag} was first seen: there is no ledger")
            }
            None => format!("{tag} was there when the repository was first listed, so its age is not known"),
        }
    }

    fn too_young(&self, raw: &str, tag: &str) -> String {
        let asked = self.input.min_age.map(|age| format!("{age:#}")).unwrap_or_default();
        match self.known_since(raw) {
            Some(since) => {
                let age = SignedDuration::from_secs(self.input.now.duration_since(since).as_secs());
                format!("{tag} was first seen {since}, {age:#} ago, and min-age asks for {asked}")
            }
            None => format!(
                "it is not known when {tag} was first seen: there is no ledger, and min-age asks for {asked}"
            ),
        }
    }

    fn platforms(&self) -> String {
        let platforms: Vec<String> = self.policy.platforms.iter().map(ToString::to_string).collect();
        platforms.join(" and ")
    }

    /// The tag, and the part of it that is compared if that is another.
    fn compared(&self, tag: &str) -> String {
        match self.policy.filter.compared(tag) {
            Some(compared) if compared != tag => {
                format!("{} (the group `version` of {})", quoted(compared), shown(tag))
            }
            _ => shown(tag),
        }
    }
}

fn any_of(patterns: &[Pattern]) -> String {
    match patterns {
        [only] => quoted(&only.text),
        _ => format!("any of the {} items of `tags`", patterns.len()),
    }
}
