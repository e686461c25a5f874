//! When tags were first seen, kept in a ConfigMap of each source.
//!
//! Called by [`super::tick`] and [`super::once`] before they decide. Not here: what is remembered and for how
//! long (`tidegate_policy::ledger`), and what follows from an age.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use tidegate_policy::ledger::{FirstSeen, Ledger};
use tidegate_policy::reference::Repository;
use tidegate_policy::update::{Interest, ManifestFact, RegistrySnapshot};

use crate::cluster::{Cluster, Record};
use crate::context::Context;
use crate::error::Failure;
use crate::fence::WriteFence;

/// The key of the ConfigMap that holds the ledger.
const KEY: &str = "ledger";

/// The ledger of one source, and where it is kept.
pub(super) struct LedgerBook {
    source: String,
    cluster: Option<Arc<dyn Cluster>>,
    record: Record,
    /// As read and added to since; `None` until it was read.
    ledger: Option<Ledger>,
    /// Whether the ConfigMap says the same.
    saved: bool,
}

/// What a plan may know of ages: what is written down, or why nothing is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Ages {
    known: HashMap<Repository, Result<Arc<FirstSeen>, String>>,
}

impl LedgerBook {
    pub(super) fn new(source: &str, cluster: Option<Arc<dyn Cluster>>) -> Self {
        let record = Record {
            name: format!("tidegate-ledger-{source}"),
            labels: BTreeMap::from([("tidegate.io/source".to_owned(), source.to_owned())]),
            ..Record::default()
        };
        Self { source: source.to_owned(), cluster, record, ledger: None, saved: true }
    }

    /// Adds what the listings show and says what is known of ages now.
    ///
    /// With a fence it is written down first: an age that could be forgotten is not decided by. Without one, as
    /// when a plan is only shown, nothing is written. Trouble costs the fields that need ages, and no others.
    pub(super) async fn ages(
        &mut self,
        context: &Context,
        interests: &BTreeMap<Repository, Interest>,
        registry: &RegistrySnapshot,
        now: Timestamp,
        fence: Option<&WriteFence>,
    ) -> Ages {
        let mut wanted = interests.iter().filter(|(_, interest)| interest.ages).map(|(name, _)| name);
        if wanted.clone().next().is_none() && self.ledger.as_ref().is_none_or(Ledger::is_empty) {
            return Ages::default();
        }
        if let Err(why) = self.load(context).await {
            return Ages { known: wanted.map(|name| (name.clone(), Err(why.clone()))).collect() };
        }
        let Some(ledger) = &mut self.ledger else { return Ages::default() };
        let mut changed = ledger.want(|name| interests.get(name).is_some_and(|interest| interest.ages), now);
        for (name, interest) in interests.iter().filter(|(_, interest)| interest.ages) {
            let Some(state) = registry.repositories.get(name) else { continue };
            if let Some(tags) = &state.tags {
                changed |= ledger.observe(name, tags, now);
            }
            for tag in &interest.follow {
                if let Some(ManifestFact::Present(digest)) = state.manifests.get(tag) {
                    changed |= ledger.resolve(name, tag, digest, now);
                }
            }
        }
        let dropped: HashMap<Repository, String> = ledger
            .fit()
            .into_iter()
            .map(|dropped| (dropped.repository.clone(), dropped.to_string()))
            .collect();
        self.saved &= !changed;
        let known = |name: &Repository| match (ledger.get(name), dropped.get(name)) {
            (Some(seen), _) => Some((name.clone(), Ok(Arc::clone(seen)))),
            (None, Some(why)) => Some((name.clone(), Err(why.clone()))),
            (None, None) => None,
        };
        let ages = Ages { known: wanted.by_ref().filter_map(known).collect() };
        match fence {
            Some(fence) => match self.save(context, fence).await {
                Ok(()) => ages,
                Err(why) => ages.withdrawn(&why),
            },
            None => ages,
        }
    }

    /// Reads the ledger, once; the error is for people.
    async fn load(&mut self, context: &Context) -> Result<(), String> {
        let Some(cluster) = &self.cluster else { return Err("there is no cluster to keep it in".to_owned()) };
        if self.ledger.is_some() {
            return Ok(());
        }
        let found = cluster.record(context, &self.record.name).await;
        let found = found.map_err(|failure| self.trouble("could not be read", &failure))?;
        let mut ledger = Ledger::default();
        if let Some(record) = found {
            match record.data.get(KEY).map_or_else(|| Ok(Ledger::default()), |text| Ledger::parse(text)) {
                Ok(read) => ledger = read,
                Err(error) => {
                    let (source, error) = (&self.source, error.to_string());
                    tracing::warn!(
                        event = "ledger-lost",
                        source,
                        error,
                        "the ledger of first-seen tags begins anew"
                    );
                }
            }
            self.record = record;
        }
        self.ledger = Some(ledger);
        Ok(())
    }

    /// Writes the ledger if it has changed; the error is for people.
    async fn save(&mut self, context: &Context, fence: &WriteFence) -> Result<(), String> {
        let (Some(cluster), Some(ledger), false) = (&self.cluster, &self.ledger, self.saved) else {
            return Ok(());
        };
        let mut record = self.record.clone();
        record.data = BTreeMap::from([(KEY.to_owned(), ledger.to_text())]);
        match cluster.write_record(context, fence, &record).await {
            Ok(written) => {
                self.record = written;
                self.saved = true;
                Ok(())
            }
            Err(failure) => {
                // Somebody else may have written it: what they saw counts, so it is read again first.
                self.ledger = None;
                self.saved = true;
                Err(self.trouble("could not be written", &failure))
            }
        }
    }

    fn trouble(&self, what: &str, failure: &Failure) -> String {
        let (source, error) = (&self.source, failure.chain());
        tracing::warn!(event = "ledger-failed", source, error, "the ledger of first-seen tags {what}");
        format!("the ConfigMap {} {what}: {error}", self.record.name)
    }
}

impl Ages {
    /// Adds what is known of ages to what the registries say.
    pub(super) fn attach(&self, mut registry: RegistrySnapshot) -> RegistrySnapshot {
        for (name, known) in &self.known {
            let Some(state) = registry.repositories.get_mut(name) else { continue };
            match known {
                Ok(seen) => state.first_seen = Some(Arc::clone(seen)),
                Err(why) => state.no_ledger = Some(why.clone()),
            }
        }
        registry
    }

    fn withdrawn(self, why: &str) -> Self {
        Self { known: self.known.into_keys().map(|name| (name, Err(why.to_owned()))).collect() }
    }
}
