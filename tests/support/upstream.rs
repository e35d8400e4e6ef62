//! A platform that misbehaves on command: raw HTTP/1 over TLS or plain TCP, a script for each connection.

use std::{
    fmt, fs, io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
};

use rustls::{
    ALL_VERSIONS, RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::aws_lc_rs::{self, sign::any_supported_type},
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
    sign::{CertifiedKey, SingleCertAndKey},
};
use socket2::{Domain, Socket, Type};

use super::{
    DEADLINE,
    certificates::{Authority, Certificate},
    peer::Peer,
    stage::eventually,
    weak_key::WeakKey,
    wire::Head,
};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The number of its connection, from 0.
    pub(crate) connection: usize,
    /// The head.
    pub(crate) head: Head,
    /// The content as it was framed, as far as it was read.
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The nonce of its signature.
    #[track_caller]
    pub(crate) fn nonce(&self) -> String {
        let authorization = self.head.only("authorization");
        let (_, rest) = authorization.split_once("oauth_nonce=\"").unwrap();
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

/// What has happened so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Connections accepted.
    pub(crate) connections: usize,
    /// Connections whose script has come to its end.
    pub(crate) ended: usize,
    /// Requests whose head has arrived, in order.
    pub(crate) requests: Vec<Received>,
    /// How often scripts have called [`Peer::tell`].
    pub(crate) told: usize,
    pub(super) go: usize,
    failures: Vec<String>,
    over: bool,
    sockets: Vec<TcpStream>,
}

impl Seen {
    /// Gives up the hold on the connection with this peer that [`Upstream`] has to end its script.
    pub(super) fn forget(&mut self, peer: Option<SocketAddr>) {
        self.sockets
            .retain(|socket| socket.peer_addr().ok() != peer);
    }
}

/// What an upstream's connections and its test have in common.
#[derive(Debug, Default)]
pub(super) struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Shared {
    /// Changes what has been seen, and wakes whoever waits for that.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        let changed = change(&mut self.seen());
        self.changed.notify_all();
        changed
    }

    /// Waits until `is_met` says so; fails after [`DEADLINE`] or once the upstream is gone.
    pub(super) fn wait(&self, is_met: impl Fn(&Seen) -> bool) -> io::Result<MutexGuard<'_, Seen>> {
        let waiting = |seen: &mut Seen| !is_met(seen) && !seen.over;
        let (seen, _) = self
            .changed
            .wait_timeout_while(self.seen(), DEADLINE, waiting)
            .unwrap();
        if is_met(&seen) {
            Ok(seen)
        } else {
            Err(io::ErrorKind::TimedOut.into())
        }
    }

    /// What has been seen so far.
    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

/// An upstream; each connection follows the script.
pub(crate) struct Upstream {
    address: SocketAddr,
    secure: bool,
    shared: Arc<Shared>,
}

