//! Tests for tokens of an identity provider: which key verifies them, with which algorithm.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use serde_json::json;

use super::super::jwks::{Jwks, JwksError, MAX_JWKS_BYTES};
use super::tests::{ISSUER, SECRET, claims, raw, with};
use super::*;

/// An identity provider with a key of each kind, and its JWKS.
struct Provider {
    rsa: EncodingKey,
    ec: EncodingKey,
    ed: EncodingKey,
    set: JwkSet,
}

fn provider() -> Provider {
    let random = aws_lc_rs::rand::SystemRandom::new();
    let rsa = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
    // jsonwebtoken signs with PKCS#1, which PKCS#8 wraps in a header of 26 bytes at this size.
    let rsa = EncodingKey::from_rsa_der(&rsa.as_der().unwrap().as_ref()[26..]);
    let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let ec = EncodingKey::from_ec_der(ec.as_ref());
    let ed = Ed25519KeyPair::generate_pkcs8v1(&random).unwrap();
    let ed = EncodingKey::from_ed_der(ed.as_ref());
    let named = |kid: &str, key, algorithm| {
        let mut jwk = Jwk::from_encoding_key(key, algorithm).unwrap();
        jwk.common.key_id = Some(kid.to_owned());
        jwk
    };
    let shared = EncodingKey::from_secret(SECRET);
    let mut confused = named("confused", &rsa, Algorithm::RS256);
    confused.common.key_algorithm = Some(KeyAlgorithm::HS256);
    let keys = vec![
        named("rsa", &rsa, Algorithm::RS256),
        named("ec", &ec, Algorithm::ES256),
        named("ed", &ed, Algorithm::EdDSA),
        named("shared", &shared, Algorithm::HS256),
        confused,
    ];
    Provider { rsa, ec, ed, set: JwkSet { keys } }
}

