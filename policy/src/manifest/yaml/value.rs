//! A document as JSON, the way kubectl converts it before it is sent.

use serde_json::{Map, Number, Value};

use super::compose::{Broken, key_text};
use super::document::{Content, Document, NodeId};
use super::scalar::Scalar;

/// Whole floats below this are exact integers.
const EXACT_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

impl Document<'_> {
    /// Converts a node; fails where a value has no JSON form (`.nan`) or a tag does not fit.
    pub(crate) fn value(&self, id: NodeId) -> Result<Value, Broken> {
        let target = self.target(id);
        match &self.node(target).content {
            Content::Sequence(items) => {
                items.iter().map(|item| self.value(*item)).collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            Content::Mapping(entries) => {
                let mut map = Map::with_capacity(entries.len());
                for (key, value) in entries {
                    let key = key_text(self, *key).unwrap_or_default();
                    map.insert(key.into_owned(), self.value(*value)?);
                }
                Ok(Value::Object(map))
            }
            Content::Scalar { .. } | Content::Alias(_) => self.scalar_value(target),
        }
    }

    fn scalar_value(&self, id: NodeId) -> Result<Value, Broken> {
        let at = self.node(id).range.start;
        let scalar = self.scalar(id).unwrap_or(Ok(Scalar::Null));
        match scalar.map_err(|message| Broken::at(at, message))? {
            Scalar::Null => Ok(Value::Null),
            Scalar::Bool(value) => Ok(Value::Bool(value)),
            Scalar::Int(value) => Ok(Value::Number(value.into())),
            // JSON has one kind of number: Go prints 1e3 as 1000, and integer fields take it.
            #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
            Scalar::Float(value) if value.fract() == 0.0 && value.abs() <= EXACT_INTEGER_MAX => {
                Ok(Value::Number((value as i64).into()))
            }
            Scalar::Float(value) => Number::from_f64(value)
                .map(Value::Number)
                .ok_or_else(|| Broken::at(at, "infinite and not-a-number have no form in JSON")),
            Scalar::Str(text) => Ok(Value::String(text.into_owned())),
        }
    }
}
