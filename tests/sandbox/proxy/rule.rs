//! Which requests a proxy meddles with, and how.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Which requests: all, until narrowed.
#[derive(Clone, Debug, Default)]
pub struct When {
    method: Option<String>,
    path: String,
    skip: usize,
    times: Option<usize>,
}

impl When {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests of a method whose path with query contains `path`.
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: Some(method.to_owned()), path: path.to_owned(), ..Self::default() }
    }

    /// Requests whose path with query contains `path`.
    pub fn path(path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }

    /// Only the `n`th such request from now on, counted from 1.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        self.skip = n.saturating_sub(1);
        self.times = Some(1);
        self
    }

    /// Only the next `n` such requests.
    #[must_use]
    pub fn times(mut self, n: usize) -> Self {
        self.times = Some(n);
        self
    }

    /// Tells whether a request is of this kind, whatever its number.
    pub(super) fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method) && path.contains(&self.path)
    }
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Action {
    /// It is forwarded after a while.
    Delay(Duration),
    /// It is answered by the proxy and never reaches the server.
    Respond {
        /// HTTP status.
        status: u16,
        /// Headers.
        headers: Vec<(String, String)>,
        /// Body.
        body: String,
    },
    /// The connection is dropped; the request never reaches the server.
    Drop,
    /// The server acts on it, its whole answer is read and then thrown away with the connection.
    DropAnswer,
    /// The answer is cut after so many bytes of its body.
    Cut(usize),
}

impl Action {
    /// An answer with a status and nothing else.
    pub fn status(status: u16) -> Self {
        Self::Respond { status, headers: Vec::new(), body: String::new() }
    }
}

/// Where a request is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The server has not seen it.
    BeforeForwarding,
    /// The server has acted on it; the client has not seen the answer.
    AfterAnswer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Armed,
    Reached,
    Released,
    Abandoned,
}

/// A point at which the world stops: the request that reaches it, and every later one at the same proxy, waits.
///
/// Dropping it abandons what waits.
#[derive(Debug)]
pub struct Stop {
    phase: Arc<watch::Sender<Phase>>,
}

impl Stop {
    /// Waits until a request is stopped here.
    ///
    /// # Panics
    /// If that takes longer than `limit`.
    pub async fn reached(&self, limit: Duration) {
        let mut phase = self.phase.subscribe();
        let reached = phase.wait_for(|&phase| phase != Phase::Armed);
        tokio::time::timeout(limit, reached)
            .await
            .expect("no request came to the stop in time")
            .expect("the sender is held here");
    }

    /// Tells whether a request is stopped here now.
    pub fn is_reached(&self) -> bool {
        *self.phase.borrow() == Phase::Reached
    }

    /// Lets all that wait go on; the stop is spent.
    pub fn release(&self) {
        self.end(Phase::Released);
    }

    /// Drops the connection of the stopped request, and lets what came after it go on; the stop is spent.
    pub fn abandon(&self) {
        self.end(Phase::Abandoned);
    }

    fn end(&self, how: Phase) {
        self.phase.send_if_modified(|phase| {
            let waits = matches!(*phase, Phase::Armed | Phase::Reached);
            if waits {
                *phase = how;
            }
            waits
        });
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// A stop as the requests see it.
#[derive(Clone, Debug)]
pub(super) struct Barrier {
    pub(super) moment: Moment,
    phase: Arc<watch::Sender<Phase>>,
}

impl Barrier {
    /// Stops the calling request; `false` if it is to be dropped.
    pub(super) async fn hold(&self) -> bool {
        let first = self.phase.send_if_modified(|phase| {
            let armed = *phase == Phase::Armed;
            if armed {
                *phase = Phase::Reached;
            }
            armed
        });
        !first || self.outcome().await == Phase::Released
    }

    async fn outcome(&self) -> Phase {
        let mut phase = self.phase.subscribe();
        phase
            .wait_for(|phase| matches!(phase, Phase::Released | Phase::Abandoned))
            .await
            .map_or(Phase::Abandoned, |phase| *phase)
    }
}

/// What a rule asks for.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    Act(Action),
    Stop(Barrier),
}

#[derive(Debug)]
struct Rule {
    when: When,
    seen: usize,
    effect: Effect,
}

/// The rules of one proxy and what it has seen.
#[derive(Debug, Default)]
pub(super) struct Rules {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    barriers: VecDeque<Barrier>,
    seen: Vec<(String, String)>,
}

impl Rules {
    pub(super) fn act(&self, when: When, action: Action) {
        self.lock().rules.push(Rule { when, seen: 0, effect: Effect::Act(action) });
    }

    pub(super) fn stop(&self, when: When, moment: Moment) -> Stop {
        let phase = Arc::new(watch::Sender::new(Phase::Armed));
        let barrier = Barrier { moment, phase: Arc::clone(&phase) };
        let mut state = self.lock();
        state.barriers.push_back(barrier.clone());
        state.rules.push(Rule { when: when.times_or_once(), seen: 0, effect: Effect::Stop(barrier) });
        Stop { phase }
    }

    pub(super) fn clear(&self) {
        self.lock().rules.clear();
    }

    pub(super) fn seen(&self) -> Vec<(String, String)> {
        self.lock().seen.clone()
    }

    /// Waits while the world is stopped.
    pub(super) async fn wait_for_world(&self) {
        loop {
            let stopped = {
                let mut state = self.lock();
                state
                    .barriers
                    .retain(|barrier| matches!(*barrier.phase.borrow(), Phase::Armed | Phase::Reached));
                state.barriers.iter().find(|barrier| *barrier.phase.borrow() == Phase::Reached).cloned()
            };
            match stopped {
                Some(barrier) => barrier.outcome().await,
                None => return,
            };
        }
    }

    /// Writes a request down as it arrives, before anything stops it.
    pub(super) fn note(&self, method: &str, path: &str) {
        self.lock().seen.push((method.to_owned(), path.to_owned()));
    }

    /// Counts a request and returns what happens to it: the first rule that is due for it decides.
    pub(super) fn decide(&self, method: &str, path: &str) -> Option<Effect> {
        let mut state = self.lock();
        let mut decided = None;
        for rule in state.rules.iter_mut().filter(|rule| rule.when.matches(method, path)) {
            let number = rule.seen;
            rule.seen += 1;
            let due = number >= rule.when.skip
                && rule.when.times.is_none_or(|times| number < rule.when.skip + times);
            if due && decided.is_none() {
                decided = Some(rule.effect.clone());
            }
        }
        decided
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl When {
    /// A stop holds one request, so it concerns one unless said otherwise.
    fn times_or_once(mut self) -> Self {
        self.times.get_or_insert(1);
        self
    }
}
