//! An upstream that answers well, and keeps what has arrived.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::input::Answer;
use crate::{
    message::{Reader, Stop},
    request::Request,
};

/// What has arrived, shared between connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Upstream(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answer: Answer,
    arrivals: Vec<Arrival>,
    answers: usize,
    reads: usize,
    open: usize,
}

/// A message of which at least the head has arrived, or something else.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    /// The request, or why it is not one.
    pub(super) request: Result<Request, Stop>,
    /// The bytes themselves.
    pub(super) bytes: Vec<u8>,
    /// The number of the answer, if there was one.
    pub(super) answer: Option<usize>,
}

impl Upstream {
    /// Accepts connections for ever.
    pub(super) async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            self.state().open += 1;
            tokio::spawn(self.clone().converse(stream));
        }
    }

    /// Forgets what has arrived, and answers like this from now on.
    pub(super) fn reset(&self, answer: Answer) {
        let mut state = self.state();
        *state = State {
            answer,
            open: state.open,
            ..State::default()
        };
    }

    /// What has arrived since the last reset, in the order in which it ended.
    pub(super) fn take_arrivals(&self) -> Vec<Arrival> {
        mem::take(&mut self.state().arrivals)
    }

    /// What changes with each byte that arrives.
    pub(super) fn progress(&self) -> (usize, usize) {
        let state = self.state();
        (state.reads, state.open)
    }

    /// Connections that are open.
    pub(super) fn open(&self) -> usize {
        self.state().open
    }

    async fn converse(self, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        // Whether the message at the front of the buffer has been answered.
        let mut answered = None;
        loop {
            let mut reader = Reader { rest: &buffer };
            let request = Request::read(&mut reader);
            let length = buffer.len() - reader.rest.len();
            let (is_whole, is_early) = match &request {
                Ok(request) => (request.is_whole(), self.state().answer == Answer::Early),
                Err(_) => (false, false),
            };
            if let Ok(request) = &request
                && answered.is_none()
                && (is_whole || is_early)
            {
                let (number, answer) = self.next_answer();
                answered = Some(number);
                let bytes = answer.write(number, &request.method);
                if stream.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            if is_whole {
                let rest = buffer.split_off(length);
                let bytes = mem::replace(&mut buffer, rest);
                self.arrived(request, bytes, answered.take());
                if self.state().answer == Answer::UntilClose {
                    break;
                }
                continue;
            }
            if matches!(stream.read_buf(&mut buffer).await, Ok(0) | Err(_)) {
                if !buffer.is_empty() {
                    self.arrived(request, buffer, answered);
                }
                break;
            }
            self.state().reads += 1;
        }
        self.state().open -= 1;
    }

    fn next_answer(&self) -> (usize, Answer) {
        let mut state = self.state();
        state.answers += 1;
        (state.answers - 1, state.answer)
    }

    fn arrived(&self, request: Result<Request, Stop>, bytes: Vec<u8>, answer: Option<usize>) {
        self.state().arrivals.push(Arrival {
            request,
            bytes,
            answer,
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
