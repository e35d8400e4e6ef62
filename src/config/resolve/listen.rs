//! Where the daemon listens: addresses, and sockets that systemd has passed.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use crate::{
    config::{
        ListenAddress, SystemdSocket,
        fault::{Ledger, Located, Place},
        reader::Section,
    },
    systemd::{Passed, Sockets},
};

/// Where a proxy listens that does not say where.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// The listeners of a proxy.
pub(super) fn of_proxy(
    section: &mut Section<'_>,
    allow_nonlocal: bool,
) -> Vec<Located<ListenAddress>> {
    let place = section.place_of("listen");
    let ledger = section.ledger();
    let faults_before = ledger.count();
    let problem = "must be an address in quotes, such as \"127.0.0.1:8080\", or a list of them";
    let named = match section.text_or_list("listen", problem, str::parse::<ListenAddress>) {
        Some(listen) => listen,
        None => vec![Located {
            value: ListenAddress::Tcp(DEFAULT_LISTEN),
            place: place.clone(),
        }],
    };
    let sockets = section.environment().sockets();
    let found = named
        .into_iter()
        .flat_map(|address| look_up(ledger, address, sockets));
    let listen: Vec<_> = found.collect();
    if listen.is_empty() && ledger.count() == faults_before {
        ledger.note(&place, "must name at least one address");
    }
    for address in listen
        .iter()
        .filter(|address| !allow_nonlocal && !address.value.is_local())
    {
        ledger.note(
            &address.place,
            "can be reached from other machines, which could use your credentials: use a loopback address, \
             or allow it with --allow-nonlocal-listen or allow_nonlocal_listen = true",
        );
    }
    listen
}

/// The admin listener, if there is one.
pub(super) fn admin(
    mut section: Section<'_>,
    listeners: &mut Vec<Located<ListenAddress>>,
) -> Option<ListenAddress> {
    let allow_nonlocal = section.switch("allow_nonlocal_listen").value;
    // An empty address turns off what a lower layer turned on.
    let named = section
        .read("listen", |text| match text {
            "" => Ok(None),
            text => text.parse::<ListenAddress>().map(Some),
        })
        .and_then(|found| Some((found.value?, found.place)))
        .map(|(value, place)| Located { value, place });
    let (ledger, sockets) = (section.ledger(), section.environment().sockets());
    let mut found = named.map_or_else(Vec::new, |named| look_up(ledger, named, sockets));
    if let [_, second, ..] = &found[..] {
        let problem = "stands for several sockets, and the admin listener is one: give each a name of its own";
        ledger.note(&second.place, problem);
    }
    let listen = found.pop();
    if let Some(listen) = &listen {
        if !allow_nonlocal && !listen.value.is_local() {
            ledger.note(
                &listen.place,
                "can be reached from other machines: use a loopback address, \
                 or set admin.allow_nonlocal_listen = true",
            );
        }
        listeners.push(listen.clone());
    }
    section.finish();
    listen.map(|listen| listen.value)
}

/// Notes each listener that cannot be bound because of one before it.
pub(super) fn check_for_clashes(ledger: &Ledger, listeners: &[Located<ListenAddress>]) {
    for (index, later) in listeners.iter().enumerate() {
        let earlier = listeners[..index]
            .iter()
            .find(|earlier| earlier.value.clashes_with(&later.value));
        if let Some(earlier) = earlier {
            let problem = format!(
                "is the same address as {}: choose another port",
                earlier.place.key
            );
            ledger.note(&later.place, problem);
        }
    }
}

/// The sockets that an address stands for: a unit with several `ListenStream=` passes them all under one name. Where it
/// is not known what was passed, the address stays as it is.
fn look_up(
    ledger: &Ledger,
    address: Located<ListenAddress>,
    sockets: Option<&Sockets>,
) -> Vec<Located<ListenAddress>> {
    let Located { value, place } = address;
    let (name, sockets) = match (value, sockets) {
        (ListenAddress::Systemd(socket), Some(sockets)) => (socket.name, sockets),
        (value, _) => return vec![Located { value, place }],
    };
    let names: BTreeSet<_> = sockets.iter().map(|passed| &*passed.name).collect();
    let wanted = match (&name, names.len()) {
        (Some(name), _) => &**name,
        (None, 2..) => {
            let problem = format!(
                "stands for one socket: write systemd:NAME with one of {}",
                list(&names)
            );
            ledger.note(&place, problem);
            return Vec::new();
        }
        (None, _) => names.first().copied().unwrap_or_default(),
    };
    if !names.contains(wanted) {
        ledger.note(&place, advice(&names));
        return Vec::new();
    }
    let of_name = sockets.iter().filter(|passed| passed.name == wanted);
    of_name
        .filter_map(|passed| resolve(ledger, &place, name.clone(), passed))
        .collect()
}

fn resolve(
    ledger: &Ledger,
    place: &Place,
    name: Option<Arc<str>>,
    passed: &Passed,
) -> Option<Located<ListenAddress>> {
    match &passed.socket {
        Ok(socket) => Some(Located {
            value: ListenAddress::Systemd(SystemdSocket {
                name,
                passed: Some(Arc::clone(socket)),
            }),
            place: place.clone(),
        }),
        Err(unfit) => {
            ledger.note(place, format_args!("what systemd has passed {unfit}"));
            None
        }
    }
}

fn advice(names: &BTreeSet<&str>) -> String {
    if names.is_empty() {
        return "systemd has passed no socket to this process: a socket unit has to name its service, \
                and the service is started by systemd"
            .to_owned();
    }
    format!(
        "systemd has passed no socket of this name, which FileDescriptorName= sets, but {}",
        list(names)
    )
}

fn list(names: &BTreeSet<&str>) -> String {
    let names: Vec<_> = names
        .iter()
        .map(|name| name.escape_debug().to_string())
        .collect();
    names.join(", ")
}
