//! Keys and values as people write them, and what is made of them for the container `web`.

use super::*;

fn settings(pairs: &[(&str, &str)]) -> Vec<Setting> {
    let setting = |(index, (key, value)): (usize, &(&str, &str))| Setting {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
        line: index + 1,
    };
    pairs.iter().enumerate().map(setting).collect()
}

/// Prints `policy | tags | ignore-tags | reasons of holds`, or `line key: message (hint)`.
fn resolve(pairs: &[(&str, &str)], container: &str) -> String {
    match ImagePolicy::resolve(&settings(pairs), container) {
        Ok(None) => "no policy".to_owned(),
        Ok(Some(policy)) => {
            let PolicyText { policy: text, tags, ignore_tags } = policy.text;
            let holds: Vec<_> = policy.holds.into_iter().map(|hold| hold.reason).collect();
            [text, tags.replace('\n', ","), ignore_tags.replace('\n', ","), holds.join(",")].join(" | ")
        }
        Err(error) => {
            format!("{} {}: {} ({})", error.line, error.key, error.message, error.hint.unwrap_or_default())
        }
    }
}

#[track_caller]
fn check(pairs: &[(&str, &str)], expect: &str) {
    assert_eq!(resolve(pairs, "web"), expect, "{pairs:?}");
}

/// Checks one value of `policy`.
#[track_caller]
fn check_policy(value: &str, expect: &str) {
    check(&[("policy", value)], expect);
}

#[test]
fn each_kind_of_policy_is_read() {
    check_policy("semver:~1.4", "semver:~1.4 |  |  | ");
    check_policy(" semver: >=1.2 <2 \n", "semver:>=1.2 <2 |  |  | ");
    check_policy("numeric", "numeric |  |  | ");
    check_policy("numeric:desc", "numeric:desc |  |  | ");
    check_policy("alphabetical", "alphabetical |  |  | ");
    check_policy("alphabetical: asc", "alphabetical:asc |  |  | ");
    check_policy("newest", "newest |  |  | ");
    check_policy("digest: main", "digest:main |  |  | ");
    check_policy("none", "no policy");
    check(&[], "no policy");
}

#[test]
fn the_order_follows_the_policy() {
    let order = |value| ImagePolicy::resolve(&settings(&[("policy", value)]), "web").unwrap().unwrap().order;
    assert_eq!(order("semver:~1.4"), Order::Semver(Range::parse("~1.4").unwrap()));
    assert_eq!(order("numeric"), Order::Numeric(false));
    assert_eq!(order("numeric:desc"), Order::Numeric(true));
    assert_eq!(order("alphabetical:asc"), Order::Alphabetical(false));
    assert_eq!(order("alphabetical:desc"), Order::Alphabetical(true));
    assert_eq!(order("newest"), Order::Newest);
    assert_eq!(order("digest:main"), Order::Digest(Tag::parse("main").unwrap()));
}

#[test]
fn an_unreadable_policy_says_what_to_write() {
    check_policy(
        "~1.4",
        "1 policy: `~1.4` is no kind of policy (the prefix is mandatory: write `semver:~1.4`)",
    );
    check_policy("semver", "1 policy: `semver` needs a range (write `semver:~1.4`)");
    check_policy(
        "semver:",
        "1 policy: the range is empty (write a range such as `~1.4`, or `*` for any release)",
    );
    check_policy(
        "semver:>=1.2 <two",
        "1 policy: at byte 7 of the range, `two`: a version is missing (write one to three numbers, as in `1.4` or `1.4.2`, or `x` for any)",
    );
    check_policy("semvr:~1", "1 policy: `semvr` is no kind of policy (did you mean `semver`?)");
    check_policy("numerical", "1 policy: `numerical` is no kind of policy (did you mean `numeric`?)");
    check_policy(
        "numeric:up",
        "1 policy: `up` is no direction (write `numeric:asc`, where the last wins, or `numeric:desc`, where the first wins)",
    );
    check_policy(
        "major",
        "1 policy: `major` is no kind of policy (write `semver:RANGE`, `numeric`, `alphabetical`, `newest`, `digest:TAG` or `none`)",
    );
    check_policy(
        "newest:asc",
        "1 policy: `newest` takes nothing after it (write `newest`, and say with `tags` which tags are candidates)",
    );
    check_policy("digest", "1 policy: `digest` needs a tag to follow (write `digest:main`)");
    check_policy("digest:", "1 policy: `digest` needs a tag to follow (write `digest:main`)");
    check_policy("digest:a b", "1 policy: `a b` is no tag: ` ` is not allowed in it (write `digest:TAG`)");
    check_policy(" ", "1 policy: the value is empty (write a value or remove the key)");
    let long = format!("semver:{}", "1 ".repeat(3000));
    check_policy(
        &long,
        "1 policy: the value has 6006 bytes, at most 4096 are allowed (write a shorter value)",
    );
}

