//! The closed list of keys: `<key>` or `<key>.<container>`.

use super::{KEYS, LATER_KEYS};
use crate::spelling::nearest;

/// A key that this build honours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Policy,
    Tags,
    IgnoreTags,
    Pin,
    Platforms,
    MinAge,
    Hold,
    Window,
    Group,
    Downgrade,
    Poll,
    Ignore,
    Prune,
}

/// Reads a key; the error says what is wrong and what to write.
pub(super) fn parse(text: &str) -> Result<(Key, Option<&str>), (String, String)> {
    let (name, container) = match text.split_once('.') {
        Some((name, container)) => (name, Some(container)),
        None => (text, None),
    };
    let key = match name {
        "policy" => Key::Policy,
        "tags" => Key::Tags,
        "ignore-tags" => Key::IgnoreTags,
        "hold" => Key::Hold,
        "pin" => Key::Pin,
        "platforms" => Key::Platforms,
        "min-age" => Key::MinAge,
        "window" => Key::Window,
        "group" => Key::Group,
        "downgrade" => Key::Downgrade,
        "poll" => Key::Poll,
        "ignore" => Key::Ignore,
        "prune" => Key::Prune,
        _ => return Err(unknown(name)),
    };
    match container {
        Some(_) if matches!(key, Key::Ignore | Key::Prune) => Err((
            format!("`{name}` concerns the whole object"),
            format!("write `{name}` without a container"),
        )),
        Some(container) if !is_container_name(container) => Err((
            "what follows the dot is no container name".to_owned(),
            format!("write `{name}`, or `{name}.` and the name of a container"),
        )),
        container => Ok((key, container)),
    }
}

fn unknown(name: &str) -> (String, String) {
    if LATER_KEYS.contains(&name) {
        let hint = "remove the key: while it is there no image of this object is updated";
        return ("not supported by this version".to_owned(), hint.to_owned());
    }
    let hint = match nearest(name, KEYS.iter().chain(LATER_KEYS).copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known keys are {}", KEYS.join(", ")),
    };
    ("unknown key".to_owned(), format!("{hint}; until it is mended no image of this object is updated"))
}

/// Whether `text` is a DNS label, as Kubernetes wants container names.
fn is_container_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}
