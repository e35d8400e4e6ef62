//! The line that says that a proxy is ready, which is no record of the log.

use std::{
    fmt,
    io::{self, Write},
};

use time::OffsetDateTime;
use tracing::Level;

use super::line::Line;
use crate::config::LogFormat;

/// Says on standard error that a proxy accepts connections. It stands there wherever the log goes, because
/// it is what scripts wait for.
pub fn listening(
    format: LogFormat,
    proxy: &str,
    address: impl fmt::Display,
    upstream: impl fmt::Display,
) {
    let line = listening_line(format, OffsetDateTime::now_utc(), proxy, address, upstream);
    // The daemon serves whether or not somebody listens to this.
    let _ = io::stderr().write_all(line.as_bytes());
}

fn listening_line(
    format: LogFormat,
    now: OffsetDateTime,
    proxy: &str,
    address: impl fmt::Display,
    upstream: impl fmt::Display,
) -> String {
    let line = match format {
        // Scripts know the line by its beginning.
        LogFormat::Text => Line::untimed(format),
        LogFormat::Json => Line::new(format, now, Level::INFO),
    };
    line.message("listening")
        .field("proxy", proxy)
        .field("address", address)
        .field("upstream", upstream)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_is_what_scripts_wait_for() {
        let line = |format| {
            let epoch = OffsetDateTime::UNIX_EPOCH;
            listening_line(format, epoch, "aps", "127.0.0.1:8080", "https://a.example")
        };
        assert_eq!(
            line(LogFormat::Text),
            "listening proxy=aps address=127.0.0.1:8080 upstream=https://a.example\n"
        );
        assert_eq!(
            line(LogFormat::Json),
            concat!(
                r#"{"timestamp":"1970-01-01T00:00:00.000000Z","level":"INFO","message":"listening","#,
                r#""proxy":"aps","address":"127.0.0.1:8080","upstream":"https://a.example"}"#,
                "\n"
            )
        );
    }
}