impl Upstream {
    /// Speaks plain TCP.
    pub(crate) fn plain<S>(script: S) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        Self::start(None, script)
    }

    /// Speaks TLS with this certificate.
    pub(crate) fn tls<S>(certificate: &Certificate, script: S) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        Self::start(Some(server_config(certificate, None, ALL_VERSIONS)), script)
    }

    /// Speaks TLS with this certificate, in this version alone.
    pub(crate) fn tls_of<S>(
        version: &'static SupportedProtocolVersion,
        certificate: &Certificate,
        script: S,
    ) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        Self::start(Some(server_config(certificate, None, &[version])), script)
    }

    /// Speaks TLS with this certificate, to those who show one of that authority.
    pub(crate) fn mutual_tls<S>(certificate: &Certificate, clients: &Authority, script: S) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        let config = server_config(certificate, Some(clients), ALL_VERSIONS);
        Self::start(Some(config), script)
    }

    fn start<S>(tls: Option<Arc<ServerConfig>>, script: S) -> Self
    where
        S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            secure: tls.is_some(),
            shared: Arc::default(),
        };
        let shared = Arc::clone(&upstream.shared);
        thread::spawn(move || accept(&listener, &shared, tls.as_ref(), &Arc::new(script)));
        upstream
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.seen().connections
    }

    /// Requests whose head has arrived so far.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.shared.seen().requests.clone()
    }

    /// Lets one [`Peer::pause`] go on.
    pub(crate) fn go_on(&self) {
        self.shared.change(|seen| seen.go += 1);
    }

    /// Waits until what has happened meets a condition.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, is_met: impl Fn(&Seen) -> bool) {
        if self.shared.wait(is_met).is_err() {
            panic!("the upstream waited in vain: {what}");
        }
    }

    /// Waits until so many connections have come to their end.
    #[track_caller]
    pub(crate) fn wait_ended(&self, connections: usize) {
        self.wait("the end of a connection", |seen| seen.ended == connections);
    }

    /// Waits until so many connections have come to their end, which are all that there were, and the system has told the
    /// other side of it: under load it is late.
    #[track_caller]
    pub(crate) fn wait_all_ended(&self, connections: usize) {
        const ESTABLISHED: &str = "01";
        self.wait_ended(connections);
        let here = format!(":{:04X}", self.address().port());
        let is_established = |line: &str| {
            let columns: Vec<_> = line.split_whitespace().collect();
            columns[2].ends_with(&here) && columns[3] == ESTABLISHED
        };
        eventually("the other side was told", || {
            let table = fs::read_to_string("/proc/net/tcp").unwrap();
            !table.lines().skip(1).any(is_established)
        });
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let failures = self.shared.change(|seen| {
            seen.over = true;
            for socket in &seen.sockets {
                let _ = socket.shutdown(Shutdown::Both);
            }
            std::mem::take(&mut seen.failures)
        });
        // Wakes the accept loop, which ends with its socket.
        let _ = TcpStream::connect(self.address);
        if !thread::panicking() {
            assert!(failures.is_empty(), "the upstream's script: {failures:?}");
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// An address where connecting never ends: the queue of a listener that does not accept is full.
#[derive(Debug)]
pub(crate) struct FullQueue {
    listener: Socket,
    _waiting: Vec<Socket>,
}

impl FullQueue {
    /// Fills a queue.
    pub(crate) fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = |_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            let _ = socket.connect(&address);
            socket
        };
        let waiting = (0..4).map(connect).collect();
        Self {
            listener,
            _waiting: waiting,
        }
    }

    /// The address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap().as_socket().unwrap()
    }
}

/// An address where nobody listens.
pub(crate) fn closed_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn server_config(
    certificate: &Certificate,
    clients: Option<&Authority>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots
                .add(CertificateDer::from(authority.der.clone()))
                .unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let chain = std::iter::once(&certificate.der).chain(&certificate.issuers);
    let chain = chain.cloned().map(CertificateDer::from).collect();
    let key = if certificate.is_weak {
        Arc::new(WeakKey::from_der(&certificate.key_der))
    } else {
        let key = PrivateKeyDer::try_from(certificate.key_der.clone()).unwrap();
        any_supported_type(&key).unwrap()
    };
    // Without a check, which some certificates would not pass.
    let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
    let mut config = builder.with_cert_resolver(Arc::new(shown));
    // A resumed session shows no certificate: each handshake has to be a whole one.
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

fn accept<S>(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    tls: Option<&Arc<ServerConfig>>,
    script: &Arc<S>,
) where
    S: Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
{
    for accepted in listener.incoming() {
        let socket = accepted.unwrap();
        let number = shared.change(|seen| {
            seen.sockets.push(socket.try_clone().unwrap());
            seen.connections += 1;
            seen.connections - 1
        });
        if shared.seen().over {
            return;
        }
        let (shared, script, tls) = (Arc::clone(shared), Arc::clone(script), tls.cloned());
        let connection = move || {
            let run = || match Peer::new(socket, tls, number, Arc::clone(&shared)) {
                Ok(mut peer) => script(&mut peer).inspect(|()| peer.close()),
                // The proxy did not like the certificate.
                Err(_) => Ok(()),
            };
            let failure = match catch_unwind(AssertUnwindSafe(run)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => "waited in vain",
                // That the proxy hangs up may be what the script provokes.
                Ok(_) => "",
                Err(_) => "panicked",
            };
            shared.change(|seen| {
                seen.ended += 1;
                if !failure.is_empty() && !seen.over {
                    seen.failures.push(format!("connection {number} {failure}"));
                }
            });
        };
        thread::spawn(connection);
    }
}
