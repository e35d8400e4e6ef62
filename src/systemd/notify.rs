//! Telling systemd what becomes of the daemon: datagrams of variables (sd_notify(3)).

use std::{
    fmt, io,
    os::unix::net::{SocketAddr, UnixDatagram},
    time::Duration,
};

use tracing::warn;

/// How long a datagram may wait for systemd to have room for it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells systemd, or whoever has started the daemon and wants to know. What can't be told is a warning and nothing more.
#[derive(Debug, Default)]
pub struct Notifier(Option<(UnixDatagram, SocketAddr)>);

impl Notifier {
    /// Tells the socket at `address`, the value of `NOTIFY_SOCKET`: a path, or `@` and an abstract name. Without one,
    /// there is nobody to tell.
    pub fn new(address: Option<&str>) -> Self {
        let open = |address| Ok::<_, io::Error>((UnixDatagram::unbound()?, parse(address)?));
        Self(address.and_then(|address| {
            let (socket, address) = open(address).map_err(|error| warn_of(&error)).ok()?;
            socket.set_write_timeout(Some(PATIENCE)).ok()?;
            Some((socket, address))
        }))
    }

    /// Every listener accepts connections, or does so again.
    pub fn ready(&self, status: impl fmt::Display) {
        self.tell(format_args!("READY=1\nSTATUS={status}\n"));
    }

    /// A reload has begun; [`ready`](Self::ready) ends it, whatever came of it.
    pub fn reloading(&self) {
        let now = monotonic_micros();
        self.tell(format_args!(
            "RELOADING=1\nMONOTONIC_USEC={now}\nSTATUS=reloading\n"
        ));
    }

    /// The end has begun.
    pub fn stopping(&self, status: impl fmt::Display) {
        self.tell(format_args!("STOPPING=1\nSTATUS={status}\n"));
    }

    fn tell(&self, variables: fmt::Arguments<'_>) {
        let Some((socket, address)) = &self.0 else {
            return;
        };
        let told = socket.send_to_addr(variables.to_string().as_bytes(), address);
        if let Err(error) = told {
            warn_of(&error);
        }
    }
}

fn warn_of(error: &io::Error) {
    warn!(%error, "NOTIFY_SOCKET: can't tell systemd");
}

fn parse(address: &str) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = address.strip_prefix('@') {
        use std::os::linux::net::SocketAddrExt as _;

        return SocketAddr::from_abstract_name(name);
    }
    if address.starts_with('/') {
        return SocketAddr::from_pathname(address);
    }
    let problem = "this is neither a path nor @ and an abstract name";
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}

/// The clock by which systemd tells a reload from the one before it.
fn monotonic_micros() -> i128 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn what_is_told_arrives_at_a_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::new(path.to_str());
        notifier.ready("fine");
        assert_eq!(received(&socket), "READY=1\nSTATUS=fine\n");
        notifier.stopping("enough");
        assert_eq!(received(&socket), "STOPPING=1\nSTATUS=enough\n");
        let before = monotonic_micros();
        notifier.reloading();
        let text = received(&socket);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("RELOADING=1"));
        let stamp = lines.next().unwrap().strip_prefix("MONOTONIC_USEC=");
        let stamp: i128 = stamp.unwrap().parse().unwrap();
        assert!((before..=monotonic_micros()).contains(&stamp));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_told_arrives_at_an_abstract_name() {
        use std::os::linux::net::SocketAddrExt as _;

        let name = format!("undersign-{:x}", rand::random::<u128>());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        Notifier::new(Some(&format!("@{name}"))).ready("fine");
        assert_eq!(received(&socket), "READY=1\nSTATUS=fine\n");
    }

    #[test]
    fn nobody_to_tell_is_no_fault() {
        for address in [None, Some(""), Some("vsock:2:1"), Some("/missing/notify")] {
            Notifier::new(address).ready("fine");
        }
    }
}