#[test]
fn a_key_of_the_container_replaces_the_key_of_the_object() {
    let pairs = [
        ("policy", "semver:~1.4"),
        ("tags", "glob:v*"),
        ("policy.web", "numeric"),
        ("tags.api", "glob:a*"),
        ("policy.sidecar", "none"),
    ];
    assert_eq!(resolve(&pairs, "web"), "numeric | glob:v* |  | ");
    assert_eq!(resolve(&pairs, "api"), "semver:~1.4 | glob:a* |  | ");
    assert_eq!(resolve(&pairs, "sidecar"), "no policy");
    assert_eq!(resolve(&[("policy.api", "numeric")], "web"), "no policy");
}

#[test]
fn either_hold_holds() {
    let pairs =
        [("policy", "numeric"), ("hold", "freeze; until=2026-12-01T09:00Z"), ("hold.web", "incident 4711")];
    assert_eq!(resolve(&pairs, "web"), "numeric |  |  | freeze,incident 4711");
    assert_eq!(resolve(&pairs, "api"), "numeric |  |  | freeze");
    check(
        &[("policy", "numeric"), ("hold", "x; until=soon")],
        "2 hold: `until` is no time (write an RFC 3339 time, as in 2026-12-01T09:00Z or 2026-12-01T09:00+02:00)",
    );
}

#[test]
fn lists_take_one_item_a_line_and_may_repeat() {
    check(
        &[("policy", "numeric"), ("tags", "\n  glob:a* \n\nregex:^b\n"), ("ignore-tags", "regexp:x")],
        "numeric | glob:a*,regex:^b | regexp:x | ",
    );
    check(&[("policy", "numeric"), ("tags", "glob:a"), ("tags", "glob:b")], "numeric | glob:a,glob:b |  | ");
    check(&[("policy", "numeric"), ("policy", "numeric")], "2 policy: given twice (remove one of the two)");
}

#[test]
fn an_unreadable_list_item_says_what_to_write() {
    let check_tags = |item: &str, expect: &str| check(&[("policy", "numeric"), ("tags", item)], expect);
    check_tags(
        "v*",
        "2 tags: an item needs the prefix `glob:` or `regex:` (write `glob:…`, one item a line)",
    );
    check_tags(
        "regx:^v",
        "2 tags: an item needs the prefix `glob:` or `regex:` (write `regex:…`, one item a line)",
    );
    check_tags("glob:", "2 tags: `glob:` without a pattern (write a pattern after the colon)");
    check_tags("glob:[a", "2 tags: `[` without `]` (a class is written `[a-z]`, `[abc]` or `[!0-9]`)");
    check_tags(
        "regex:(",
        "2 tags: not a regex: unclosed group (the syntax is that of the Rust `regex` crate: no look-around, no back-references)",
    );
    check_tags(
        "regex:(?!a)b",
        "2 tags: not a regex: look-around, including look-ahead and look-behind, is not supported (the syntax is that of the Rust `regex` crate: no look-around, no back-references)",
    );
    check_tags(
        "regex:((a{1,1000}){1,1000})*",
        "2 tags: the regex compiles to more than 512 KiB (use smaller repetitions)",
    );
    check_tags(
        r"regex:(?u)\w{200}",
        "2 tags: the regex compiles to more than 512 KiB (use smaller repetitions)",
    );
    check(
        &[("policy", "numeric"), ("tags", r"regex:^[\w.-]{1,128}$")],
        r"numeric | regex:^[\w.-]{1,128}$ |  | ",
    );
    check_tags(
        &"glob:a\n".repeat(33),
        "2 tags: 33 items, at most 32 are allowed (join some of them with a `regex:`)",
    );
}

