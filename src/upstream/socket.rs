//! The TCP socket of a connection to the upstream.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use rustix::net::{RecvFlags, recv};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A socket that can be read past the runtime, which hears of what has arrived a little later than the system.
///
/// TLS lies above it: whatever it brings in, a session ticket or the end, is taken for what it is.
#[derive(Debug)]
pub struct Socket {
    tcp: TcpStream,
    attention: Attention,
}

/// Whether the system is asked for what has arrived when the runtime knows of nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Attention(Arc<AtomicBool>);

impl Attention {
    pub(super) fn set(&self, on: bool) {
        // Whoever sets it also reads.
        self.0.store(on, Ordering::Relaxed);
    }
}

impl Socket {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self {
            tcp,
            attention: Attention::default(),
        }
    }

    /// What decides about each read from now on.
    pub(super) fn attention(&self) -> Attention {
        self.attention.clone()
    }

    /// Reads without waiting; what is missed is waited for already.
    fn read_now(&self, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match recv(&self.tcp, out.initialize_unfilled(), RecvFlags::DONTWAIT) {
            Ok((_, length)) => {
                out.advance(length);
                Poll::Ready(Ok(()))
            }
            Err(error) => match error.into() {
                error if io::Error::kind(&error) == io::ErrorKind::WouldBlock => Poll::Pending,
                error => Poll::Ready(Err(error)),
            },
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.tcp).poll_read(cx, out) {
            Poll::Pending if this.attention.0.load(Ordering::Relaxed) => this.read_now(out),
            poll => poll,
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write(cx, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        io::Write as _,
        net::{Shutdown, TcpStream as Peer},
    };

    use tokio::net::TcpListener;

    use super::*;

    /// What reading once comes to.
    async fn read(socket: &mut Socket) -> Poll<io::Result<Vec<u8>>> {
        poll_fn(|cx| {
            let mut space = [0; 16];
            let mut read = ReadBuf::new(&mut space);
            let poll = Pin::new(&mut *socket).poll_read(cx, &mut read);
            Poll::Ready(poll.map_ok(|()| read.filled().to_vec()))
        })
        .await
    }

    #[tokio::test]
    async fn what_the_runtime_has_not_heard_of_is_read_once() {
        type Act = fn(&mut Peer);
        let table: [(Act, Option<&[u8]>); 3] = [
            (|_| {}, None),
            (|peer| peer.write_all(b"late").unwrap(), Some(b"late")),
            (|peer| peer.shutdown(Shutdown::Write).unwrap(), Some(b"")),
        ];
        for (act, expected) in table {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let tcp = TcpStream::connect(listener.local_addr().unwrap()).await;
            let mut socket = Socket::new(tcp.unwrap());
            let mut peer = listener.accept().await.unwrap().0.into_std().unwrap();
            // Nothing from here on lets the runtime hear of anything.
            act(&mut peer);
            assert!(read(&mut socket).await.is_pending());
            socket.attention().set(true);
            let found = match read(&mut socket).await {
                Poll::Pending => None,
                Poll::Ready(found) => Some(found.unwrap()),
            };
            assert_eq!(found.as_deref(), expected);
            if found != Some(Vec::new()) {
                assert!(read(&mut socket).await.is_pending());
            }
        }
    }
}
