//! Heads of responses, accepted and refused.

use super::*;

fn parse(head: &str, to_head: bool) -> Result<ResponseHead, ResponseFault> {
    let (line, _) = head.split_once("\r\n").unwrap();
    let section = line.len() + 2;
    let line = parse_status_line(line.as_bytes())?;
    let head = Bytes::copy_from_slice(head.as_bytes());
    match parse_response(line, &head, head.slice(section..), to_head)? {
        ParsedResponse::Final(head) => Ok(head),
        ParsedResponse::Interim(head) => panic!("{head:?} is no final response"),
    }
}

#[test]
fn a_head_is_read_as_it_stands() {
    let head = parse("HTTP/1.1 404 Nicht da \u{e9}\r\nA: b\r\n", false).unwrap();
    assert_eq!(head.status, 404);
    assert_eq!(head.reason, "Nicht da \u{e9}");
    assert_eq!(head.framing, Framing::UntilClose);
    for line in ["HTTP/1.1 200", "HTTP/1.1 200 "] {
        assert_eq!(parse(&format!("{line}\r\n"), false).unwrap().reason, "");
    }
}

#[test]
fn the_framing_follows_the_rfc() {
    let table = [
        ("200", "Content-Length: 5\r\n", false, Framing::Length(5)),
        ("200", "Content-Length: 5\r\n", true, Framing::None),
        ("204", "", false, Framing::None),
        ("304", "Content-Length: 5\r\n", false, Framing::None),
        ("200", "Content-Length: 0\r\n", false, Framing::None),
        (
            "200",
            "transfer-encoding: chunked\r\nContent-Length: 5\r\n",
            false,
            Framing::CHUNKED,
        ),
        (
            "200",
            "Content-Length: 5\r\ncontent-length: 05\r\n",
            false,
            Framing::Length(5),
        ),
    ];
    for (status, fields, to_head, framing) in table {
        let head = parse(&format!("HTTP/1.1 {status} X\r\n{fields}"), to_head).unwrap();
        assert_eq!(head.framing, framing, "{status} {fields:?}");
        let lengths = head.fields.all("content-length").count();
        assert!(lengths <= 1 && (framing != Framing::CHUNKED || lengths == 0));
    }
}

#[test]
fn garbage_is_refused() {
    let table = [
        "SSH-2.0-OpenSSH",
        "HTTP/1.1 99 X",
        "HTTP/1.1 099 X",
        "HTTP/1.1 600 X",
        "HTTP/1.1 999 X",
        "HTTP/1.1 2000 X",
        "HTTP/1.1 +20 X",
        "HTTP/2.0 200 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 200 O\u{7}K",
        "HTTP/1.1 101 Switching Protocols",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 6",
        "HTTP/1.1 200 OK\r\nContent-Length: abc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\r\nA : b",
    ];
    for head in table {
        assert!(parse(&format!("{head}\r\n"), false).is_err(), "{head:?}");
    }
}

#[test]
fn a_connection_is_kept_only_where_both_sides_would() {
    let table = [
        ("HTTP/1.1 200 X\r\nContent-Length: 1\r\n", true),
        (
            "HTTP/1.1 200 X\r\nContent-Length: 1\r\nConnection: x, Close\r\n",
            false,
        ),
        ("HTTP/1.0 200 X\r\nContent-Length: 1\r\n", false),
        (
            "HTTP/1.0 200 X\r\nContent-Length: 1\r\nConnection: keep-alive\r\n",
            true,
        ),
        ("HTTP/1.1 200 X\r\n", false),
    ];
    for (head, keep_alive) in table {
        assert_eq!(
            parse(head, false).unwrap().keep_alive,
            keep_alive,
            "{head:?}"
        );
    }
}

#[test]
fn an_interim_head_is_read_as_it_stands_and_frames_nothing() {
    let table = [
        ("HTTP/1.1 100 Continue\r\n", 100, "Continue"),
        ("HTTP/1.1 102\r\n", 102, ""),
        (
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n",
            103,
            "Early Hints",
        ),
        ("HTTP/1.0 199 \r\nContent-Length: 1, 2\r\n", 199, ""),
    ];
    for (head, status, reason) in table {
        let (line, section) = head.split_once("\r\n").unwrap();
        let line = parse_status_line(line.as_bytes()).unwrap();
        let section = Bytes::copy_from_slice(section.as_bytes());
        let parsed = parse_response(line, &Bytes::from(head), section, false).unwrap();
        let ParsedResponse::Interim(interim) = parsed else {
            panic!("{head:?} is an interim response");
        };
        assert_eq!(
            (interim.status, &interim.reason[..]),
            (status, reason.as_bytes())
        );
        assert_eq!(
            interim.fields.iter().count(),
            head.matches("\r\n").count() - 1
        );
    }
}
