//! The settings of an object (or of a marker) → the policy of one of its images.

use super::key::{self, Key};
use super::{
    AnnotationError, Hold, ImagePolicy, Order, Pattern, Pin, Platform, PolicyText, Setting, TagFilter,
    VALUE_BYTES_MAX, filter, hold, value,
};
use crate::schedule::{Poll, Windows};

/// A problem and a hint, not yet tied to a setting.
type Problem = (String, String);

impl ImagePolicy {
    /// Resolves the policy of the image in `container`; `None` if it has none.
    ///
    /// Keys combine one by one: `<key>.<container>` replaces `<key>`, except that either `hold` holds.
    /// A key that is unknown, or that this build does not honour, fails for every container, with or
    /// without a policy; a value fails only for the containers that it applies to.
    pub fn resolve(settings: &[Setting], container: &str) -> Result<Option<Self>, AnnotationError> {
        let mut applicable = Vec::with_capacity(settings.len());
        for setting in settings {
            let (key, of) = key::parse(&setting.key).map_err(|problem| setting.error(problem))?;
            if of.is_none_or(|of| of == container) {
                applicable.push(Applicable { key, specific: of.is_some(), setting });
            }
        }
        let settings = Settings(applicable);
        settings.check_rest()?;
        let rest = settings.rest()?;
        let (tags, tags_text) = settings.patterns(Key::Tags)?;
        let (ignore_tags, ignore_tags_text) = settings.patterns(Key::IgnoreTags)?;
        let Some((order, policy)) = settings.scalar(Key::Policy, value::policy)?.flatten() else {
            return Ok(None);
        };
        let pin = settings.pin(&order)?;
        settings.check_group(&order)?;
        let text = PolicyText { policy, tags: tags_text, ignore_tags: ignore_tags_text };
        let filter = TagFilter { tags, ignore_tags };
        Ok(Some(Self { order, filter, pin, text, ..rest }))
    }
}

/// A setting that applies to the container.
struct Applicable<'a> {
    key: Key,
    /// Whether it names the container.
    specific: bool,
    setting: &'a Setting,
}

struct Settings<'a>(Vec<Applicable<'a>>);

impl<'a> Settings<'a> {
    /// Yields the settings of a key: those that name the container, else those that name none.
    fn of(&self, key: Key) -> impl Iterator<Item = &'a Setting> {
        let specific = self.0.iter().any(|found| found.key == key && found.specific);
        self.0
            .iter()
            .filter(move |found| found.key == key && found.specific == specific)
            .map(|found| found.setting)
    }

    /// Reads the value of a key that can be given once.
    fn scalar<T>(
        &self,
        key: Key,
        read: impl Fn(&str) -> Result<T, Problem>,
    ) -> Result<Option<T>, AnnotationError> {
        let mut found = self.of(key);
        let Some(setting) = found.next() else { return Ok(None) };
        if let Some(twice) = found.next() {
            return Err(twice.error(("given twice".to_owned(), "remove one of the two".to_owned())));
        }
        setting.read(read).map(Some)
    }

    /// Reads `tags` or `ignore-tags`; the normalized text has one item a line.
    fn patterns(&self, key: Key) -> Result<(Vec<Pattern>, String), AnnotationError> {
        let mut patterns = Vec::new();
        let mut items = Vec::new();
        for setting in self.of(key) {
            patterns.extend(setting.read(Pattern::parse_list)?);
            items.extend(filter::lines(&setting.value));
        }
        Ok((patterns, items.join("\n")))
    }

    /// Reads the keys that say when and what, not which: a policy of no order yet.
    fn rest(&self) -> Result<ImagePolicy, AnnotationError> {
        let mut platforms = Vec::new();
        for setting in self.of(Key::Platforms) {
            platforms.extend(setting.read(Platform::parse_list)?);
        }
        let mut windows = Windows::default();
        for setting in self.of(Key::Window) {
            let Windows { open, freeze } = setting.read(Windows::parse_list)?;
            windows.open.extend(open);
            windows.freeze.extend(freeze);
        }
        Ok(ImagePolicy {
            platforms,
            min_age: self.scalar(Key::MinAge, value::min_age)?,
            windows,
            group: self.scalar(Key::Group, value::group)?,
            downgrade: self.scalar(Key::Downgrade, value::downgrade)?.is_some(),
            poll: self.scalar(Key::Poll, Poll::parse)?,
            holds: self.holds()?,
            ..ImagePolicy::new(Order::Newest, PolicyText::default())
        })
    }

    /// Reads `pin`, which following a digest implies.
    fn pin(&self, order: &Order) -> Result<Pin, AnnotationError> {
        let pin = self.scalar(Key::Pin, value::pin)?;
        let follows = matches!(order, Order::Digest(_));
        match (pin, self.of(Key::Pin).next()) {
            (Some(Pin::Tag), Some(setting)) if follows => Err(setting.error((
                "a policy `digest:` writes the digest, and `pin: tag` forbids that".to_owned(),
                "remove `pin`, or follow versions".to_owned(),
            ))),
            (pin, _) => Ok(pin.unwrap_or(if follows { Pin::Digest } else { Pin::Tag })),
        }
    }

    /// Refuses a group of what cannot be compared between images.
    fn check_group(&self, order: &Order) -> Result<(), AnnotationError> {
        match (order, self.of(Key::Group).next()) {
            (Order::Newest | Order::Digest(_), Some(setting)) => Err(setting.error((
                "the members of a group move to one version, and this policy compares none".to_owned(),
                "remove `group`, or write `policy: semver:…`, `numeric` or `alphabetical`".to_owned(),
            ))),
            _ => Ok(()),
        }
    }

    /// Reads the holds: the one of the object and the one of the container add up.
    fn holds(&self) -> Result<Vec<Hold>, AnnotationError> {
        let of = |specific| {
            self.0.iter().filter(move |found| found.key == Key::Hold && found.specific == specific)
        };
        let mut holds = Vec::new();
        for specific in [false, true] {
            for (index, found) in of(specific).enumerate() {
                if index > 0 {
                    return Err(found
                        .setting
                        .error(("given twice".to_owned(), "remove one of the two".to_owned())));
                }
                holds.push(found.setting.read(hold::parse)?);
            }
        }
        Ok(holds)
    }

    /// Reads the keys that concern the object, so that a misspelt value is not ignored.
    fn check_rest(&self) -> Result<(), AnnotationError> {
        self.scalar(Key::Pin, value::pin)?;
        self.scalar(Key::Ignore, |text| value::one_of(text, &["true", "false"]))?;
        self.scalar(Key::Prune, |text| value::one_of(text, &["disabled"]))?;
        Ok(())
    }
}

impl Setting {
    /// Reads the trimmed value, which must be there and of bounded length.
    fn read<T>(&self, read: impl Fn(&str) -> Result<T, Problem>) -> Result<T, AnnotationError> {
        let value = self.value.trim();
        if value.is_empty() {
            return Err(
                self.error(("the value is empty".to_owned(), "write a value or remove the key".to_owned()))
            );
        }
        if value.len() > VALUE_BYTES_MAX {
            let problem =
                format!("the value has {} bytes, at most {VALUE_BYTES_MAX} are allowed", value.len());
            return Err(self.error((problem, "write a shorter value".to_owned())));
        }
        read(value).map_err(|problem| self.error(problem))
    }

    fn error(&self, (message, hint): Problem) -> AnnotationError {
        AnnotationError {
            key: self.key.clone(),
            value: self.value.clone(),
            line: self.line,
            message,
            hint: Some(hint),
        }
    }
}
