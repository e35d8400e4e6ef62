//! The last steps: one signed GET, and what its answer says of the clocks and the signature.

use std::fmt::Write as _;

use super::report::{Report, Verdict, milliseconds};
use crate::{
    proxy::{NOTABLE_SKEW_S, Probed, Proxy, probe},
    upstream::Stream,
};

/// Sends a signed GET, and tells what came of it.
pub(super) async fn ask(proxy: &Proxy, stream: Stream, target: &str, report: &mut Report<'_>) {
    let mut link = match proxy.upstream().take_into_use(stream).await {
        Ok(link) => link,
        Err(error) => {
            report.step(Verdict::Failed, "GET", error);
            return;
        }
    };
    match probe(proxy, &mut link, target).await {
        Ok(probed) => {
            tell_clock(&probed, report);
            tell_answer(&probed, target, report);
        }
        Err(refusal) => {
            let kind = refusal.error.as_str();
            let detail = refusal.detail;
            report.step(
                Verdict::Failed,
                "GET",
                format_args!("{target}: {detail} ({kind})"),
            );
        }
    }
}

fn tell_clock(probed: &Probed, report: &mut Report<'_>) {
    let Some(ahead) = probed.clock_ahead_s else {
        report.step(
            Verdict::Warning,
            "clock",
            "not known: the answer has no Date that can be read",
        );
        return;
    };
    let text = match ahead {
        // The field has whole seconds.
        -1.0..=1.0 => "the platform's and ours agree".to_owned(),
        ahead if ahead < 0.0 => format!("the platform's is {:.0} s behind ours", -ahead),
        ahead => format!("the platform's is {ahead:.0} s ahead of ours"),
    };
    if ahead.abs() <= NOTABLE_SKEW_S as f64 {
        report.step(Verdict::Fine, "clock", text);
        return;
    }
    report.step(Verdict::Warning, "clock", text);
    report.advice(
        "set the clock that is wrong, best by NTP: a signature bears the time, and platforms refuse one that is more than minutes off (timestamp_refused)",
    );
}

fn tell_answer(probed: &Probed, target: &str, report: &mut Report<'_>) {
    let (verdict, meaning) = judge(probed.status, probed.oauth_problem.is_some());
    let mut text = format!("{target}: {}, {}", probed.status, milliseconds(probed.took));
    if let Some(problem) = &probed.oauth_problem {
        // Writing to a String can't fail.
        let _ = write!(text, ", oauth_problem={problem}");
    }
    if let Some(meaning) = meaning {
        let _ = write!(text, "; {meaning}");
    }
    report.step(verdict, "GET", text);
    if let Some(hint) = probed.hint {
        report.advice(hint);
    }
}

/// What a status says of the signature.
fn judge(status: u16, has_problem: bool) -> (Verdict, Option<&'static str>) {
    match status {
        _ if has_problem => (Verdict::Failed, Some("the signature is refused")),
        401 => (
            Verdict::Failed,
            Some("the credentials or the signature are refused"),
        ),
        403 => (
            Verdict::Failed,
            Some(
                "the signature may be fine, and these credentials not be allowed to see this: ask with --path for something that they may see",
            ),
        ),
        300..=399 => (
            Verdict::Fine,
            Some("a redirect, which the proxy passes on and does not follow"),
        ),
        404 | 405 | 406 | 410 => (
            Verdict::Fine,
            Some(
                "nothing is served there; to see whether the signature is accepted, ask with --path for something that is",
            ),
        ),
        400..=499 => (
            Verdict::Warning,
            Some(
                "the request is not what the platform expects there: ask with --path for something else",
            ),
        ),
        500.. => (
            Verdict::Failed,
            Some("the platform itself, or what stands before it, fails"),
        ),
        _ => (Verdict::Fine, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_judged_by_what_it_says_of_the_signature() {
        for (status, has_problem, expected) in [
            (200, false, Verdict::Fine),
            (204, false, Verdict::Fine),
            (302, false, Verdict::Fine),
            (400, false, Verdict::Warning),
            (400, true, Verdict::Failed),
            (401, false, Verdict::Failed),
            (401, true, Verdict::Failed),
            (403, false, Verdict::Failed),
            (404, false, Verdict::Fine),
            (429, false, Verdict::Warning),
            (500, false, Verdict::Failed),
            (503, false, Verdict::Failed),
        ] {
            assert_eq!(
                judge(status, has_problem).0,
                expected,
                "{status} {has_problem}"
            );
        }
    }
}
