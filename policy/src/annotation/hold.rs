//! `hold`: `reason; until=2026-12-01T09:00Z; by=ana`.

use jiff::Timestamp;

use super::Hold;
use crate::spelling::nearest;

const FORM: &str = "write `reason; until=2026-12-01T09:00Z; by=name`, with until and by optional";

/// Reads a hold; the error says what is wrong and what to write.
pub(super) fn parse(value: &str) -> Result<Hold, (String, String)> {
    let mut segments = value.split(';').map(str::trim);
    let reason = segments.next().unwrap_or_default();
    let is_parameter = ["until=", "by="].iter().any(|key| reason.starts_with(key));
    if reason.is_empty() || is_parameter {
        return Err(("the reason is missing".to_owned(), FORM.to_owned()));
    }
    let mut hold = Hold { reason: reason.to_owned(), until: None, by: None };
    for segment in segments.filter(|segment| !segment.is_empty()) {
        let (key, text) = segment.split_once('=').unwrap_or((segment, ""));
        let (key, text) = (key.trim(), text.trim());
        let twice = match key {
            "until" => hold.until.replace(until(text)?).is_some(),
            "by" if text.is_empty() => return Err(("`by` names nobody".to_owned(), FORM.to_owned())),
            "by" => hold.by.replace(text.to_owned()).is_some(),
            _ => {
                let meant = nearest(key, ["until", "by"]);
                let hint = meant.map_or_else(|| FORM.to_owned(), |meant| format!("did you mean `{meant}=`?"));
                return Err((format!("`{key}` is not known here"), hint));
            }
        };
        if twice {
            return Err((format!("`{key}` is given twice"), FORM.to_owned()));
        }
    }
    Ok(hold)
}

/// Reads an RFC 3339 time, with or without seconds.
fn until(text: &str) -> Result<Timestamp, (String, String)> {
    let (date, time) = text.split_once(['T', 't', ' ']).unwrap_or((text, ""));
    let zone = time.find(['Z', 'z', '+', '-']);
    // The parser behind this also reads forms that RFC 3339 does not have, such as hours alone.
    let shaped = date.len() == "2026-12-01".len()
        && zone.is_some_and(|zone| zone >= "09:00".len())
        && !text.contains(['[', ']', ',']);
    let parsed = if shaped { text.parse().ok() } else { None };
    parsed.ok_or_else(|| {
        let hint = if zone.is_none() && text.parse::<jiff::civil::Date>().is_ok() {
            "add a time and a zone, as in 2026-12-01T09:00Z or 2026-12-01T09:00+02:00"
        } else {
            "write an RFC 3339 time, as in 2026-12-01T09:00Z or 2026-12-01T09:00+02:00"
        };
        ("`until` is no time".to_owned(), hint.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expect: &str) {
        let found = match parse(value) {
            Ok(hold) => format!(
                "{} | {} | {}",
                hold.reason,
                hold.until.map_or("-".to_owned(), |until| until.to_string()),
                hold.by.as_deref().unwrap_or("-")
            ),
            Err((problem, _)) => format!("error: {problem}"),
        };
        assert_eq!(found, expect, "{value}");
    }

    #[test]
    fn a_hold_has_a_reason_and_perhaps_an_end_and_a_name() {
        check("incident 4711; until=2026-12-01T09:00Z; by=ana", "incident 4711 | 2026-12-01T09:00:00Z | ana");
        check("incident 4711", "incident 4711 | - | -");
        check("true", "true | - | -");
        check("x;by=ana b", "x | - | ana b");
        check("x; until=2026-12-01T09:00:30.5Z", "x | 2026-12-01T09:00:30.5Z | -");
        check("x; until=2026-12-01T09:00+02:00;", "x | 2026-12-01T07:00:00Z | -");
        check("x; until=2026-12-01t09:00z", "x | 2026-12-01T09:00:00Z | -");
        check("x; until=2026-12-01T09:00-05:30", "x | 2026-12-01T14:30:00Z | -");
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        check("", "error: the reason is missing");
        check("; by=ana", "error: the reason is missing");
        check("until=2026-12-01T09:00Z", "error: the reason is missing");
        check("x; untill=2026-12-01T09:00Z", "error: `untill` is not known here");
        check("x; y", "error: `y` is not known here");
        check("x; by=", "error: `by` names nobody");
        check("x; by=a; by=b", "error: `by` is given twice");
        for time in [
            "",
            "tomorrow",
            "2026-12-01",
            "2026-12-01T09Z",
            "2026-12-01T09:00",
            "2026-13-01T09:00Z",
            "2026-12-01T25:00Z",
            "2026-12-01T09:00Z[Europe/Berlin]",
            "09:00Z",
            "1764576000",
        ] {
            check(&format!("x; until={time}"), "error: `until` is no time");
        }
    }
}
