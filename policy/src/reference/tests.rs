//! References as people write them, against what `distribution/reference` makes of them.

use proptest::prelude::*;

use super::*;

const SHA256: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[track_caller]
fn check(text: &str, registry: &str, path: &str, tag: Option<&str>, digest: Option<&str>) {
    let reference = ImageReference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(reference.repository.registry, registry, "registry of {text}");
    assert_eq!(reference.repository.path, path, "path of {text}");
    assert_eq!(reference.tag.as_ref().map(Tag::as_str), tag, "tag of {text}");
    assert_eq!(reference.digest.as_ref().map(Digest::as_str), digest, "digest of {text}");
    let canonical = reference.to_string();
    assert_eq!(ImageReference::parse(&canonical).as_ref(), Ok(&reference), "{canonical} must be stable");
}

#[track_caller]
fn check_error(text: &str, expect: &str) {
    let error = ImageReference::parse(text).expect_err(text).to_string();
    assert!(error.contains(expect), "{text}: expected `{expect}` in `{error}`");
    assert!(split_written(text).is_err());
}

#[test]
fn docker_hub_is_filled_in() {
    check("nginx", "docker.io", "library/nginx", None, None);
    check("nginx:1.27", "docker.io", "library/nginx", Some("1.27"), None);
    check("acme/web:1", "docker.io", "acme/web", Some("1"), None);
    check("docker.io/nginx", "docker.io", "library/nginx", None, None);
    check("docker.io/library/nginx", "docker.io", "library/nginx", None, None);
    check("index.docker.io/nginx", "docker.io", "library/nginx", None, None);
    check("index.docker.io/acme/web", "docker.io", "acme/web", None, None);
    check("library/nginx", "docker.io", "library/nginx", None, None);
}

#[test]
fn a_first_component_is_a_host_if_it_looks_like_one() {
    check("ghcr.io/acme/web:1.4.2", "ghcr.io", "acme/web", Some("1.4.2"), None);
    check("localhost/web", "localhost", "web", None, None);
    check("localhost:5000/web:1", "localhost:5000", "web", Some("1"), None);
    check("registry:5000/web", "registry:5000", "web", None, None);
    check("127.0.0.1:5000/web", "127.0.0.1:5000", "web", None, None);
    check("[::1]:5000/web:1", "[::1]:5000", "web", Some("1"), None);
    check("[fe80::1]/web", "[fe80::1]", "web", None, None);
    check("Registry/web", "Registry", "web", None, None);
    check("xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage", Some("xn--n3h.com"), None);
    check("host/web", "docker.io", "host/web", None, None);
}

#[test]
fn a_colon_without_a_slash_after_it_starts_a_tag() {
    check("localhost:5000", "docker.io", "library/localhost", Some("5000"), None);
    check("foo_bar.com:8080", "docker.io", "library/foo_bar.com", Some("8080"), None);
    check("ghcr.io:443/web", "ghcr.io:443", "web", None, None);
}

#[test]
fn digests_have_the_exact_length_of_their_algorithm() {
    check(&format!("web@{SHA256}"), "docker.io", "library/web", None, Some(SHA256));
    check(&format!("r.io:5000/a/web:1@{SHA256}"), "r.io:5000", "a/web", Some("1"), Some(SHA256));
    let sha512 = format!("sha512:{}", "0a".repeat(64));
    check(&format!("web@{sha512}"), "docker.io", "library/web", None, Some(&sha512));
    assert!(Digest::parse(&format!("sha384:{}", "0".repeat(96))).is_ok());
    assert!(Digest::parse(&format!("blake3:{}", "0".repeat(64))).is_ok());
    check_error(&format!("web@blake3:{}", "0".repeat(63)), "blake3 has 64");
    check_error("web@sha256:abc", "has 64 hexadecimal digits, this has 3");
    check_error(&format!("web@{}", SHA256.to_uppercase()), "not supported");
    check_error(&format!("web@sha256:{}", "A".repeat(64)), "lower-case");
    check_error(&format!("web@md5:{}", "0".repeat(32)), "not supported");
    check_error(&format!("web@sha256+b64:{}", "0".repeat(64)), "not supported");
    check_error(&format!("web@-sha256:{}", "0".repeat(64)), "no algorithm");
    check_error("web@sha256", "algorithm:hex");
    check_error("web@", "algorithm:hex");
    check_error(&format!("web@{SHA256}:1"), "hexadecimal");
    check_error(&format!("web@{SHA256}@{SHA256}"), "hexadecimal");
}

