//! Version ranges in the dialect of Masterminds/semver v3.
