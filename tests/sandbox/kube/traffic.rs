//! The request log, and faults that tests ask for.

use std::sync::Mutex;
use std::time::Duration;

/// One answered request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// `User-Agent`.
    pub user_agent: String,
    /// Status of the answer.
    pub status: u16,
}

impl Request {
    /// Whether it opened a watch.
    pub fn is_watch(&self) -> bool {
        self.path.contains("watch=true") || self.path.contains("watch=1")
    }
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status, and nothing is done.
    Status(u16),
    /// The request waits before it is looked at.
    Delay(Duration),
    /// The request is carried out, and the connection is cut instead of the answer.
    DropAnswer,
}

/// A fault and the requests it meets.
#[derive(Clone, Debug)]
pub struct FaultRule {
    /// HTTP method; empty meets all.
    pub method: String,
    /// Part of path and query; empty meets all.
    pub path_part: String,
    /// What goes wrong.
    pub fault: Fault,
    /// How many requests it still meets.
    pub times: usize,
}

/// What was asked, and what shall go wrong.
#[derive(Debug, Default)]
pub struct Traffic {
    requests: Mutex<Vec<Request>>,
    rules: Mutex<Vec<FaultRule>>,
}

impl Traffic {
    /// Adds a fault.
    pub fn add(&self, rule: FaultRule) {
        self.rules.lock().expect("no holder panics").push(rule);
    }

    /// The fault that meets this request, used up once.
    pub fn fault_for(&self, method: &str, path: &str) -> Option<Fault> {
        let mut rules = self.rules.lock().expect("no holder panics");
        let rule = rules.iter_mut().find(|rule| {
            rule.times > 0
                && (rule.method.is_empty() || rule.method == method)
                && path.contains(&rule.path_part)
        })?;
        rule.times -= 1;
        Some(rule.fault.clone())
    }

    /// Notes an answered request.
    pub fn note(&self, request: Request) {
        self.requests.lock().expect("no holder panics").push(request);
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no holder panics").clone()
    }

    /// Forgets the requests so far.
    pub fn clear(&self) {
        self.requests.lock().expect("no holder panics").clear();
    }
}
