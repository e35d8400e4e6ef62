//! `access.allow`: which methods and paths may be asked for, whatever the platform makes of a request.
//!
//! A platform's own reading of a request is not known here, so a request is let through only if each plausible
//! reading of it is allowed: of its path (see [`path`]), and of what frameworks take in place of the method or the path
//! of the request line.

mod path;

use self::path::{Reading, glob, readings};
use super::Refusal;
use crate::{
    config::AllowRule,
    oauth::parameter_names,
    wire::{RequestHead, has_foreign_charset, is_override, resembles_form},
};

/// Lets a request through that a rule allows, in each way of reading it.
///
/// # Errors
/// Why none does.
pub(super) fn admit_operation(rules: &[AllowRule], request: &RequestHead) -> Result<(), Refusal> {
    if request.fields.iter().any(|field| is_override(field.name)) {
        return Err(Refusal::denied(
            403,
            "access.allow is set, and the request has a header field that could replace its method or path, such as X-HTTP-Method-Override or X-Original-URL",
        ));
    }
    let mut media_types = request.fields.all("content-type");
    if media_types.any(|media_type| resembles_form(media_type) && has_foreign_charset(media_type)) {
        return Err(Refusal::denied(
            403,
            "access.allow is set, and the charset of the form is not one in which its parameters can be read: send it as UTF-8",
        ));
    }
    admit_parameters(request.query().unwrap_or_default())?;
    let readings = readings(request.path())
        .map_err(|fault| Refusal::denied(403, format!("access.allow is set, and {fault}")))?;
    if readings
        .iter()
        .all(|reading| is_allowed(rules, &request.method, reading))
    {
        return Ok(());
    }
    Err(Refusal::denied(
        403,
        "no rule of access.allow lets this method and path through",
    ))
}

/// Checks that no parameter of a query or form could take the place of the method.
///
/// # Errors
/// One could.
pub(super) fn admit_parameters(text: &[u8]) -> Result<(), Refusal> {
    // ASP.NET decodes it, and nobody else does.
    let has_wide_escape = text.windows(2).any(|pair| pair.eq_ignore_ascii_case(b"%u"));
    if has_wide_escape {
        return Err(Refusal::denied(
            403,
            "access.allow is set, and servers differ in how they read a parameter with %u in it",
        ));
    }
    admit_names(text)
}

/// The same of content that hardly any server takes for a form.
///
/// # Errors
/// One of its names, if it were a form, could take the place of the method.
pub(super) fn admit_names(text: &[u8]) -> Result<(), Refusal> {
    // Some servers separate parameters by semicolons too.
    let mut names = text.split(|byte| *byte == b';').flat_map(parameter_names);
    if names.any(|name| is_override_parameter(name.as_bytes())) {
        return Err(Refusal::denied(
            403,
            "access.allow is set, and the request has a parameter that could replace its method, such as _method",
        ));
    }
    Ok(())
}

fn is_override_parameter(name: &[u8]) -> bool {
    if is_override(name) {
        return true;
    }
    // PHP takes `.method`, ` method` and `[method` for `_method`, and `_method[]` for a list of that name.
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
    let start = name.iter().position(is_letter).unwrap_or(name.len());
    let word = name[start..].split(|byte| !is_letter(byte)).next();
    let word = word.unwrap_or_default();
    start > 0 && (word.eq_ignore_ascii_case(b"method") || word.eq_ignore_ascii_case(b"httpmethod"))
}

