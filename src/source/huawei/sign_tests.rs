//! The signer against vectors of the gateway's own signer, and against everything a caller can make.

use super::*;
use proptest::prelude::*;
use serde::Deserialize;

type Pairs = Vec<(String, String)>;

#[derive(Deserialize)]
struct Vector {
    name: String,
    input: Input,
    expected: Expected,
}

#[derive(Deserialize)]
struct Input {
    ak: String,
    sk: String,
    method: String,
    scheme: String,
    host: String,
    path: String,
    query: Pairs,
    headers: Pairs,
    body: String,
}

#[derive(Deserialize)]
struct Expected {
    canonical_uri: String,
    canonical_query: String,
    signed_headers: String,
    payload_hash: String,
    canonical_request: String,
    canonical_request_sha256: String,
    string_to_sign: String,
    signature: String,
    authorization: String,
    wire_url: String,
    headers: Pairs,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../tests/it/data/huawei_signing.json")).unwrap()
}

/// The headers as the signer's caller completes them: the host, and the word for a body that is not hashed.
fn complete(input: &Input) -> Pairs {
    let mut headers = input.headers.clone();
    let content_type = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("content-type")).map(|(_, v)| v.as_str());
    headers.extend(content_hash(content_type));
    headers.push(("Host".to_owned(), input.host.clone()));
    headers
}

fn request<'a>(input: &'a Input, headers: &'a Pairs) -> Request<'a> {
    Request { method: &input.method, path: &input.path, query: &input.query, headers, body: input.body.as_bytes() }
}

#[test]
fn every_step_of_every_vector_is_the_same_byte_for_byte() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 12);
    for Vector { name, input, expected } in &vectors {
        let headers = complete(input);
        let signed = sign(&request(input, &headers), &input.ak, &input.sk);
        assert_eq!(signed.canonical_uri, expected.canonical_uri, "{name}");
        assert_eq!(signed.canonical_query, expected.canonical_query, "{name}");
        assert_eq!(signed.signed_headers, expected.signed_headers, "{name}");
        assert_eq!(signed.payload_hash, expected.payload_hash, "{name}");
        assert_eq!(signed.canonical_request, expected.canonical_request, "{name}");
        assert_eq!(hex(&Sha256::digest(signed.canonical_request.as_bytes())), expected.canonical_request_sha256);
        assert_eq!(signed.string_to_sign, expected.string_to_sign, "{name}");
        assert_eq!(signed.signature, expected.signature, "{name}");
        assert_eq!(signed.authorization, expected.authorization, "{name}");
        let sorted = |pairs: &Pairs| {
            let mut pairs = pairs.clone();
            pairs.sort();
            pairs
        };
        assert_eq!(sorted(&headers), sorted(&expected.headers), "{name}");
    }
}

#[test]
fn the_url_on_the_wire_is_the_one_that_was_signed() {
    for Vector { name, input, expected } in vectors() {
        let url = crate::source::huawei::wire::url(
            &format!("{}://{}", input.scheme, input.host),
            &input.path,
            &canonical_query(&input.query),
        );
        assert_eq!(url.unwrap().as_str(), expected.wire_url, "{name}");
    }
}

#[test]
fn an_escaped_slash_is_a_slash_and_nothing_is_encoded_twice() {
    assert_eq!(canonical_uri("/v1/a%2Fb/c%20d"), "/v1/a/b/c%20d/");
    assert_eq!(canonical_uri("/v1/a b+c*d'é"), "/v1/a%20b%2Bc%2Ad%27%C3%A9/");
    assert_eq!(canonical_uri("/v1/100%"), "/v1/100%25/");
    assert_eq!(canonical_uri("/v1/%zz%4"), "/v1/%25zz%254/");
    assert_eq!(canonical_uri(""), "/");
}

