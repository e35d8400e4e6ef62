//! The third step: TLS, the platform's certificate, and whether it is trusted.

use time::OffsetDateTime;
use tokio::net::TcpStream;

use super::{
    network::{Budget, advice},
    report::{Report, Verdict, milliseconds},
};
use crate::{
    config::{TlsConfig, Trust},
    proxy::Proxy,
    upstream::{Certificate, ConnectError, Presented, Stage, Stream, Tls, TlsFailure, moment},
};

/// Days left from which on a certificate should be on its way to be renewed.
const SOON: i64 = 30;

/// Agrees on TLS, and tells what the platform presented.
pub(super) async fn agree(
    proxy: &Proxy,
    tcp: TcpStream,
    budget: Budget,
    report: &mut Report<'_>,
) -> Option<Stream> {
    let dialer = proxy.upstream().dialer();
    let config = &proxy.config.tls;
    let now = OffsetDateTime::now_utc();
    let secured = budget.spend(Stage::Tls, dialer.secure(tcp)).await;
    let stream = match secured {
        Ok((Stream::Tls(stream), took)) => {
            // Without it there would be no such stream.
            let tls = dialer.tls()?;
            let session = tls.session(&stream);
            let (version, cipher, took) = (session.version, session.cipher, milliseconds(took));
            report.step(
                Verdict::Fine,
                "TLS",
                format_args!("{version}, {cipher}, {took}"),
            );
            describe(&session.presented, &tls.name(), config, now, report);
            accepted(config, session.is_listed, report);
            if let Some(own) = tls.client_certificate() {
                tell_own(own, now, report);
            }
            Some(Stream::Tls(stream))
        }
        Ok((plain, _)) => {
            let text = "none: with http:// anybody on the way can read and change everything";
            report.step(Verdict::Warning, "TLS", text);
            Some(plain)
        }
        Err(ConnectError::Tls(TlsFailure::Certificate(distrusted))) => {
            let reason = distrusted.reason();
            report.step(
                Verdict::Failed,
                "trust",
                format_args!("the platform's certificate is not accepted: it {reason}"),
            );
            report.advice(distrusted.advice());
            let name = dialer.tls().map(Tls::name).unwrap_or_default();
            describe(&distrusted.presented, &name, config, now, report);
            None
        }
        Err(error) => {
            report.step(Verdict::Failed, "TLS", &error);
            // An alert says itself what it means.
            if !matches!(error, ConnectError::Tls(TlsFailure::Alert(_))) {
                report.advice(advice(&error));
            }
            None
        }
    };
    for note in dialer.tls().map(Tls::notes).unwrap_or_default() {
        report.step(Verdict::Warning, "config", note);
    }
    stream
}

/// Tells of a chain, its name, its time and its pin.
fn describe(
    presented: &Presented,
    name: &str,
    config: &TlsConfig,
    now: OffsetDateTime,
    report: &mut Report<'_>,
) {
    let Some(own) = presented.chain.first() else {
        report.more("chain", "what was presented can't be read");
        return;
    };
    for (number, certificate) in (1..).zip(&presented.chain) {
        let Certificate {
            subject,
            issuer,
            not_before,
            not_after,
            ..
        } = certificate;
        let left = left(certificate, now);
        report.more(
            "chain",
            format_args!(
                "{number}. subject \"{subject}\", issuer \"{issuer}\", valid from {} to {}, {left}",
                moment(*not_before),
                moment(*not_after),
            ),
        );
    }
    // A key that is trusted is trusted whatever else its certificate says.
    let matters = config.pin_sha256.is_empty() && config.trust == Trust::System;
    let judge = |is_right: bool| match (is_right, matters) {
        (false, true) => (Verdict::Failed, ""),
        (false, false) => (
            Verdict::Fine,
            ", which does not matter where the key decides",
        ),
        (true, _) => (Verdict::Fine, ""),
    };
    let (verdict, remark) = judge(presented.is_for_name);
    let verb = if presented.is_for_name {
        "made out"
    } else {
        "not made out"
    };
    let names = &own.names;
    report.step(
        verdict,
        "name",
        format_args!("{verb} to {name}{remark}; its names are \"{names}\""),
    );
    let days = own.days_left(now);
    let is_valid = own.not_before <= now && now <= own.not_after;
    let (verdict, remark) = judge(is_valid);
    let text = if own.not_before > now {
        format!("not valid before {}{remark}", moment(own.not_before))
    } else if is_valid {
        left(own, now)
    } else {
        format!("expired on {}{remark}", moment(own.not_after))
    };
    if is_valid && matters && days < SOON {
        report.step(Verdict::Warning, "expiry", text);
        report.advice("see that the platform renews its certificate in time");
    } else {
        report.step(verdict, "expiry", text);
    }
    report.more("pin", own.pin.toml());
}

/// Tells of the certificate that the platform gets to see if it asks for one. One that has expired is among the notes.
fn tell_own(own: &Certificate, now: OffsetDateTime, report: &mut Report<'_>) {
    let (subject, left) = (&own.subject, left(own, now));
    let verdict = if (0..SOON).contains(&own.days_left(now)) {
        Verdict::Warning
    } else {
        Verdict::Fine
    };
    let text = format!("if it asks for a certificate, it is shown subject \"{subject}\", {left}");
    report.step(verdict, "client", text);
}

fn left(certificate: &Certificate, now: OffsetDateTime) -> String {
    match certificate.days_left(now) {
        days if days < 0 => "expired".to_owned(),
        1 => "1 day left".to_owned(),
        days => format!("{days} days left"),
    }
}

/// Tells why the certificate is accepted.
fn accepted(config: &TlsConfig, is_listed: bool, report: &mut Report<'_>) {
    if !config.pin_sha256.is_empty() {
        report.step(Verdict::Fine, "trust", "its key is in tls.pin_sha256");
    } else if config.trust == Trust::SelfSigned {
        let text = "any certificate is accepted (trust = \"self-signed\"): whoever sits in between can read and change everything";
        report.step(Verdict::Warning, "trust", text);
        report.advice("if this is the platform's key, put its pin, above, in place of trust");
    } else {
        let text = match &config.ca_file {
            Some(_) if is_listed => "it is itself in tls.ca_file",
            Some(_) => "a root of tls.ca_file vouches for it",
            None => "a root of the system vouches for it",
        };
        report.step(Verdict::Fine, "trust", text);
    }
}
