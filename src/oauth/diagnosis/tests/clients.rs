//! Base strings of other clients.

use super::*;

/// What other implementations sign, written down by hand as a whole.
#[test]
fn base_strings_of_other_clients_are_told_by_their_mistake() {
    let check = |sent: &Sent<'_>, client: &str, expected: &[Mistake]| {
        let client = client.replace(
            "{}",
            "oauth_consumer_key%3Dk%26oauth_nonce%3Dn%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1",
        );
        let signature = secret::sign(
            &Method::HmacSha1,
            &credentials(None),
            client.as_bytes(),
            Made(&[]),
        );
        let authorization = header("", str::from_utf8(&signature).unwrap());
        let diagnosis = diagnose_with(sent, None, &authorization);
        match expected {
            [] => assert_eq!(diagnosis.finding, Finding::Right, "{client}"),
            expected => assert_eq!(mistakes(diagnosis).0, expected, "{client}"),
        }
    };
    let root = "GET&https%3A%2F%2Fexample.com%2F&";
    let base = |parameters: &str| format!("{root}{parameters}");
    check(&get("/"), &base("{}"), &[]);
    // npm oauth-1.0a.
    check(
        &get("/?a=x+y"),
        &base("a%3Dx%252By%26{}"),
        &[Mistake::PlusLiteralInQuery],
    );
    check(
        &get("/?a=b=c"),
        &base("a%3Db%26{}"),
        &[Mistake::CutAtSecondEquals],
    );
    check(
        &get("/?a=1&&b=2"),
        &base("%3D%26a%3D1%26b%3D2%26{}"),
        &[Mistake::EmptyPair],
    );
    check(
        &get("/?z=x+y&y=b=c"),
        &base("{}%26y%3Db%26z%3Dx%252By"),
        &[Mistake::PlusLiteralInQuery, Mistake::CutAtSecondEquals],
    );
    // encodeURIComponent without more.
    check(
        &get("/?q=in(a,*b*)!"),
        &base("{}%26q%3Din(a%252C*b*)!"),
        &[Mistake::MarksUnencoded],
    );
    // java.net.URLEncoder without more.
    check(
        &get("/?q=*!&r=a%20b"),
        &base("{}%26q%3D*%2521%26r%3Da%2Bb"),
        &[Mistake::AsteriskUnencoded, Mistake::SpaceAsPlus],
    );
    // Python 2's urllib.quote.
    check(
        &get("/?q=a/b"),
        "GET&https%3A//example.com/&{}%26q%3Da/b",
        &[Mistake::SlashUnencoded],
    );
    // Perl and Ruby, which split at a semicolon.
    check(
        &get("/?a=1;b=2"),
        &base("a%3D1%26b%3D2%26{}"),
        &[Mistake::Semicolon],
    );
    // PHP and Net::OAuth, which collapse duplicates.
    check(
        &get("/?a=1&a=2"),
        &base("a%3D2%26{}"),
        &[Mistake::LastDuplicateOnly],
    );
    // ruby-oauth and py-oauth2, which sort first.
    check(
        &get("/?%C3%A9=1&z=1"),
        &base("{}%26z%3D1%26%25C3%25A9%3D1"),
        &[Mistake::SortedBeforeEncoding],
    );
    check(
        &get("/?a=2&a-b=1"),
        &base("a-b%3D1%26a%3D2%26{}"),
        &[Mistake::SortedAsText],
    );
    // oauthlib.
    check(
        &get("/?a=%FF"),
        &base("a%3D%25EF%25BF%25BD%26{}"),
        &[Mistake::ReplacementCharacter],
    );
    check(
        &get("/"),
        "GET&https%3A%2F%2Fexample.com%3A443%2F&{}",
        &[Mistake::DefaultPortKept],
    );
    check(
        &get("/"),
        "GET&http%3A%2F%2Fexample.com%2F&{}",
        &[Mistake::OtherScheme],
    );
    check(
        &get("/"),
        "POST&https%3A%2F%2Fexample.com%2F&{}",
        &[Mistake::Method("POST")],
    );
    check(&get("/?a=1"), &base("{}"), &[Mistake::QueryNotSigned]);
    check(
        &get("/?a=1&b=2"),
        &base("a%3D1%26{}"),
        &[Mistake::Unsigned("b".to_owned())],
    );
    check(
        &get("/?a=1"),
        "GET&https%3A%2F%2Fexample.com%2F%3Fa%3D1&a%3D1%26{}",
        &[Mistake::QueryInUri],
    );
    check(
        &get("/aps(1)"),
        "GET&https%3A%2F%2Fexample.com%2Faps%25281%2529&{}",
        &[Mistake::PathEscaped],
    );
    check(
        &get("/a%2Fb"),
        "GET&https%3A%2F%2Fexample.com%2Fa%2Fb&{}",
        &[Mistake::PathReencoded],
    );
    check(
        &get("//a/../b"),
        "GET&https%3A%2F%2Fexample.com%2Fb&{}",
        &[Mistake::PathSlashesMerged, Mistake::PathDotsResolved],
    );
    check(&get("/?a=x%20y"), &base("a%3Dx%2520y%26{}"), &[]);
    check(
        &get("/?a=x%20y"),
        &base("a%3Dx%20y%26{}"),
        &[Mistake::EncodedOnce],
    );
    check(
        &get("/?a=x%20y"),
        &base("a%3Dx%252520y%26{}"),
        &[Mistake::EncodedThrice],
    );
    check(
        &get("/?a=1&amp;b=2"),
        &base("a%3D1%26b%3D2%26{}"),
        &[Mistake::HtmlAmpersand],
    );
    let post = "POST&https%3A%2F%2Fexample.com%2F&";
    check(
        &post_form("/", "b=1"),
        &format!("{post}{{}}"),
        &[Mistake::FormNotSigned],
    );
    let json = Sent {
        body: Some(b"{\"a\":1}"),
        ..get("/")
    };
    check(
        &json,
        &base("%257B%2522a%2522%253A1%257D%3D%26{}"),
        &[Mistake::BodySigned],
    );
    let elsewhere = ["http://127.0.0.1:8080".to_owned()];
    let proxied = Sent {
        elsewhere: &elsewhere,
        ..get("/")
    };
    check(
        &proxied,
        "GET&http%3A%2F%2F127.0.0.1%3A8080%2F&{}",
        &[Mistake::OtherOrigin(elsewhere[0].clone())],
    );
}