#[test]
fn separators_in_a_path_are_few() {
    for path in ["a.b", "a_b", "a__b", "a-b", "a---b", "0", "a/b/c/d", "foo.bar_baz-qux"] {
        check(&format!("r.io/{path}"), "r.io", path, None, None);
    }
    for path in ["a..b", "a___b", "a._b", "a-_b", "-a", "a-", "a.", "_a", "a//b", "a/", "/a", ""] {
        check_error(&format!("r.io/{path}"), "is no");
    }
}

#[test]
fn junk_is_refused_with_its_place() {
    check_error("", "no repository name");
    check_error(":tag", "no repository name");
    check_error(&format!("@{SHA256}"), "no repository name");
    check_error("nginx:", "it is empty");
    check_error(" nginx", "` ` is not allowed");
    check_error("nginx ", "` ` is not allowed");
    check_error("nginx\n", "`\\n` is not allowed");
    check_error("nginx:1.0\n", "`\\n` is not allowed");
    check_error("nginx:1:2", "`:` is not allowed");
    check_error("Uppercase", "must be lower case, but holds `U`");
    check_error("acme/Web", "must be lower case");
    check_error("r.io/Web:tag", "must be lower case");
    check_error("https://ghcr.io/acme/web", "no registry host");
    check_error("ghcr.io:port/web", "decimal port");
    check_error("ghcr.io:/web", "decimal port");
    check_error("ghcr..io/web", "labels is empty");
    check_error("-ghcr.io/web", "starts and ends");
    check_error("foo_bar.com/web", "`_` is not allowed");
    check_error("[::1/web", "registry host");
    check_error("[]:5000/web", "IPv6");
    check_error("[fe80::1%eth0]:5000/web", "IPv6");
    check_error("nginx:é", "`é` is not allowed");
    check_error("nginx:-1", "must start with");
    check_error("nginx:.1", "must start with");
    check_error(&"a".repeat(64), "id of a local image");
}

#[test]
fn lengths_are_bounded() {
    check(&format!("r.io/{}", "a".repeat(255)), "r.io", &"a".repeat(255), None, None);
    check_error(&format!("r.io/{}", "a".repeat(256)), "256 bytes");
    check_error(&"a".repeat(248), "256 bytes");
    let tag = "t".repeat(128);
    check(&format!("nginx:{tag}"), "docker.io", "library/nginx", Some(&tag), None);
    check_error(&format!("nginx:{tag}t"), "129 bytes");
}

#[test]
fn splitting_keeps_the_spelling_of_the_name() {
    let text = format!("index.docker.io/nginx:1.27@{SHA256}");
    let written = split_written(&text).unwrap();
    assert_eq!(written, Written { name: "index.docker.io/nginx", tag: Some("1.27"), digest: Some(SHA256) });
    let written = split_written("r.io:5000/a/b").unwrap();
    assert_eq!(written, Written { name: "r.io:5000/a/b", tag: None, digest: None });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_is_accepted_is_stable_and_splits_into_itself(text in "[a-zA-Z0-9:/@._\\[\\]-]{0,40}") {
        if let Ok(reference) = ImageReference::parse(&text) {
            prop_assert_eq!(ImageReference::parse(&reference.to_string()), Ok(reference));
            let written = split_written(&text).unwrap();
            let tag = written.tag.map(|tag| format!(":{tag}")).unwrap_or_default();
            let digest = written.digest.map(|digest| format!("@{digest}")).unwrap_or_default();
            prop_assert_eq!(format!("{}{tag}{digest}", written.name), text);
        }
    }
}
