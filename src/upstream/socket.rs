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

use crate::wire::write_now;

/// A socket that can be used past the runtime, which hears a little later than the system of what has arrived, and of room
/// for more only when there is much of it.
///
/// TLS lies above it: whatever it brings in, a session ticket or the end, is taken for what it is.
#[derive(Debug)]
pub struct Socket {
    tcp: TcpStream,
    attention: Attention,
}

/// Whether the system is asked when the runtime knows of nothing that could be read or written.
#[derive(Clone, Debug, Default)]
pub(super) struct Attention(Arc<AtomicBool>);

impl Attention {
    /// Sets it, and returns what it was.
    pub(super) fn set(&self, on: bool) -> bool {
        // Whoever sets it also reads and writes.
        self.0.swap(on, Ordering::Relaxed)
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Socket {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self {
            tcp,
            attention: Attention::default(),
        }
    }

    /// What decides about each use from now on.
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
            Poll::Pending if this.attention.is_on() => this.read_now(out),
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
        let this = self.get_mut();
        match Pin::new(&mut this.tcp).poll_write(cx, data) {
            Poll::Pending if this.attention.is_on() => write_now(&this.tcp, data),
            poll => poll,
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.tcp).poll_write_vectored(cx, slices) {
            Poll::Pending if this.attention.is_on() => {
                let first = slices.iter().find(|slice| !slice.is_empty());
                write_now(&this.tcp, first.map_or(&[], |slice| slice))
            }
            poll => poll,
        }
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
        io::{Read as _, Write as _},
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

    #[tokio::test]
    async fn room_that_the_runtime_has_not_heard_of_is_used() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await;
        let mut socket = Socket::new(tcp.unwrap());
        let mut peer = listener.accept().await.unwrap().0.into_std().unwrap();
        peer.set_nonblocking(false).unwrap();
        let mut write = async |data: &[u8]| {
            poll_fn(|cx| Poll::Ready(Pin::new(&mut socket).poll_write(cx, data))).await
        };
        let mut waiting = 0;
        while let Poll::Ready(length) = write(&[0; 64 * 1024]).await {
            waiting += length.unwrap();
        }
        let mut taken = vec![0; waiting];
        peer.read_exact(&mut taken).unwrap();
        assert!(write(&[0]).await.is_pending());
        socket.attention().set(true);
        let written = poll_fn(|cx| Poll::Ready(Pin::new(&mut socket).poll_write(cx, &[0]))).await;
        assert!(matches!(written, Poll::Ready(Ok(1))), "{written:?}");
    }
}