fn provided(provider: &Provider) -> Tokens {
    let file = std::env::temp_dir().join(format!("jwks_{}.json", uuid::Uuid::now_v7()));
    std::fs::write(&file, serde_json::to_vec(&provider.set).unwrap()).unwrap();
    let keys = ProviderKeys::open(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    Tokens::provided(ISSUER, Arc::new(keys))
}

#[test]
fn a_providers_keys_verify_its_tokens_of_every_kind() {
    let provider = provider();
    let tokens = provided(&provider);
    let claims = with(claims(), &json!({ "sub": "auth0|7", "aud": ["onsale", "other"] }));
    for (kid, key, algorithm, name) in [
        ("rsa", &provider.rsa, Algorithm::RS256, "RS256"),
        ("ec", &provider.ec, Algorithm::ES256, "ES256"),
        ("ed", &provider.ed, Algorithm::EdDSA, "EdDSA"),
    ] {
        let header = json!({ "alg": name, "kid": kid, "typ": "at+jwt" });
        let token = raw(&header.to_string(), &claims.to_string(), key, algorithm);
        let subject = Subject { issuer: ISSUER.to_owned(), subject: "auth0|7".to_owned() };
        let verified = tokens.verify(&token).unwrap();
        assert_eq!(verified.bearer, Bearer::Provided(subject, Role::User), "{kid}");
    }
    assert!(matches!(
        tokens.mint(UserId(1), Role::User, Duration::from_secs(1)),
        Err(TokenError::NotOurs)
    ));
}

#[test]
fn a_key_is_used_by_its_kid_with_its_algorithm_or_not_at_all() {
    let provider = provider();
    let tokens = provided(&provider);
    // A well-known attack: the public key as an HMAC secret.
    let public = serde_json::to_vec(&provider.set.keys[0]).unwrap();
    let public = EncodingKey::from_secret(&public);
    let shared = EncodingKey::from_secret(SECRET);
    let own = Jwk::from_encoding_key(&provider.ed, Algorithm::EdDSA).unwrap();
    let rsa = (&provider.rsa, Algorithm::RS256);
    let ed = (&provider.ed, Algorithm::EdDSA);
    let with_rsa = |algorithm| (&provider.rsa, algorithm);
    let forged = |key| (key, Algorithm::HS256);
    for (header, (key, algorithm)) in [
        (json!({ "alg": "RS256" }), rsa),
        (json!({ "alg": "RS256", "kid": "nobody" }), rsa),
        (json!({ "alg": "RS256", "kid": "../../etc/passwd" }), rsa),
        (json!({ "alg": "RS256", "kid": "' or 1=1 --" }), rsa),
        (json!({ "alg": "RS256", "kid": "confused" }), rsa),
        (json!({ "alg": "RS256", "kid": "ec" }), rsa),
        (json!({ "alg": "RS512", "kid": "rsa" }), with_rsa(Algorithm::RS512)),
        (json!({ "alg": "PS256", "kid": "rsa" }), with_rsa(Algorithm::PS256)),
        (json!({ "alg": "HS256", "kid": "rsa" }), forged(&public)),
        (json!({ "alg": "HS256", "kid": "shared" }), forged(&shared)),
        (json!({ "alg": "EdDSA", "kid": "rsa", "jwk": own }), ed),
        (json!({ "alg": "EdDSA", "jwk": own }), ed),
        (json!({ "alg": "EdDSA", "kid": "x", "jku": "https://evil.example" }), ed),
        (json!({ "alg": "EdDSA", "kid": "x", "x5u": "https://evil.example" }), ed),
    ] {
        let token = raw(&header.to_string(), &claims().to_string(), key, algorithm);
        assert!(tokens.verify(&token).is_err(), "{header}");
    }
}

#[test]
fn a_subject_that_cannot_be_stored_is_refused() {
    let provider = provider();
    let tokens = provided(&provider);
    for subject in ["", "a\0b", &"x".repeat(MAX_SUBJECT_BYTES + 1)] {
        let header = json!({ "alg": "EdDSA", "kid": "ed" }).to_string();
        let claims = with(claims(), &json!({ "sub": subject })).to_string();
        let token = raw(&header, &claims, &provider.ed, Algorithm::EdDSA);
        assert!(matches!(tokens.verify(&token), Err(TokenError::Subject)), "{subject:?}");
    }
}

#[test]
fn a_useless_or_ambiguous_jwks_is_refused() {
    let provider = provider();
    let parse =
        |keys: Vec<Jwk>| Jwks::parse(&serde_json::to_vec(&JwkSet { keys }).unwrap()).map(|_| ());
    let key = provider.set.keys[2].clone();
    assert!(parse(vec![key.clone()]).is_ok());
    assert!(matches!(parse(vec![]), Err(JwksError::Useless)));
    assert!(matches!(parse(vec![provider.set.keys[3].clone()]), Err(JwksError::Useless)));
    assert!(matches!(parse(vec![key.clone(), key.clone()]), Err(JwksError::Ambiguous(_))));
    assert!(matches!(parse(vec![key; 101]), Err(JwksError::TooManyKeys)));
    let long = " ".repeat(MAX_JWKS_BYTES + 1);
    assert!(matches!(Jwks::parse(long.as_bytes()), Err(JwksError::TooLarge)));
    assert!(matches!(Jwks::parse(b"{}"), Err(JwksError::Malformed(_))));
}

#[test]
fn a_key_of_an_unknown_kind_is_ignored_and_the_others_are_used() {
    let provider = provider();
    let mut document = serde_json::to_value(&provider.set).unwrap();
    let keys = document["keys"].as_array_mut().unwrap();
    keys.insert(0, json!({ "kty": "AKP", "alg": "ML-DSA-65", "kid": "later", "pub": "AA" }));
    keys.insert(0, json!("not even an object"));
    let jwks = Jwks::parse(document.to_string().as_bytes()).unwrap();
    assert!(jwks.get("ed").is_some());
    assert!(jwks.get("later").is_none());
}

#[test]
fn the_name_claim_is_cleaned_and_bounded_and_anything_else_is_ignored() {
    let provider = provider();
    let tokens = provided(&provider);
    let header = json!({ "alg": "EdDSA", "kid": "ed" }).to_string();
    let name = |claim: serde_json::Value| {
        let claims = with(claims(), &json!({ "iat": 1000.4, "name": claim })).to_string();
        let token = raw(&header, &claims, &provider.ed, Algorithm::EdDSA);
        tokens.verify(&token).unwrap().name
    };
    let named = name(json!(" 김\u{202e} 서연\n")).unwrap();
    assert_eq!((named.name.as_str(), named.issued_at.timestamp()), ("김 서연", 1000));
    assert_eq!(name(json!("x".repeat(500))).unwrap().name, "x".repeat(100));
    for ignored in [json!(7), json!(["Kim"]), json!({}), json!(""), json!("\u{200b}"), json!(true)]
    {
        assert_eq!(name(ignored.clone()), None, "{ignored}");
    }
}
