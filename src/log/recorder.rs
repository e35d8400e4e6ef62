//! Which events become records.

use std::sync::Arc;

use time::OffsetDateTime;
use tracing::{Event, Level, Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, layer::Context};

use super::{line::Line, queue::Queue};
use crate::config::LogFormat;

/// Turns each event that passes into a line and queues it.
///
/// What passes is fixed: our own events from INFO, others' from WARN. Below that, libraries dump requests,
/// and with them signatures and cookies, so there is no switch that lets those through.
pub(super) struct Recorder {
    format: LogFormat,
    queue: Arc<Queue>,
}

impl Recorder {
    /// A layer that feeds `queue`.
    pub(super) fn new(format: LogFormat, queue: Arc<Queue>) -> Self {
        Self { format, queue }
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let most_verbose = if is_ours(metadata.target()) {
            Level::INFO
        } else {
            Level::WARN
        };
        metadata.is_event() && *metadata.level() <= most_verbose
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Line::new(self.format, OffsetDateTime::now_utc(), *metadata.level());
        event.record(&mut line);
        if !is_ours(metadata.target()) {
            line = line.field("target", metadata.target());
        }
        self.queue.push(&line.finish());
    }
}

fn is_ours(target: &str) -> bool {
    target
        .strip_prefix(env!("CARGO_CRATE_NAME"))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}
