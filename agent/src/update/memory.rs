//! The last tip that was seen of the branch, and the last rewrite: how a rewritten remote is noticed.
//!
//! Kept in a ConfigMap of Tidegate's own, so that a rewrite is noticed across restarts; in memory where
//! there is no cluster. Called by [`super::tick`] whenever the tip moves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tidegate_policy::history::Rewrite;
use tidegate_policy::manifest::FieldId;

use crate::cluster::{Cluster, Record};
use crate::context::Context;
use crate::error::Failure;
use crate::fence::WriteFence;

const TIP: &str = "tip";
const REWRITE_AT: &str = "rewrite-at";
const REWRITE_CHANGED: &str = "rewrite-changed";
/// Stands for "which fields changed is not known".
const EVERYTHING: &str = "everything";
/// A ConfigMap holds 1 MiB; a longer list of fields is kept as "everything".
const CHANGED_BYTES_MAX: usize = 512 << 10;

/// What must not be forgotten of a source.
pub(super) struct Memory {
    cluster: Option<Arc<dyn Cluster>>,
    record: Record,
    loaded: bool,
    saved: bool,
    /// The last tip seen; `None` before the first.
    pub(super) tip: Option<String>,
    /// The last rewrite seen.
    pub(super) rewrite: Option<Rewrite>,
}

impl Memory {
    pub(super) fn new(source: &str, cluster: Option<Arc<dyn Cluster>>) -> Self {
        let record = Record {
            name: format!("tidegate-source-{source}"),
            labels: BTreeMap::from([("tidegate.io/source".to_owned(), source.to_owned())]),
            ..Record::default()
        };
        Self { cluster, record, loaded: false, saved: true, tip: None, rewrite: None }
    }

    /// Reads the record, once; without it no rewrite can be ruled out, so a failure stops updates.
    pub(super) async fn load(&mut self, context: &Context) -> Result<(), Failure> {
        let Some(cluster) = self.cluster.as_ref().filter(|_| !self.loaded) else { return Ok(()) };
        if let Some(record) = cluster.record(context, &self.record.name).await? {
            self.tip = record.data.get(TIP).cloned();
            self.rewrite = read_rewrite(&record);
            self.record = record;
        }
        self.loaded = true;
        Ok(())
    }

    /// Notes the tip, and the rewrite that led to it if there was one.
    pub(super) fn note(&mut self, tip: &str, rewrite: Option<Rewrite>) {
        self.saved &= rewrite.is_none() && self.tip.as_deref() == Some(tip);
        self.tip = Some(tip.to_owned());
        self.rewrite = rewrite.or(self.rewrite.take());
    }

    /// Writes the record if it has changed.
    ///
    /// A lost swap means that somebody else wrote it: it is read again before the next write.
    pub(super) async fn save(&mut self, context: &Context, fence: &WriteFence) -> Result<(), Failure> {
        let Some(cluster) = self.cluster.as_ref().filter(|_| !self.saved) else { return Ok(()) };
        let mut record = self.record.clone();
        record.data = BTreeMap::new();
        record.data.extend(self.tip.clone().map(|tip| (TIP.to_owned(), tip)));
        if let Some(rewrite) = &self.rewrite {
            record.data.insert(REWRITE_AT.to_owned(), rewrite.at.clone());
            record.data.insert(REWRITE_CHANGED.to_owned(), write_changed(rewrite.changed.as_ref()));
        }
        match cluster.write_record(context, fence, &record).await {
            Ok(written) => {
                self.record = written;
                self.saved = true;
                Ok(())
            }
            Err(failure) => {
                if let Ok(Some(current)) = cluster.record(context, &self.record.name).await {
                    self.record.resource_version = current.resource_version;
                }
                Err(failure)
            }
        }
    }
}

fn read_rewrite(record: &Record) -> Option<Rewrite> {
    let at = record.data.get(REWRITE_AT)?.clone();
    // Anything that is not a list of fields is read as "everything": the safe side.
    let changed = record.data.get(REWRITE_CHANGED);
    let changed = changed.and_then(|text| serde_json::from_str::<BTreeSet<String>>(text).ok());
    Some(Rewrite { at, changed: changed.map(|ids| ids.into_iter().map(FieldId).collect()) })
}

fn write_changed(changed: Option<&BTreeSet<FieldId>>) -> String {
    let text = changed.and_then(|changed| serde_json::to_string(changed).ok());
    text.filter(|text| text.len() <= CHANGED_BYTES_MAX).unwrap_or_else(|| EVERYTHING.to_owned())
}
