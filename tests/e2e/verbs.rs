//! `tidegate plan` and `tidegate explain` beside a world: exit codes and shapes.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tidegate_tests::harness::daemon::binary;
use tidegate_tests::harness::process::free_address;
use tidegate_tests::story::cluster::{image, rolled_out, runs, unit_is_current};
use tidegate_tests::story::world::{REPOSITORY, World};

/// What a verb answered.
#[derive(Debug)]
struct Answer {
    code: Option<i32>,
    output: String,
    words: String,
}

impl Answer {
    /// The answer as one JSON value.
    fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

fn tidegate(config: &Path, arguments: &[&str]) -> Answer {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--config").arg(config).env_remove("KUBECONFIG");
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Answer { code: output.status.code(), output: text(&output.stdout), words: text(&output.stderr) }
}

/// The keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_would_be_done_and_then_that_nothing_is_left() {
    let Some(mut world) = World::real().await else { return };
    let setup = world.setup();
    let config = setup.write(world.folder.path(), 0).expect("a configuration");
    world.registry.push("acme/web", "1.4.3").await.expect("a push");
    let before = world.head();
    let planned = tidegate(&config, &["plan", "-o", "json"]);
    assert_eq!(planned.code, Some(1), "{planned:?}");
    check_plan(&world, &planned.json());
    let text = tidegate(&config, &["plan"]);
    assert_eq!(text.code, Some(1), "{text:?}");
    let (old, new) = (world.image("acme/web", "1.4.2"), world.image("acme/web", "1.4.3"));
    for line in ["--- a/apps/web.yaml", "+++ b/apps/web.yaml"] {
        assert!(text.output.lines().any(|printed| printed == line), "{text:?}");
    }
    for (sign, image) in [("-", &old), ("+", &new)] {
        let line = format!("{sign}        image: {image} # moved by Tidegate");
        assert!(text.output.lines().any(|printed| printed == line), "{line}: {text:?}");
    }
    assert_eq!(world.head(), before, "a plan committed");
    assert_eq!(image(&world, "web").await, None, "a plan applied");
    world.start_daemon(setup).await.expect("the daemon starts");
    runs(&world, "web", &new).await;
    rolled_out(&world, "web").await;
    unit_is_current(&world, &world.head()).await;
    let planned = tidegate(&config, &["plan", "-o", "json"]);
    assert_eq!(planned.code, Some(0), "{planned:?}");
    let plan = planned.json();
    assert_eq!(plan["sources"][0]["changes"], serde_json::json!([]), "{plan}");
    assert_eq!(plan["units"][0]["apply"], serde_json::json!([]), "{plan}");
}

fn check_plan(world: &World, plan: &Value) {
    assert_eq!(keys(plan), ["sources", "units"]);
    let source = &plan["sources"][0];
    assert_eq!(keys(source), ["changes", "held", "name", "revision"]);
    assert_eq!((&source["name"], &source["revision"]), (&"fleet".into(), &world.head().into()));
    let [change] = source["changes"].as_array().expect("changes").as_slice() else { panic!("{source}") };
    for key in ["field", "file", "start", "end", "from", "to", "reason"] {
        assert!(!change[key].is_null(), "`{key}` is missing: {change}");
    }
    let text = world.git.file(REPOSITORY, "apps/web.yaml").expect("the file");
    let at = |key: &str| usize::try_from(change[key].as_u64().expect("a number")).expect("an offset");
    assert_eq!(change["from"].as_str(), text.get(at("start")..at("end")), "{change}");
    assert_eq!(change["to"], world.image("acme/web", "1.4.3"));
    let unit = &plan["units"][0];
    for key in ["unit", "apply", "prune", "held"] {
        assert!(unit.get(key).is_some(), "`{key}` is missing: {unit}");
    }
    let web = format!("Deployment/{}/web", world.namespace);
    assert!(unit["apply"].as_array().expect("a list").contains(&web.into()), "{unit}");
    assert_eq!((&unit["prune"], &unit["held"]), (&serde_json::json!([]), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_gives_each_tag_its_reason_or_says_that_there_is_no_such_workload() {
    let Some(world) = World::real().await else { return };
    let config = world.setup().write(world.folder.path(), 0).expect("a configuration");
    for tag in ["1.4.3", "2.0.0"] {
        world.registry.push("acme/web", tag).await.expect("a push");
    }
    let workload = format!("Deployment/{}/web", world.namespace);
    let told = tidegate(&config, &["explain", &workload, "-o", "json"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let answer = told.json();
    for key in ["selected", "error", "tags", "field", "image", "current", "holds", "decision"] {
        assert!(answer.get(key).is_some(), "`{key}` is missing: {answer}");
    }
    assert_eq!((&answer["selected"], &answer["current"]), (&"1.4.3".into(), &"1.4.2".into()));
    let outcome = |tag: &str| {
        let verdict = answer["tags"].as_array()?.iter().find(|verdict| verdict["tag"] == tag)?;
        Some((verdict["outcome"].as_str()?.to_owned(), verdict["reason"].as_str().map(str::to_owned)))
    };
    assert_eq!(outcome("1.4.3"), Some(("selected".to_owned(), None)));
    assert_eq!(outcome("1.4.1"), Some(("rejected".to_owned(), Some("not-newer".to_owned()))));
    assert_eq!(outcome("2.0.0"), Some(("rejected".to_owned(), Some("out-of-range".to_owned()))));
    let unknown = tidegate(&config, &["explain", "Deployment/shop/nothing", "-o", "json"]);
    assert_eq!((unknown.code, unknown.output.as_str()), (Some(3), ""));
    assert!(unknown.words.contains("Deployment/shop/nothing"), "it says what was not found: {unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn verbs_that_cannot_answer_say_where_and_exit_with_2() {
    let Some(world) = World::real().await else { return };
    let folder = world.folder.path();
    let bad = folder.join("bad.yaml");
    std::fs::write(&bad, "sources:\n- name: fleet\n  ulr: https://git.example.com/fleet\n").expect("a file");
    let mut setup = world.setup();
    setup.git_url = format!("http://{}/fleet", free_address().expect("a free port"));
    let unreachable = setup.write(folder, 0).expect("a configuration");
    for verb in [["plan"].as_slice(), &["explain", "web"]] {
        let absent = tidegate(&folder.join("none.yaml"), verb);
        assert_eq!(absent.code, Some(2), "{absent:?}");
        assert!(absent.words.contains("none.yaml"), "{absent:?}");
        let unread = tidegate(&bad, verb);
        assert_eq!(unread.code, Some(2), "{unread:?}");
        assert!(
            unread.words.contains("bad.yaml:3") && unread.words.contains("did you mean `url`?"),
            "{unread:?}"
        );
        let alone = tidegate(&unreachable, verb);
        assert_eq!(alone.code, Some(2), "{alone:?}");
        assert!(alone.words.contains(&setup.git_url) && alone.words.contains("(hint: "), "{alone:?}");
        let misused = tidegate(&bad, &[verb, &["--no-such-option"]].concat());
        assert_eq!(misused.code, Some(2), "{misused:?}");
    }
}
