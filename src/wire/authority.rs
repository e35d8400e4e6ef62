//! The authority in `Host` or in a target: whom a request is for, as far as its syntax goes.

use std::{net::Ipv6Addr, str};

use memchr::memchr;

use super::request_fault::RequestFault;

/// Checks the syntax of `host [":" port]` (RFC 9110 §7.2); what it names is for `admit` to judge.
pub(super) fn check_authority(authority: &[u8]) -> Result<(), RequestFault> {
    const FAULT: RequestFault =
        RequestFault::Host("the Host is not a host name with an optional port");
    let (host, port) = match authority {
        [b'[', rest @ ..] => {
            let end = memchr(b']', rest).ok_or(FAULT)?;
            let address = str::from_utf8(&rest[..end]).map_err(|_| FAULT)?;
            if address.parse::<Ipv6Addr>().is_err() {
                return Err(FAULT);
            }
            match &rest[end + 1..] {
                [] => return Ok(()),
                [b':', port @ ..] => return check_port(port).ok_or(FAULT),
                _ => return Err(FAULT),
            }
        }
        _ => match memchr(b':', authority) {
            Some(at) => (&authority[..at], Some(&authority[at + 1..])),
            None => (authority, None),
        },
    };
    let is_host_byte = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&' | b'\''
            )
            || matches!(byte, b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
    };
    let is_escape = |escape: &[u8]| {
        let digits = escape.get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let mut escapes = host.split(|byte| *byte == b'%').skip(1);
    if host.is_empty() || !host.iter().all(is_host_byte) || !escapes.all(is_escape) {
        return Err(FAULT);
    }
    port.map_or(Some(()), check_port).ok_or(FAULT)
}

fn check_port(port: &[u8]) -> Option<()> {
    let digits = port.iter().all(u8::is_ascii_digit);
    let number = str::from_utf8(port).ok()?;
    (digits && (port.is_empty() || number.parse::<u16>().is_ok())).then_some(())
}