fn is_allowed(rules: &[AllowRule], method: &[u8], reading: &Reading) -> bool {
    rules
        .iter()
        .filter(|rule| {
            let mut methods = rule.methods.iter();
            rule.methods.is_empty() || methods.any(|allowed| allowed.as_bytes() == method)
        })
        .any(|rule| {
            let pattern = rule.path.as_bytes();
            glob(pattern, &reading.path)
                || match pattern {
                    // A rule that names the slash at the end, by itself or before anything at all, has decided what it means.
                    [shorter @ .., b'/'] | [shorter @ .., b'/', b'*', b'*'] => {
                        reading.has_lost_slash && glob(shorter, &reading.path)
                    }
                    _ => false,
                }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_through(rules: &[(&[&str], &str)], method: &str, path: &str) -> bool {
        let rules: Vec<_> = rules
            .iter()
            .map(|(methods, path)| AllowRule {
                methods: methods.iter().map(|&method| method.to_owned()).collect(),
                path: (*path).to_owned(),
            })
            .collect();
        readings(path.as_bytes()).is_ok_and(|readings| {
            let allowed = |reading| is_allowed(&rules, method.as_bytes(), reading);
            readings.iter().all(allowed)
        })
    }

    #[test]
    fn each_reading_of_a_path_must_be_allowed() {
        let table = [
            ("/aps/2/**", "/aps/2/x", true),
            ("/aps/2/**", "/aps/2/a%20b", true),
            ("/aps/2/**", "/aps/2/%61", true),
            ("/aps/2/**", "/%61ps/2/x", false),
            ("/aps/2/a*", "/aps/2/%61b", false),
            ("/aps/2/*", "/aps/2/%28x%29", true),
            ("/aps/(2)/*", "/aps/%282%29/x", false),
            ("/aps/(2)/*", "/aps/(2)/x", true),
            ("/café/*", "/caf%C3%A9/x", true),
            ("/café/*", "/caf%c3%a9/x", true),
            ("/café/*", "/café/x", true),
            ("/a b/*", "/a%20b/x", true),
            // A slash at the end.
            ("/aps/2/*", "/aps/2/", false),
            ("/aps/2/**", "/aps/2/", true),
            ("/aps/2/**", "/aps/2", false),
            ("/aps/2/**", "/aps/2/x/", true),
            ("/aps/2/*", "/aps/2/x/", false),
            ("/aps/2/*/", "/aps/2/x/", true),
            ("/aps/2/", "/aps/2/", true),
            ("/aps/2/", "/aps/2", false),
            ("/aps/2", "/aps/2/", false),
            ("/**", "/", true),
            ("/", "/", true),
        ];
        for (rule, path, expected) in table {
            let through = is_let_through(&[(&["GET"], rule)], "GET", path);
            assert_eq!(through, expected, "{rule} {path}");
        }
    }

    #[test]
    fn rules_add_up() {
        let rules: &[(&[&str], &str)] =
            &[(&["GET"], "/a"), (&["GET", "POST"], "/a/*"), (&[], "/any")];
        for (method, path, expected) in [
            ("GET", "/a", true),
            ("GET", "/a/", true),
            ("POST", "/a/", false),
            ("POST", "/a/b", true),
            ("get", "/a", false),
            ("DELETE", "/a", false),
            ("DELETE", "/any", true),
            ("any", "/any", true),
        ] {
            let through = is_let_through(rules, method, path);
            assert_eq!(through, expected, "{method} {path}");
        }
    }

    #[test]
    fn a_parameter_that_replaces_the_method_is_seen_in_each_spelling() {
        for text in [
            "_method=DELETE",
            "a=b&_method=DELETE",
            "a=b;_method=DELETE",
            "a&_METHOD",
            "%5Fmethod=DELETE",
            "_%6dethod=DELETE",
            ".method=DELETE",
            "+method=DELETE",
            "%20_method=DELETE",
            "_method[]=DELETE",
            "_method%00=DELETE",
            "_method%5B%5D=DELETE",
            "_HttpMethod=PATCH",
            "X-HTTP-Method-Override=DELETE",
            "%u0058-HTTP-Method-Override=DELETE",
            "_%U006dethod=DELETE",
            "x_http_method_override=DELETE",
        ] {
            assert!(admit_parameters(text.as_bytes()).is_err(), "{text}");
        }
        for text in [
            "",
            "method=DELETE",
            "a=_method",
            "payment_method=card",
            "_methods=1",
            "like(_method,*a*)",
            "eq(method,GET),sort(+name),limit(0,10)",
            "and(implementing(http://aps-standard.org/types/core/resource/1.0),eq(a,b))",
        ] {
            assert!(admit_parameters(text.as_bytes()).is_ok(), "{text}");
        }
    }
}
