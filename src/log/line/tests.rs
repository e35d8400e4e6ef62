//! Lines in both formats.

use time::{Date, Duration, Month, Time, UtcOffset};

use super::*;

fn noon() -> OffsetDateTime {
    let date = Date::from_calendar_date(2026, Month::November, 23).unwrap();
    OffsetDateTime::new_utc(date, Time::from_hms_micro(17, 46, 34, 123_456).unwrap())
}

#[track_caller]
fn check(value: &str, text: &str, json: &str) {
    let line = |format| Line::untimed(format).field("k", value).finish();
    assert_eq!(
        line(LogFormat::Text),
        format!(" k={text}\n"),
        "text of {value:?}"
    );
    assert_eq!(
        line(LogFormat::Json),
        format!(",\"k\":{json}}}\n"),
        "JSON of {value:?}"
    );
}

#[test]
fn a_value_is_escaped_so_that_it_can_do_no_harm() {
    check(
        "/aps/2/resources",
        "/aps/2/resources",
        r#""/aps/2/resources""#,
    );
    check("", r#""""#, r#""""#);
    check("a b", r#""a b""#, r#""a b""#);
    check("a=b", r#""a=b""#, r#""a=b""#);
    check(r#"say "hi""#, r#""say \"hi\"""#, r#""say \"hi\"""#);
    check(r"C:\x", r#""C:\\x""#, r#""C:\\x""#);
    check(
        "one\ntwo\r\tthree",
        r#""one\ntwo\r\tthree""#,
        r#""one\ntwo\r\tthree""#,
    );
    check("\u{1b}[2J", r#""\u{1b}[2J""#, r#""\u001b[2J""#);
    check("\0", r#""\0""#, r#""\u0000""#);
    check("\u{7f}", r#""\u{7f}""#, r#""\u007f""#);
    check("\u{9b}31m", r#""\u{9b}31m""#, r#""\u009b31m""#);
    check("\u{2028}", r#""\u{2028}""#, "\"\u{2028}\"");
    check("\u{202e}gpj", r#""\u{202e}gpj""#, "\"\u{202e}gpj\"");
    check("Zoë", r#""Zoë""#, r#""Zoë""#);
}

#[test]
fn every_character_survives_json() {
    let every: String = (0..=0x2100_u32).filter_map(char::from_u32).collect();
    let line = Line::new(LogFormat::Json, noon(), Level::INFO)
        .field("k", &every)
        .finish();
    let record: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(record["k"], every);
    assert_eq!(line.chars().filter(|c| c.is_control()).count(), 1);
}

#[test]
fn a_record_has_time_level_message_and_fields() {
    let line = |format| {
        Line::new(format, noon(), Level::WARN)
            .message("it's \"odd\"\n")
            .field("proxy", "aps")
            .number("total", 7)
            .finish()
    };
    assert_eq!(
        line(LogFormat::Text),
        "2026-11-23T17:46:34.123456Z WARN it's \"odd\"\\n proxy=aps total=7\n"
    );
    assert_eq!(
        line(LogFormat::Json),
        concat!(
            r#"{"timestamp":"2026-11-23T17:46:34.123456Z","level":"WARN","#,
            r#""message":"it's \"odd\"\n","proxy":"aps","total":7}"#,
            "\n"
        )
    );
}

#[test]
fn a_timestamp_is_in_utc_and_of_one_width() {
    let mut out = String::new();
    let elsewhere = UtcOffset::from_hms(5, 30, 0).unwrap();
    let time = OffsetDateTime::UNIX_EPOCH + Duration::microseconds(42);
    push_timestamp(&mut out, time.to_offset(elsewhere));
    assert_eq!(out, "1970-01-01T00:00:00.000042Z");
}
