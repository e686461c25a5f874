//! Time zones by their IANA names, from the data in the binary.
//!
//! Called by the readers of windows and polls. Not here: the zone of the machine, which decides nothing.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::Problem;
use crate::quote::quoted;
use crate::spelling::nearest;

const FORM: &str = "write an IANA name, such as `Europe/Berlin`, or `UTC`";

/// Reads the name of a zone.
pub(super) fn parse(name: &str) -> Result<TimeZone, Problem> {
    let database = TimeZoneDatabase::bundled();
    database.get(name).map_err(|_| (format!("{} is no time zone", quoted(name)), hint(&database, name)))
}

fn hint(database: &TimeZoneDatabase, name: &str) -> String {
    if name.starts_with(['+', '-']) || name.get(3..4).is_some_and(|sign| sign == "+" || sign == "-") {
        return format!("an offset does not follow daylight saving: {FORM}");
    }
    if name.eq_ignore_ascii_case("z") {
        return "write `UTC`".to_owned();
    }
    let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
    let city = |known: &&String| {
        known.rsplit_once('/').is_some_and(|(_, city)| city.eq_ignore_ascii_case(&name.replace(' ', "_")))
    };
    // Abbreviations lie near each other, and what is near to one is another zone: `CEST` and `EST`.
    let meant = if name.len() > 5 { nearest(name, names.iter().map(String::as_str)) } else { None };
    match meant.or_else(|| names.iter().find(city).map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => FORM.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(name: &str, expect: &str) {
        let (problem, hint) = parse(name).expect_err(name);
        assert_eq!(problem, format!("{} is no time zone", quoted(name)));
        assert_eq!(hint, expect);
    }

    #[test]
    fn iana_names_are_known_without_the_machines_data() {
        for name in ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "CET", "Etc/GMT-2"] {
            assert_eq!(parse(name).unwrap().iana_name(), Some(name));
        }
        assert_eq!(parse("europe/berlin").unwrap().iana_name(), Some("Europe/Berlin"));
    }

    #[test]
    fn a_misspelt_zone_is_answered_with_the_nearest() {
        check_error("Europe/Berln", "did you mean `Europe/Berlin`?");
        check_error("Berlin", "did you mean `Europe/Berlin`?");
        check_error("Z", "write `UTC`");
        check_error("CEST", FORM);
        check_error("Rome", "did you mean `Europe/Rome`?");
        check_error("Local-time-of-ours", FORM);
        check_error("+02:00", &format!("an offset does not follow daylight saving: {FORM}"));
        check_error("UTC+2", &format!("an offset does not follow daylight saving: {FORM}"));
        check_error(
            "CET-1CEST,M3.5.0,M10.5.0/3",
            &format!("an offset does not follow daylight saving: {FORM}"),
        );
        check_error("../../etc/passwd", FORM);
    }
}
