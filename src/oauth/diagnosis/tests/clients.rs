//! Base strings of other clients.

use zeroize::Zeroizing;

use super::*;
use crate::oauth::key::Key;

/// What other implementations sign, written down by hand as a whole.
#[test]
fn base_strings_of_other_clients_are_told_by_their_mistake() {
    let check = |sent: &Sent<'_>, client: &str, expected: &[Mistake]| {
        let client = client.replace(
            "{}",
            "oauth_consumer_key%3Dk%26oauth_nonce%3Dn%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1",
        );
        let authorization = header("", &signature(&credentials(None), client.as_bytes(), &[]));
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
    // npm oauth, which numbers them.
    check(
        &get("/?x=2&x=1"),
        &base("{}%26x%255B0%255D%3D2%26x%255B1%255D%3D1"),
        &[Mistake::DuplicatesNumbered],
    );
    check(
        &get("/?b=2&b=1"),
        &base("b%3D2%26b%3D1%26{}"),
        &[Mistake::SortedByNameOnly],
    );
    check(
        &get("/?a=1&Z=2"),
        &base("a%3D1%26{}%26Z%3D2"),
        &[Mistake::SortedIgnoringCase],
    );
    check(
        &get("/?z=1&a=2"),
        &base("z%3D1%26a%3D2%26{}"),
        &[Mistake::UnsortedRequestFirst],
    );
    check(
        &get("/?z=1&a=2"),
        &base("{}%26z%3D1%26a%3D2"),
        &[Mistake::UnsortedHeaderFirst],
    );
    check(
        &get("/?a&b=1&=c"),
        &base("b%3D1%26{}"),
        &[Mistake::EmptyValuesDropped, Mistake::EmptyNamesDropped],
    );
    check(&get("/?a"), &base("a%26{}"), &[Mistake::EmptyWithoutEquals]);
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
        &get("/jira/rest/a"),
        "GET&https%3A%2F%2Fexample.com%2Frest%2Fa&{}",
        &[Mistake::PathStartLeftOut],
    );
    check(
        &get("/a%20b"),
        "GET&https%3A%2F%2Fexample.com%2Fa%20b&{}",
        &[Mistake::PathDecoded],
    );
    check(
        &get("/a"),
        "GET&https://example.com/a&{}",
        &[Mistake::UriNotEncoded],
    );
    check(
        &Sent {
            port: Some(8443),
            ..get("/")
        },
        "GET&https%3A%2F%2Fexample.com%2F&{}",
        &[Mistake::PortLeftOut],
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
        &[Mistake::NotDecoded],
    );
    check(
        &get("/?a=x("),
        &base("a%3Dx%252528%26{}"),
        &[Mistake::EncodedThrice],
    );
    check(
        &get("/?a=%2541"),
        &base("a%3DA%26{}"),
        &[Mistake::DecodedTwice],
    );
    check(
        &get("/?b=(&c=x%2f"),
        &base("b%3D%28%26c%3Dx%252f%26{}"),
        &[Mistake::AsItStands],
    );
    check(&get("/?a[]=%25"), &base("a%255B%255D%3D%2525%26{}"), &[]);
    check(
        &get("/?a%5B%5D=%25b"),
        &base("a%25255B%25255D%3D%2525b%26{}"),
        &[Mistake::NamesNotDecoded],
    );
    check(&get("/?"), &base("%3D%26{}"), &[Mistake::EmptyPair]);
    check(
        &get("/?a=%C3%A9"),
        &base("a%3D%25E9%26{}"),
        &[Mistake::Latin1],
    );
    check(
        &get("/?a=%C3%A9"),
        &base("a%3D%25C3%2583%25C2%25A9%26{}"),
        &[Mistake::Utf8Twice],
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
        body: Some(b"{\"a\":1,\"b\":\"c d\"}"),
        ..get("/")
    };
    check(
        &json,
        &base("%257B%2522a%2522%253A1%252C%2522b%2522%253A%2522c%2520d%2522%257D%3D%26{}"),
        &[Mistake::BodySigned],
    );
    check(
        &json,
        &base("a%3D1%26b%3Dc%2520d%26{}"),
        &[Mistake::JsonSigned],
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

/// A client's encoding may be used in some places and not in others.
#[test]
fn a_wrong_encoding_is_told_with_the_places_where_it_is_used() {
    use Mistake::{At, LowerCaseDigits, MarksUnencoded, SpaceAsPlus};
    let check = |target: &str, text: &str, key: &str, expected: &[Mistake]| {
        let header_parameters = [
            "oauth_consumer_key",
            "k%26oauth_nonce",
            "n%26oauth_signature_method",
            "HMAC-SHA1%26oauth_timestamp",
            "1",
        ];
        let equals = if text.contains("%3a") { "%3d" } else { "%3D" };
        let text = text.replace("{}", &header_parameters.join(equals));
        let key = Key::from_joined_secrets(&Method::HmacSha1, Zeroizing::new(key.into()));
        let signature = key.sign(|sink| sink(text.as_bytes())).to_text();
        let authorization = header("", str::from_utf8(&signature).unwrap());
        let diagnosis = diagnose_with(&get(target), None, &authorization);
        assert_eq!(mistakes(diagnosis).0, expected, "{text}");
    };
    let (right, lower) = ("%206f5e%26%2F%2B%20&", "%206f5e%26%2f%2b%20&");
    let all_lower = "GET&https%3a%2f%2fexample.com%2f&a%3d%2528%26{}";
    check("/?a=(", all_lower, right, &[LowerCaseDigits]);
    check(
        "/?a=(",
        all_lower,
        lower,
        &[LowerCaseDigits, At(Place::KeyToo)],
    );
    check(
        "/",
        "GET&https%3A%2F%2Fexample.com%2F&{}",
        lower,
        &[LowerCaseDigits, At(Place::KeyAlone)],
    );
    check(
        "/?a=/",
        "GET&https%3A%2F%2Fexample.com%2F&a%3D%252f%26{}",
        right,
        &[LowerCaseDigits, At(Place::NamesAndValuesAlone)],
    );
    check(
        "/?a=/",
        "GET&https%3a%2f%2fexample.com%2f&a%3d%252F%26{}",
        right,
        &[LowerCaseDigits, At(Place::WholesAlone)],
    );
    // System.Web.HttpUtility.UrlEncode, for everything.
    check(
        "/?like(n,*b*)&s=x+y",
        "GET&https%3a%2f%2fexample.com%2f&like(n%252c*b*)%3d%26{}%26s%3dx%2by",
        "+6f5e%26%2f%2b+&",
        &[
            MarksUnencoded,
            SpaceAsPlus,
            LowerCaseDigits,
            At(Place::KeyToo),
        ],
    );
}