#[test]
fn an_unknown_key_fails_every_container_with_or_without_a_policy() {
    let expect = "1 polcy: unknown key (did you mean `policy`?; until it is mended no image of this object is updated)";
    check(&[("polcy", "numeric")], expect);
    check(&[("polcy", "x"), ("policy", "numeric")], expect);
    check(
        &[("policy", "numeric"), ("polcy.other", "x")],
        "2 polcy.other: unknown key (did you mean `policy`?; until it is mended no image of this object is updated)",
    );
    check(
        &[("frobnicate", "x")],
        "1 frobnicate: unknown key (known keys are policy, tags, ignore-tags, pin, platforms, min-age, hold, window, group, downgrade, poll, ignore, prune; until it is mended no image of this object is updated)",
    );
}

#[test]
fn a_key_of_a_later_version_is_refused_by_name() {
    for key in LATER_KEYS {
        check(
            &[("policy", "numeric"), (key, "x")],
            &format!(
                "2 {key}: not supported by this version (remove the key: while it is there no image of this object is updated)"
            ),
        );
        assert!(!KEYS.contains(key));
    }
    check(
        &[("verify.api", "x")],
        "1 verify.api: not supported by this version (remove the key: while it is there no image of this object is updated)",
    );
}

#[test]
fn the_suffix_of_a_key_is_a_container_name() {
    for key in ["policy.", "policy.Web", "policy.a.b", "policy.-a", "policy.a_b"] {
        check(
            &[(key, "numeric")],
            &format!(
                "1 {key}: what follows the dot is no container name (write `policy`, or `policy.` and the name of a container)"
            ),
        );
    }
    check(
        &[("prune.web", "disabled")],
        "1 prune.web: `prune` concerns the whole object (write `prune` without a container)",
    );
}

#[test]
fn a_value_of_another_container_is_not_read() {
    let pairs = [("policy", "numeric"), ("policy.api", "garbage"), ("tags.api", "garbage"), ("hold.api", "")];
    assert_eq!(resolve(&pairs, "web"), "numeric |  |  | ");
    assert!(resolve(&pairs, "api").starts_with("4 hold.api: the value is empty"));
}

#[test]
fn keys_beside_the_policy_are_checked_too() {
    check(
        &[("policy", "numeric"), ("pin", "tag"), ("prune", "disabled"), ("ignore", "true")],
        "numeric |  |  | ",
    );
    check(&[("pin", "tags")], "1 pin: `tags` cannot be pinned (write `tag`, the default, or `digest`)");
    check(&[("prune", "enabled")], "1 prune: `enabled` is no value of this key (write `disabled`)");
    check(&[("ignore", "yes")], "1 ignore: `yes` is no value of this key (write `true` or `false`)");
}

#[test]
fn every_key_of_the_closed_list_is_honoured() {
    for key in KEYS {
        assert!(!resolve(&[(key, "?")], "web").contains("unknown key"), "{key}");
    }
}

