//! One comparator of a range: an operator and a bound, in which trailing parts may stand for any number.
//!
//! Not here: the pre-release rule, which concerns the whole AND group (see [`super::Range::admission`]).

use crate::version::Version;

/// How a version is compared with the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `=` or nothing.
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `<`
    Less,
    /// `>=` or `=>`
    AtLeast,
    /// `<=` or `=<`
    AtMost,
    /// `~` or `~>`
    Tilde,
    /// `^`
    Caret,
}

/// From which part on the bound stands for any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wildcard {
    /// No part: `1.2.3`.
    None,
    /// The third: `1.2` or `1.2.x`.
    Patch,
    /// The second: `1` or `1.x`.
    Minor,
    /// All: `*`.
    Major,
}

/// An operator and its bound; parts that stand for any number are 0 in the bound.
#[derive(Clone, Debug)]
pub(super) struct Comparator {
    pub(super) operator: Operator,
    pub(super) bound: Version,
    pub(super) wildcard: Wildcard,
}

impl Comparator {
    /// Whether the version is inside, were pre-releases asked for.
    pub(super) fn admits(&self, version: &Version) -> bool {
        let bound = &self.bound;
        match self.operator {
            Operator::Equal if self.wildcard == Wildcard::None => version == bound,
            Operator::Equal | Operator::Tilde => self.tilde(version),
            Operator::NotEqual => match self.wildcard {
                Wildcard::Minor => version.major() != bound.major(),
                Wildcard::Patch => major_minor(version) != major_minor(bound) || version.pre() != bound.pre(),
                Wildcard::None | Wildcard::Major => version != bound,
            },
            Operator::Greater => match self.wildcard {
                Wildcard::Minor => version.major() > bound.major(),
                Wildcard::Patch => major_minor(version) > major_minor(bound),
                Wildcard::None | Wildcard::Major => version > bound,
            },
            Operator::Less => version < bound,
            Operator::AtLeast => version >= bound,
            Operator::AtMost => match self.wildcard {
                Wildcard::None => version <= bound,
                Wildcard::Minor => version.major() <= bound.major(),
                // `<=*` admits 0.0.x only: surprising, and the dialect as it stands.
                Wildcard::Patch | Wildcard::Major => major_minor(version) <= major_minor(bound),
            },
            Operator::Caret => self.caret(version),
        }
    }

    /// At least the bound, and the same up to the minor version (or the major, if the minor is any).
    fn tilde(&self, version: &Version) -> bool {
        let bound = &self.bound;
        let at_zero = (bound.major(), bound.minor(), bound.patch()) == (0, 0, 0);
        let any = at_zero && matches!(self.wildcard, Wildcard::None | Wildcard::Major);
        version >= bound
            && (any
                || version.major() == bound.major()
                    && (self.wildcard == Wildcard::Minor || version.minor() == bound.minor()))
    }

    /// At least the bound, and the same up to its first number that is not zero.
    fn caret(&self, version: &Version) -> bool {
        let bound = &self.bound;
        if version < bound || version.major() != bound.major() {
            return false;
        }
        if bound.major() > 0 || self.wildcard == Wildcard::Minor {
            return true;
        }
        // With a patch of any number `^0.0` is the whole of 0.0; `^*` is 0.0.0 alone, as the dialect has it.
        version.minor() == bound.minor()
            && (bound.minor() > 0 || self.wildcard == Wildcard::Patch || version.patch() == bound.patch())
    }
}

fn major_minor(version: &Version) -> (u64, u64) {
    (version.major(), version.minor())
}
