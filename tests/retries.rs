//! An upstream connection that dies: a request goes out once, and again only if nobody can have seen it.

mod support;

use support::{
    client::Client,
    peer::{Peer, WAYS_TO_LEAVE},
    stage::{OK, REQUESTS, Stage, failed, fine, problem},
};

/// A stage whose upstream answers once on each connection, and leaves once it is told to go on.
fn answering_once(leave: fn(&mut Peer)) -> Stage {
    Stage::new(move |peer| {
        peer.request()?;
        peer.send(OK)?;
        peer.pause()?;
        leave(peer);
        Ok(())
    })
}

/// Sends a form, whose content follows when the connection that it is to go out on has died.
fn send_form_while_the_connection_dies(stage: &Stage, client: &mut Client) {
    client.send(
        b"POST /form HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
          Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\n",
    );
    assert_eq!(
        client.response_head().first_line(),
        b"HTTP/1.1 100 Continue"
    );
    stage.upstream.go_on();
    stage.upstream.wait_all_ended(1);
    client.send(b"a=b&c=d");
    assert_eq!(client.response().body, b"ok");
}

#[test]
fn a_kept_connection_that_has_died_costs_no_request() {
    for leave in WAYS_TO_LEAVE {
        let stage = answering_once(leave);
        let mut client = stage.daemon.connect();
        for (index, request) in REQUESTS.iter().enumerate() {
            client.send(request);
            assert_eq!(client.response().body, b"ok");
            stage.upstream.go_on();
            stage.upstream.wait_all_ended(index + 1);
        }
        let requests = stage.upstream.requests();
        assert_eq!(requests.len(), REQUESTS.len());
        assert_eq!(stage.upstream.connections(), REQUESTS.len());
        for (request, sent) in requests.iter().zip(REQUESTS) {
            assert!(sent.ends_with(&request.body), "{request:?}");
        }
        stage.finish(&[fine(200); REQUESTS.len()]);
    }
}

#[test]
fn a_kept_connection_that_dies_before_a_byte_went_out_is_replaced_once() {
    for leave in WAYS_TO_LEAVE {
        let stage = answering_once(leave);
        let mut client = stage.daemon.connect();
        Stage::fetch_on(&mut client);
        // A form is collected to be signed; meanwhile, the connection that it is to go out on dies.
        send_form_while_the_connection_dies(&stage, &mut client);
        let requests = stage.upstream.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[1].connection, 1);
        assert_eq!(requests[1].body, b"a=b&c=d");
        assert_ne!(requests[0].nonce(), requests[1].nonce());
        stage.upstream.go_on();
        let records = stage.finish(&[fine(200); 2]);
        assert_eq!(records[1]["upstream.attempts"], 2);
    }
}

#[test]
fn a_new_connection_that_dies_while_the_content_is_collected_is_replaced() {
    for leave in WAYS_TO_LEAVE {
        let stage = Stage::new(move |peer| {
            if peer.number == 0 {
                peer.pause()?;
                leave(peer);
                return Ok(());
            }
            peer.request()?;
            peer.send(OK)
        });
        let mut client = stage.daemon.connect();
        send_form_while_the_connection_dies(&stage, &mut client);
        let requests = stage.upstream.requests();
        assert_eq!((requests.len(), requests[0].connection), (1, 1));
        assert_eq!(requests[0].body, b"a=b&c=d");
        let records = stage.finish(&[fine(200)]);
        assert_eq!(records[0]["upstream.attempts"], 1);
    }
}

#[test]
fn a_request_that_may_have_been_seen_is_never_sent_again() {
    for leave in WAYS_TO_LEAVE {
        for request in REQUESTS {
            let stage = Stage::new(move |peer| {
                if peer.number == 0 {
                    peer.request()?;
                    peer.send(OK)?;
                }
                peer.request()?;
                leave(peer);
                Ok(())
            });
            let mut client = stage.daemon.connect();
            // On a kept connection first, then on a new one.
            Stage::fetch_on(&mut client);
            for _ in 0..2 {
                client.send(request);
                problem(&mut client, 502, "connection_terminated");
            }
            assert_eq!(stage.upstream.requests().len(), 3);
            assert_eq!(stage.upstream.connections(), 2);
            let terminated = failed(502, "connection_terminated");
            let records = stage.finish(&[fine(200), terminated, terminated]);
            assert_eq!(records[1]["upstream.attempts"], 1);
        }
    }
}

#[test]
fn a_request_that_is_partly_out_is_never_sent_again() {
    for leave in WAYS_TO_LEAVE {
        let stage = Stage::new(move |peer| {
            peer.head()?;
            peer.content(3)?;
            leave(peer);
            Ok(())
        });
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n";
        let mut client = stage.ask(format!("{head}abc"));
        problem(&mut client, 502, "connection_terminated");
        assert_eq!(stage.upstream.requests().len(), 1);
        assert_eq!(stage.upstream.connections(), 1);
        drop(client);
        stage.finish(&[failed(502, "connection_terminated")]);
    }
}
