//! `platforms`: what an image must run on, in the words of the OCI image index.
//!
//! Called by [`super::resolve`] and by the agent, which reads the platforms of images. Not here: which image is
//! looked at.

use std::fmt;

use super::Platform;
use crate::quote::quoted;
use crate::spelling::nearest;

/// Operating systems and architectures of the OCI image specification: the values of Go's GOOS and GOARCH.
const SYSTEMS: &[&str] = &[
    "linux",
    "windows",
    "darwin",
    "freebsd",
    "netbsd",
    "openbsd",
    "dragonfly",
    "solaris",
    "illumos",
    "aix",
    "plan9",
    "android",
    "ios",
    "js",
    "wasip1",
];
const ARCHITECTURES: &[&str] = &[
    "amd64", "arm64", "arm", "386", "ppc64le", "ppc64", "s390x", "riscv64", "loong64", "mips", "mipsle",
    "mips64", "mips64le", "wasm",
];

const FORM: &str = "write an operating system and an architecture, as in `linux/amd64` or `linux/arm/v7`";

/// Most items in one list.
const ITEMS_MAX: usize = 32;

impl Platform {
    /// Puts other names of an architecture in the form of the specification, as containerd does.
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let (architecture, implied) = match architecture {
            "x86_64" | "x86-64" => ("amd64", None),
            "aarch64" => ("arm64", None),
            "armhf" => ("arm", Some("v7")),
            "armel" => ("arm", Some("v6")),
            "i386" => ("386", None),
            other => (other, None),
        };
        let variant = variant.filter(|variant| !variant.is_empty()).or(implied);
        // Version 8 is the only one that arm64 had for years, and most images do not name it.
        let variant = variant.filter(|variant| !(architecture == "arm64" && matches!(*variant, "v8" | "8")));
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(|variant| match variant {
                digits if digits.bytes().all(|b| b.is_ascii_digit()) => format!("v{digits}"),
                variant => variant.to_owned(),
            }),
        }
    }

    /// Reads `os/architecture` or `os/architecture/variant`; the error says what is wrong and what to write.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        let mut parts = text.trim().split('/');
        let (os, architecture, variant) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let Some(architecture) = architecture.filter(|_| parts.next().is_none()) else {
            return Err((format!("{} is no platform", quoted(text)), FORM.to_owned()));
        };
        let platform = Self::new(os, architecture, variant);
        known(&platform.os, "operating system", SYSTEMS)?;
        known(&platform.architecture, "architecture", ARCHITECTURES)?;
        let is_word = |text: &String| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if variant == Some("") || !platform.variant.as_ref().is_none_or(is_word) {
            return Err((format!("{} has no variant after its last `/`", quoted(text)), FORM.to_owned()));
        }
        Ok(platform)
    }

    /// Reads a list, one platform a line.
    pub(super) fn parse_list(value: &str) -> Result<Vec<Self>, (String, String)> {
        let items: Vec<&str> = super::filter::lines(value).collect();
        if items.len() > ITEMS_MAX {
            let problem = format!("{} items, at most {ITEMS_MAX} are allowed", items.len());
            return Err((problem, "name the platforms that your nodes have".to_owned()));
        }
        items.into_iter().map(Self::parse).collect()
    }

    /// The variant, or what a container runtime takes an image for that names none.
    fn variant_or_usual(&self) -> Option<String> {
        let usual = || (self.architecture == "arm").then(|| "v7".to_owned());
        self.variant.clone().or_else(usual)
    }

    /// Whether an image that has `offered` runs here: a variant that is not asked for may be any.
    pub fn is_met_by(&self, offered: &[Self]) -> bool {
        offered.iter().any(|other| {
            other.os == self.os
                && other.architecture == self.architecture
                && (self.variant.is_none() || self.variant == other.variant_or_usual())
        })
    }
}

fn known(text: &str, what: &str, list: &[&'static str]) -> Result<(), (String, String)> {
    if list.contains(&text) {
        return Ok(());
    }
    let hint = nearest(text, list.iter().copied())
        .map_or_else(|| FORM.to_owned(), |meant| format!("did you mean `{meant}`?"));
    Err((format!("{} is no {what}", quoted(text)), hint))
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let shown = match Platform::parse(text) {
            Ok(platform) => platform.to_string(),
            Err((problem, hint)) => format!("{problem} ({hint})"),
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn other_names_of_a_platform_are_the_same_platform() {
        for (text, expect) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm64/v9", "linux/arm64/v9"),
            ("linux/arm/7", "linux/arm/v7"),
            ("linux/armhf", "linux/arm/v7"),
            (" windows/amd64 ", "windows/amd64"),
        ] {
            check(text, expect);
        }
    }

    #[test]
    fn what_is_no_platform_says_what_to_write() {
        check("linux", &format!("`linux` is no platform ({FORM})"));
        check("linux/arm/v7/x", &format!("`linux/arm/v7/x` is no platform ({FORM})"));
        check("linx/amd64", "`linx` is no operating system (did you mean `linux`?)");
        check("linux/amd46", "`amd46` is no architecture (did you mean `amd64`?)");
        check("linux/arm/", &format!("`linux/arm/` has no variant after its last `/` ({FORM})"));
    }

    #[test]
    fn an_image_meets_what_it_names_and_any_variant_that_is_not_asked_for() {
        let of = |texts: &[&str]| texts.iter().map(|text| Platform::parse(text).unwrap()).collect::<Vec<_>>();
        let met = |asked: &str, offered: &[&str]| Platform::parse(asked).unwrap().is_met_by(&of(offered));
        assert!(met("linux/amd64", &["linux/arm64", "linux/amd64/v2"]));
        assert!(met("linux/arm64", &["linux/arm64/v8"]));
        assert!(met("linux/arm", &["linux/arm/v6"]));
        assert!(met("linux/arm/v7", &["linux/arm/v7"]));
        assert!(met("linux/arm/v7", &["linux/arm"]));
        assert!(!met("linux/arm/v7", &["linux/arm/v6"]));
        assert!(!met("linux/amd64", &["windows/amd64"]));
        assert!(!met("linux/amd64", &[]));
    }
}
