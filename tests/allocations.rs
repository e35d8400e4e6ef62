//! How often signing allocates.

use allocation_counter::measure;
use undersign::oauth::{BaseUri, Credentials, Nonce, RequestToSign, Signer, SigningOptions, Stamp};

#[test]
fn a_signature_takes_one_allocation() {
    let credentials = Credentials {
        consumer_key: "ug7nnV3aq4VwGQQzyiFRDSGwa7QZY0YE".to_owned(),
        consumer_secret: "secret".into(),
        token: Some("token".to_owned()),
        token_secret: "token secret".into(),
    };
    let origin = BaseUri::new(true, "a.isv1.apsdemo.org", 443);
    let signer = Signer::new(&credentials, &SigningOptions::default(), origin);
    let fields: Vec<String> = (0..20).map(|n| format!("field{n}=a+value%2C")).collect();
    let form = fields.join("&");
    let check = |target: &str, form: Option<&str>| {
        let request = RequestToSign {
            method: "POST",
            target: target.as_bytes(),
            form: form.map(str::as_bytes),
        };
        let sign = || {
            // From no source of randomness, which would set itself up first.
            let nonce = Nonce::from_bits(u128::from(line!()));
            let stamp = Stamp {
                timestamp: 1_763_900_000,
                nonce,
                extra: &[],
            };
            drop(signer.sign(&request, stamp));
        };
        assert_eq!(measure(sign).count_total, 1, "{target}");
    };
    check("/", None);
    check(
        "/aps/2/resources?implementing(http://aps-standard.org/types/core/resource/1.0),sort(+name),limit(0,10)",
        None,
    );
    check("/aps/2/orders", Some(&form));
}
