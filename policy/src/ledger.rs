//! When each tag of a repository was first seen: what `newest` and `min-age` are judged by.
//!
//! Filled from complete listings, kept by the agent in a ConfigMap of each source. Losing it makes every age
//! unknown, which changes nothing by itself. Not here: reading and writing the ConfigMap (the agent's).

use std::collections::HashMap;

use jiff::Timestamp;

/// What is known of the tags of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstSeen {
    /// When the repository was first listed in full; what it had then is of unknown age, at least this old.
    pub since: Timestamp,
    /// The tags seen since, with the time of the first listing that showed them.
    pub tags: HashMap<String, Timestamp>,
}