fn pairs(list: &[(&str, &str)]) -> Pairs {
    list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn parameters_are_sorted_before_they_are_encoded() {
    // Encoded, %C3%A9 would stand before z; as text é stands after it.
    let query =
        pairs(&[("é", "1"), ("z", "2"), ("status", "ok"), ("status", "alarm"), ("empty", ""), ("dim.0", "a,b")]);
    assert_eq!(canonical_query(&query), "dim.0=a%2Cb&empty=&status=alarm&status=ok&z=2&%C3%A9=1");
    assert_eq!(canonical_query(&pairs(&[("a", ":"), ("a", "0")])), "a=0&a=%3A");
    assert_eq!(canonical_query(&[]), "");
}

#[test]
fn a_signature_covers_method_path_query_body_token_and_time() {
    let headers = pairs(&[("Host", "h"), (DATE, "20250112T121500Z"), ("X-Security-Token", "t")]);
    let query = pairs(&[("a", "1")]);
    let base = Request { method: "post", path: "/p", query: &query, headers: &headers, body: b"{}" };
    let of = |request: &Request<'_>| sign(request, "AK", "SK").signature;
    let usual = of(&base);
    assert_eq!(usual, of(&Request { method: "POST", path: "/p/", ..base }), "case and a last slash do not count");
    let other = pairs(&[("Host", "h"), (DATE, "20250112T121501Z"), ("X-Security-Token", "t")]);
    let token = pairs(&[("Host", "h"), (DATE, "20250112T121500Z"), ("X-Security-Token", "u")]);
    for changed in [
        Request { method: "GET", ..base },
        Request { path: "/q", ..base },
        Request { query: &[], ..base },
        Request { body: b"{ }", ..base },
        Request { headers: &other, ..base },
        Request { headers: &token, ..base },
    ] {
        assert_ne!(usual, of(&changed), "{changed:?}");
    }
    assert_ne!(usual, sign(&base, "AK", "sk").signature);
}

#[test]
fn debug_shows_neither_the_signature_nor_the_token() {
    let headers = pairs(&[("X-Security-Token", "hunter2")]);
    let request = Request { method: "GET", path: "/", query: &[], headers: &headers, body: b"" };
    let signed = sign(&request, "AKAKAK", "SKSKSK");
    let shown = format!("{signed:?}");
    assert!(!shown.contains("hunter2") && !shown.contains(&signed.signature) && !shown.contains("AKAKAK"), "{shown}");
}

/// Text with everything that has a meaning in a URL, and everything else.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "[a-z%/?#&=+~*'.;:@]{0,12}",
        "\\PC{0,6}",
        Just("..".to_owned()),
        Just("%2e%2E".to_owned())
    ]
}

#[test]
fn an_escape_in_a_path_may_stand_for_a_byte_that_is_no_text() {
    assert_eq!(canonical_uri("/v/%a0/%FF%2f%e9"), "/v/%A0/%FF/%E9/");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn encoding_is_undone_by_decoding(text in text()) {
        let encoded = encode(&text);
        prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b)));
        prop_assert_eq!(decode(&encoded), text.as_bytes());
    }

    #[test]
    fn the_query_on_the_wire_is_what_was_signed_and_means_what_was_asked(
        query in prop::collection::vec((text(), text()), 0..6),
    ) {
        let canonical = canonical_query(&query);
        let url = crate::source::huawei::wire::url("http://127.0.0.1:1", "/p", &canonical).unwrap();
        prop_assert_eq!(url.query().unwrap_or_default(), &canonical);
        let mut read: Pairs = url.query_pairs().into_owned().collect();
        let mut asked = query;
        read.sort();
        asked.sort();
        prop_assert_eq!(read, asked);
    }

    #[test]
    fn the_path_on_the_wire_is_stable_and_signed_the_same_when_it_is_read_back(path in text()) {
        let url = crate::source::huawei::wire::url("http://127.0.0.1:1", &format!("/{path}"), "").unwrap();
        let again = reqwest::Url::parse(url.as_str()).unwrap();
        prop_assert_eq!(again.path(), url.path());
        let canonical = canonical_uri(url.path());
        prop_assert!(canonical.starts_with('/') && canonical.ends_with('/'));
        prop_assert_eq!(canonical_uri(&canonical), canonical);
    }

    #[test]
    fn neither_the_order_nor_the_case_of_headers_counts(
        names in prop::collection::btree_set("[a-z][a-z-]{0,8}", 1..6), value in "[ -~]{0,12}", turn in 0_usize..6,
    ) {
        let plain: Pairs = names.iter().map(|n| (n.clone(), value.clone())).collect();
        let mut turned: Pairs = plain.iter().map(|(n, v)| (n.to_ascii_uppercase(), format!(" {v}\t"))).collect();
        let by = turn % turned.len();
        turned.rotate_left(by);
        let of = |headers: &Pairs| sign(&Request { method: "GET", path: "/", query: &[], headers, body: b"" }, "A", "S");
        prop_assert_eq!(of(&plain), of(&turned));
    }

    #[test]
    fn nothing_makes_it_panic(
        method in text(), path in text(), query in prop::collection::vec((text(), text()), 0..4),
        headers in prop::collection::vec((text(), text()), 0..4), body in prop::collection::vec(any::<u8>(), 0..32),
        sk in text(),
    ) {
        let request = Request { method: &method, path: &path, query: &query, headers: &headers, body: &body };
        prop_assert_eq!(sign(&request, "A", &sk).signature.len(), 64);
    }
}
