//! Whole stories played to both servers, step by step: what they answer must be the same JSON.
//!
//! Masked: what the server invents (uids, versions, times, addresses) and what controllers write at their own time.

mod kinds;
mod ownership;
mod refusals;

use std::fmt::Write as _;

use serde_json::{Value, json};
use tidegate_tests::sandbox::kube::patch::merge;

use crate::world::{Answer, World};

/// Requests for one namespace, written as they are sent.
pub struct Story {
    steps: Vec<Step>,
}

struct Step {
    method: &'static str,
    path: String,
    content: &'static str,
    body: Value,
    vague: bool,
}

impl Story {
    fn new() -> Self {
        Self { steps: Vec::new() }
    }

    fn step(mut self, method: &'static str, path: &str, content: &'static str, body: Value) -> Self {
        self.steps.push(Step { method, path: path.to_owned(), content, body, vague: false });
        self
    }

    /// Of the last step's answer only code, reason and causes' fields are compared: its words are Go's.
    fn vaguely(mut self) -> Self {
        self.steps.last_mut().expect("a step").vague = true;
        self
    }

    fn get(self, path: &str) -> Self {
        self.step("GET", path, "application/json", Value::Null)
    }

    fn post(self, path: &str, body: Value) -> Self {
        self.step("POST", path, "application/json", body)
    }

    /// Replaces by the last answer to a GET of the same path, changed by a merge patch.
    fn put(self, path: &str, change: Value) -> Self {
        self.step("PUT", path, "application/json", change)
    }

    fn apply(self, path: &str, query: &str, body: Value) -> Self {
        self.step("PATCH", &format!("{path}?{query}"), "application/apply-patch+yaml", body)
    }

    fn merge(self, path: &str, body: Value) -> Self {
        self.step("PATCH", path, "application/merge-patch+json", body)
    }

    fn strategic(self, path: &str, body: Value) -> Self {
        self.step("PATCH", path, "application/strategic-merge-patch+json", body)
    }

    fn delete(self, path: &str, options: Value) -> Self {
        self.step("DELETE", path, "application/json", options)
    }

    /// Plays the story to both servers and compares every answer; all differences are reported at once.
    async fn check(self, name: &str) {
        // A name that no other word of an answer contains: it is masked.
        let name = &format!("story-of-{name}");
        let (ours, theirs) = (World::sandbox(name).await, World::real(name).await);
        let mut differences = String::new();
        for (number, step) in self.steps.iter().enumerate() {
            let mut mine = masked(&step.play(&ours).await, &ours);
            let mut real = masked(&step.play(&theirs).await, &theirs);
            if step.vague {
                (mine, real) = (outline(&mine), outline(&real));
            }
            if mine != real {
                let _ = writeln!(differences, "step {number}: {} {}", step.method, step.path);
                differ("", &mine, &real, &mut differences);
            }
        }
        assert!(differences.is_empty(), "sandbox | real\n{differences}");
    }
}

impl Step {
    async fn play(&self, world: &World) -> Answer {
        let path = self.path.replace("{ns}", &world.namespace);
        if self.method != "PUT" {
            return world.send(self.method, &path, self.content, &self.body).await;
        }
        let is_stale_on_purpose = self.body.pointer("/metadata/resourceVersion").is_some();
        for _ in 0..20 {
            let plain = path.split('?').next().unwrap_or_default();
            let body = merge(&world.get(plain).await.body, &self.body);
            let answer = world.send(self.method, &path, self.content, &body).await;
            // A controller may write between reading and replacing.
            let is_overtaken =
                answer.body["message"].as_str().is_some_and(|m| m.contains("has been modified"));
            if is_stale_on_purpose || !is_overtaken {
                return answer;
            }
        }
        panic!("{path} cannot be replaced: always overtaken");
    }
}

fn masked(answer: &Answer, world: &World) -> Value {
    let text = answer.body.to_string().replace(&world.namespace, "NAMESPACE");
    let mut body: Value = serde_json::from_str(&text).expect("JSON stays JSON");
    mask(&mut body);
    json!({"code": answer.code, "body": body})
}

fn outline(answer: &Value) -> Value {
    let causes = answer.pointer("/body/details/causes").and_then(Value::as_array);
    let fields: Vec<&Value> = causes.into_iter().flatten().map(|cause| &cause["field"]).collect();
    json!({"code": answer["code"], "reason": answer["body"]["reason"], "fields": fields})
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(map) => {
            // Controllers write these when they come to it.
            for workload in ["Deployment", "Job", "CronJob", "ReplicaSet", "Pod"] {
                if map.get("kind") == Some(&json!(workload)) {
                    map.remove("status");
                }
            }
            // What Go writes for absent structs and times.
            map.retain(|key, inner| !inner.is_null() && (key != "deprecatedSource" || *inner != json!({})));
            for (key, inner) in map.iter_mut() {
                let invented = matches!(
                    key.as_str(),
                    "uid"
                        | "resourceVersion"
                        | "creationTimestamp"
                        | "deletionTimestamp"
                        | "time"
                        | "clusterIP"
                        | "batch.kubernetes.io/controller-uid"
                        | "controller-uid"
                );
                if invented && inner.is_string() && inner != "None" {
                    *inner = json!("MASKED");
                } else if key == "clusterIPs" {
                    *inner = json!(["MASKED"]);
                } else {
                    mask(inner);
                }
            }
            let is_controllers =
                |entry: &Value| matches!(entry["manager"].as_str(), Some("kube-controller-manager" | "kwok"));
            if let Some(entries) = map.get_mut("managedFields").and_then(Value::as_array_mut) {
                entries.retain(|entry| !is_controllers(entry));
                // Entries of one second are ordered by name; the servers need not live in the same second.
                entries.sort_by_key(|entry| (entry["operation"].to_string(), entry["manager"].to_string()));
            }
            if let Some(notes) = map.get_mut("annotations").and_then(Value::as_object_mut) {
                notes.remove("deployment.kubernetes.io/revision");
            }
            if map.get("annotations") == Some(&json!({})) {
                map.remove("annotations");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}

fn differ(path: &str, mine: &Value, real: &Value, out: &mut String) {
    match (mine, real) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                differ(&format!("{path}/{key}"), value, b.get(key).unwrap_or(&Value::Null), out);
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                let _ = writeln!(out, "  {path}/{key}: absent | {value}");
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (mine, real)) in a.iter().zip(b).enumerate() {
                differ(&format!("{path}/{index}"), mine, real, out);
            }
        }
        _ if mine != real => {
            let _ = writeln!(out, "  {path}: {mine} | {real}");
        }
        _ => {}
    }
}