#[test]
fn the_group_version_is_what_is_compared() {
    let judge = |tags: &str, tag: &str| -> String {
        let policy = ImagePolicy::resolve(&settings(&[("policy", "numeric"), ("tags", tags)]), "web")
            .unwrap()
            .unwrap();
        format!("{:?}", policy.filter.judge(tag))
    };
    assert_eq!(judge("regex:^v(?P<version>[0-9.]+)-alpine$", "v1.4.2-alpine"), r#"Candidate("1.4.2")"#);
    assert_eq!(judge("regex:(?<version>[0-9]+)", "build-77-x"), r#"Candidate("77")"#);
    assert_eq!(judge("regex:^v(?P<v>[0-9.]+)", "v1.4.2-alpine"), r#"Candidate("v1.4.2-alpine")"#);
    assert_eq!(judge("regex:b", "abc"), r#"Candidate("abc")"#);
    assert_eq!(judge("regex:^(?:v(?P<version>[0-9]+)|latest)$", "latest"), r#"Candidate("")"#);
    assert_eq!(judge("glob:v*\nregex:(?P<version>[0-9]+)", "v7"), r#"Candidate("v7")"#);
    assert_eq!(judge("glob:v*", "7"), "NotInTags");
    assert_eq!(judge(r"regex:^(?P<version>\d+)$", "٣"), "NotInTags");
    assert_eq!(judge("regex:^é(?P<version>.)", "éé"), r#"Candidate("")"#);
}

/// Prints what the keys beside the policy say of the container `web`.
fn rest(pairs: &[(&str, &str)]) -> String {
    match ImagePolicy::resolve(&settings(pairs), "web") {
        Ok(Some(policy)) => {
            let platforms: Vec<_> = policy.platforms.iter().map(ToString::to_string).collect();
            let windows: Vec<_> = policy.windows.open.iter().map(|window| window.text.as_str()).collect();
            let freezes: Vec<_> = policy.windows.freeze.iter().map(|window| window.text.as_str()).collect();
            format!(
                "pin {:?}; platforms {}; min-age {}; open {}; freeze {}; group {}; downgrade {}; poll {}",
                policy.pin,
                platforms.join(" "),
                policy.min_age.map(|age| format!("{age:#}")).unwrap_or_default(),
                windows.join(", "),
                freezes.join(", "),
                policy.group.unwrap_or_default(),
                policy.downgrade,
                policy.poll.map(|poll| poll.text).unwrap_or_default(),
            )
        }
        Ok(None) => "no policy".to_owned(),
        Err(error) => format!("{}: {} ({})", error.key, error.message, error.hint.unwrap_or_default()),
    }
}

#[track_caller]
fn check_rest(pairs: &[(&str, &str)], expect: &str) {
    let with_policy: Vec<_> = [("policy", "semver:~1.4")].iter().chain(pairs).copied().collect();
    assert_eq!(rest(&with_policy), expect, "{pairs:?}");
}

#[test]
fn keys_that_say_when_and_what_are_read() {
    check_rest(&[], "pin Tag; platforms ; min-age ; open ; freeze ; group ; downgrade false; poll ");
    check_rest(
        &[
            ("pin", "digest"),
            ("platforms", "linux/amd64\nlinux/aarch64"),
            ("min-age", "2h"),
            ("window", "0 9 * * MON-THU for 7h Europe/Berlin\nfreeze 0 0 24 12 * for 240h UTC"),
            ("group", "checkout"),
            ("downgrade", "allow"),
            ("poll", "30s"),
        ],
        "pin Digest; platforms linux/amd64 linux/arm64; min-age 2h; open 0 9 * * MON-THU for 7h Europe/Berlin; freeze freeze 0 0 24 12 * for 240h UTC; group checkout; downgrade true; poll 30s",
    );
    check_rest(
        &[("platforms", "linux/amd64"), ("platforms", "linux/arm64"), ("pin.web", "digest"), ("pin", "tag")],
        "pin Digest; platforms linux/amd64 linux/arm64; min-age ; open ; freeze ; group ; downgrade false; poll ",
    );
}

#[test]
fn unreadable_values_beside_the_policy_say_what_to_write() {
    check_rest(&[("min-age", "91d")], "min-age: `91d` is longer than 90d (write a duration from 1s to 90d)");
    check_rest(&[("downgrade", "yes")], "downgrade: `yes` is no value of this key (write `allow`)");
    check_rest(
        &[("group", "a b")],
        "group: `a b` is no name of a group (write one word of letters, digits, `-`, `_` and `.`, at most 63 bytes: `checkout`)",
    );
    check_rest(
        &[("platforms", "linux/amd46")],
        "platforms: `amd46` is no architecture (did you mean `amd64`?)",
    );
    for key in ["window", "poll", "min-age", "platforms"] {
        assert!(rest(&[("policy", "semver:1"), (key, "?")]).starts_with(&format!("{key}: ")), "{key}");
        assert!(rest(&[(key, "?")]).starts_with(&format!("{key}: ")), "{key} without a policy");
    }
}

#[test]
fn following_a_digest_pins_it_and_groups_need_versions() {
    let digest = |pairs: &[(&str, &str)]| {
        let all: Vec<_> = [("policy", "digest:main")].iter().chain(pairs).copied().collect();
        rest(&all)
    };
    assert!(digest(&[]).starts_with("pin Digest"));
    assert!(digest(&[("pin", "digest")]).starts_with("pin Digest"));
    assert_eq!(
        digest(&[("pin", "tag")]),
        "pin: a policy `digest:` writes the digest, and `pin: tag` forbids that (remove `pin`, or follow versions)"
    );
    let group = "group: the members of a group move to one version, and this policy compares none (remove `group`, or write `policy: semver:…`, `numeric` or `alphabetical`)";
    assert_eq!(digest(&[("group", "a")]), group);
    assert_eq!(rest(&[("policy", "newest"), ("group", "a")]), group);
}
