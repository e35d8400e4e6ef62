//! Command lines, read and refused.

use super::*;

fn parse_words(words: &[&str]) -> Result<Command, NoCommand> {
    parse(["undersign"].iter().chain(words))
}

#[test]
fn the_definition_is_consistent() {
    CommandLine::command().debug_assert();
}

#[test]
fn flags_are_accepted_bare_and_after_run() {
    let flags = [
        "--listen",
        "127.0.0.1:1",
        "--token",
        "",
        "--trust-self-signed",
    ];
    for before in [&[][..], &["run"]] {
        let words = [before, &flags].concat();
        let Ok(Command::Run(flags)) = parse_words(&words) else {
            panic!("{words:?}");
        };
        assert_eq!(flags.listen.as_deref(), Some("127.0.0.1:1"));
        assert_eq!(flags.token.as_deref(), Some(""));
        assert!(flags.trust_self_signed && !flags.allow_nonlocal_listen);
    }
    assert!(matches!(
        parse_words(&["check", "--config", "a"]),
        Ok(Command::Check(_))
    ));
}

#[test]
fn doctor_asks_for_the_root_of_every_proxy_unless_it_is_told_otherwise() {
    let check = |words: &[&str], path: &str, proxy: Option<&str>| {
        let Ok(Command::Doctor(found)) = parse_words(words) else {
            panic!("{words:?}");
        };
        assert_eq!((&*found.path, found.proxy.as_deref()), (path, proxy));
    };
    check(&["doctor"], "/", None);
    let words = ["doctor", "--path", "/a?b", "--proxy", "p"];
    check(&words, "/a?b", Some("p"));
}

#[test]
fn data_and_headers_and_what_is_verified_may_begin_with_a_hyphen() {
    let words = [
        "sign",
        "POST",
        "/a",
        "--data",
        "-x",
        "-d",
        "--y=1",
        "-H",
        "-Z: 1",
        "--header=-",
        "--explain",
    ];
    let Ok(Command::Sign(found)) = parse_words(&words) else {
        panic!("{words:?}");
    };
    assert_eq!(found.request.data, ["-x", "--y=1"]);
    assert_eq!(found.request.headers, ["-Z: 1", "-"]);
    assert!(found.explain);
    let words = [
        "verify",
        "POST",
        "/a",
        "--data-binary",
        "-x",
        "--authorization",
        "-H 'Authorization: OAuth",
        "--base-string",
        "-y",
    ];
    let Ok(Command::Verify(found)) = parse_words(&words) else {
        panic!("{words:?}");
    };
    assert_eq!(found.request.data_binary, ["-x"]);
    let authorization = found.authorization.as_deref();
    assert_eq!(authorization, Some("-H 'Authorization: OAuth"));
    assert_eq!(found.base_string.as_deref(), Some("-y"));
}

#[test]
fn what_is_said_of_a_wrong_command_line_shows_no_value_of_a_secret() {
    let wrong: [&[&str]; 14] = [
        &["S3NTINEL"],
        &["run", "S3NTINEL"],
        &["man", "S3NTINEL"],
        &["--log-format", "S3NTINEL"],
        &["--trust-self-signed=S3NTINEL"],
        &["completions", "S3NTINEL"],
        &["--nonsense"],
        &["frobnicate"],
        &["--listen"],
        &["--log-format", "xml"],
        &["--trust-self-signed=true"],
        &["--consumer-secret", "S3NTINEL"],
        &["--consumer-secret=S3NTINEL"],
        &["completions", "cobol"],
    ];
    for words in wrong {
        let Err(NoCommand::Wrong(text)) = parse_words(words) else {
            panic!("{words:?}");
        };
        assert!(!text.contains("S3NTINEL"), "{text}");
    }
}

#[test]
fn help_and_version_are_told_from_what_is_wrong() {
    for words in [["--help"], ["-h"], ["--version"], ["-V"], ["help"]] {
        let parsed = parse_words(&words);
        assert!(matches!(parsed, Err(NoCommand::Help(_))), "{words:?}");
    }
}

#[test]
fn every_flag_names_its_variable() {
    for argument in CommandLine::command().get_arguments() {
        let Some(flag) = argument
            .get_long()
            .filter(|flag| !matches!(*flag, "help" | "version"))
        else {
            continue;
        };
        let variable = format!("[env: UNDERSIGN_{}", flag.replace('-', "_").to_uppercase());
        let help = argument.get_help().unwrap().to_string();
        assert!(help.contains(&variable), "{flag}: {help}");
    }
}

#[test]
fn completions_are_printed() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let Ok(Command::Completions(script)) = parse_words(&["completions", shell]) else {
            panic!("{shell}");
        };
        assert!(script.contains("allow-nonlocal-listen"));
    }
}

/// A man page as it reads.
fn page(words: &[&str]) -> String {
    let Ok(Command::Man(page)) = parse_words(words) else {
        panic!("no man page: {words:?}");
    };
    page.replace("\\-", "-")
        .replace("\\fB", "")
        .replace("\\fR", "")
}

#[test]
fn the_man_page_refers_to_pages_that_can_be_printed_and_to_no_others() {
    let whole = page(&["man"]);
    assert!(whole.starts_with(".") && whole.contains("\n.TH undersign 1  \"undersign 0.1.0\""));
    assert!(whole.contains("UNDERSIGN_LISTEN"));
    let referred: Vec<_> = whole
        .lines()
        .filter_map(|line| line.strip_suffix("(1)"))
        .collect();
    assert_eq!(referred, PAGES.map(|name| format!("undersign-{name}")));
    let line = CommandLine::command();
    let subcommands = line.get_subcommands().map(clap::Command::get_name);
    assert_eq!(subcommands.collect::<Vec<_>>(), PAGES);
}

#[test]
fn the_page_of_a_subcommand_shows_its_options_and_exit_codes() {
    for (name, part) in [
        ("run", "--log-format"),
        ("check", "78 after printing every fault"),
        ("sign", "--explain"),
        (
            "verify",
            "Exits with 0 if it is, with 1 if it is not, and with 64 if the header makes no sense.",
        ),
        ("verify", "--base-string"),
        ("doctor", "otherwise with 1"),
        ("demo", "--listen"),
        ("healthcheck", "--admin-listen"),
        ("completions", "powershell"),
        ("man", "completions"),
    ] {
        let page = page(&["man", name]);
        let title = format!("\n.TH undersign-{name} 1  \"undersign ");
        assert!(
            page.contains(&title) && page.contains(part),
            "{part}: {page}"
        );
        let synopsis = format!("\nundersign {name} ");
        assert!(page.contains(&synopsis), "{page}");
    }
}
