//! A corpus of bad tokens, and the good ones beside them that prove the harness can tell.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use serde_json::{Value, json};

use super::*;

const SECRET: &[u8] = b"a secret of the tests, 32 bytes or more";
const ISSUER: &str = "onsale";

fn b64(value: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(value)
}

/// A token out of texts, so that it can be wrong in any way.
fn raw(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", b64(header), b64(claims));
    let signature = sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn signed(header: &Value, claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET);
    raw(
        &header.to_string(),
        &claims.to_string(),
        &key,
        Algorithm::HS256,
    )
}

fn header() -> Value {
    json!({ "alg": "HS256", "typ": "JWT" })
}

fn claims() -> Value {
    let now = Utc::now().timestamp();
    json!({
        "aud": "onsale", "iss": ISSUER, "sub": "7", "role": "user", "iat": now, "exp": now + 600,
    })
}

fn with(mut base: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(base.as_object_mut().unwrap().remove(name)),
            value => base[name] = value.clone(),
        }
    }
    base
}

#[test]
fn a_token_of_ours_says_its_user_and_role_until_it_expires() {
    let tokens = Tokens::own(ISSUER, SECRET);
    for role in [Role::User, Role::Admin] {
        let minted = tokens
            .mint(UserId(7), role, Duration::from_secs(60))
            .unwrap();
        let bearer = tokens.verify(&minted.access_token).unwrap();
        assert_eq!(bearer, Bearer::Own(UserId(7), role));
        assert!(minted.expires_at > Utc::now() + Duration::from_secs(50));
    }
    let good = signed(&header(), &with(claims(), &json!({ "role": null })));
    assert_eq!(
        tokens.verify(&good).unwrap(),
        Bearer::Own(UserId(7), Role::User)
    );
    // Clocks may differ by less than the leeway.
    let now = Utc::now().timestamp();
    let late = with(claims(), &json!({ "exp": now - 10, "nbf": now + 10 }));
    tokens.verify(&signed(&header(), &late)).unwrap();
}

#[test]
fn a_claim_that_is_wrong_in_any_way_is_refused() {
    let tokens = Tokens::own(ISSUER, SECRET);
    let now = Utc::now().timestamp();
    for change in [
        json!({ "aud": "onsale-queue" }),
        json!({ "aud": null }),
        json!({ "aud": ["other"] }),
        json!({ "iss": "evil" }),
        json!({ "iss": null }),
        json!({ "exp": now - 31 }),
        json!({ "exp": null }),
        json!({ "exp": "tomorrow" }),
        json!({ "exp": -1 }),
        json!({ "nbf": now + 60 }),
        json!({ "nbf": "later" }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": "ada" }),
        json!({ "sub": "0" }),
        json!({ "sub": "-7" }),
        json!({ "sub": "+7" }),
        json!({ "sub": "07" }),
        json!({ "sub": " 7" }),
        json!({ "sub": "7 or 1=1" }),
        json!({ "sub": "\u{0667}" }),
        json!({ "sub": 7 }),
        json!({ "sub": "99999999999999999999" }),
        json!({ "role": "root" }),
        json!({ "role": "ADMIN" }),
    ] {
        let token = signed(&header(), &with(claims(), &change));
        assert!(tokens.verify(&token).is_err(), "{change}");
    }
}

#[test]
fn a_header_that_is_wrong_in_any_way_is_refused() {
    let tokens = Tokens::own(ISSUER, SECRET);
    for change in [
        json!({ "alg": "none" }),
        json!({ "alg": "None" }),
        json!({ "alg": "nOnE" }),
        json!({ "alg": null }),
        json!({ "alg": "hs256" }),
        json!({ "alg": "HS384" }),
        json!({ "alg": "RS256" }),
        json!({ "typ": "ticket+jwt" }),
        json!({ "typ": "dpop+jwt" }),
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
    ] {
        let token = signed(&with(header(), &change), &claims());
        assert!(tokens.verify(&token).is_err(), "{change}");
    }
}

#[test]
fn a_token_that_is_malformed_or_tampered_with_is_refused() {
    let tokens = Tokens::own(ISSUER, SECRET);
    let good = signed(&header(), &claims());
    tokens.verify(&good).unwrap();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (head, payload) = message.split_once('.').unwrap();
    let other = b64(with(claims(), &json!({ "sub": "8" })).to_string());
    let key = EncodingKey::from_secret(SECRET);
    let twice = claims()
        .to_string()
        .replace(r#""sub":"7""#, r#""sub":"7","sub":"8""#);
    assert!(twice.contains(r#""sub":"8""#));
    let trailing = format!("{} {{}}", claims());
    let none = format!("{}.{payload}", b64(r#"{"alg":"none"}"#));
    for bad in [
        String::new(),
        ".".into(),
        "..".into(),
        message.into(),
        format!("{message}."),
        format!("{none}."),
        format!("{none}.{signature}"),
        format!("{head}.{other}.{signature}"),
        format!("{message}.{}", &signature[..signature.len() - 2]),
        format!("{good}="),
        format!("{good}."),
        format!("{good}.x"),
        format!("{good} "),
        format!("\u{feff}{good}"),
        good.replace('.', "\u{ff0e}"),
        good.to_uppercase(),
        raw(&header().to_string(), &twice, &key, Algorithm::HS256),
        raw(&header().to_string(), &trailing, &key, Algorithm::HS256),
        raw(&header().to_string(), "[]", &key, Algorithm::HS256),
        raw("[]", &claims().to_string(), &key, Algorithm::HS256),
        raw(
            &header().to_string(),
            &claims().to_string(),
            &EncodingKey::from_secret(b""),
            Algorithm::HS256,
        ),
        signed(
            &header(),
            &with(claims(), &json!({ "pad": "x".repeat(MAX_TOKEN_BYTES) })),
        ),
        "a".repeat(1 << 20),
    ] {
        assert!(
            tokens.verify(&bad).is_err(),
            "{}",
            bad.chars().take(200).collect::<String>()
        );
    }
}

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
    Provider {
        rsa,
        ec,
        ed,
        set: JwkSet { keys },
    }
}

fn provided(provider: &Provider) -> Tokens {
    let jwks = Jwks::new(&provider.set).unwrap();
    Tokens {
        issuer: ISSUER.to_owned(),
        keys: Keys::Provider(jwks),
    }
}

#[test]
fn a_providers_keys_verify_its_tokens_of_every_kind() {
    let provider = provider();
    let tokens = provided(&provider);
    let claims = with(
        claims(),
        &json!({ "sub": "auth0|7", "aud": ["onsale", "other"] }),
    );
    for (kid, key, algorithm, name) in [
        ("rsa", &provider.rsa, Algorithm::RS256, "RS256"),
        ("ec", &provider.ec, Algorithm::ES256, "ES256"),
        ("ed", &provider.ed, Algorithm::EdDSA, "EdDSA"),
    ] {
        let header = json!({ "alg": name, "kid": kid, "typ": "at+jwt" });
        let token = raw(&header.to_string(), &claims.to_string(), key, algorithm);
        let subject = Subject {
            issuer: ISSUER.to_owned(),
            subject: "auth0|7".to_owned(),
        };
        assert_eq!(
            tokens.verify(&token).unwrap(),
            Bearer::Provided(subject, Role::User),
            "{kid}"
        );
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
    // The public key as an HMAC secret, the oldest trick.
    let public = serde_json::to_vec(&provider.set.keys[0]).unwrap();
    let public = EncodingKey::from_secret(&public);
    let shared = EncodingKey::from_secret(SECRET);
    let own = Jwk::from_encoding_key(&provider.ed, Algorithm::EdDSA).unwrap();
    let (rsa, ed) = (
        (&provider.rsa, Algorithm::RS256),
        (&provider.ed, Algorithm::EdDSA),
    );
    for (header, (key, algorithm)) in [
        (json!({ "alg": "RS256" }), rsa),
        (json!({ "alg": "RS256", "kid": "nobody" }), rsa),
        (json!({ "alg": "RS256", "kid": "../../etc/passwd" }), rsa),
        (json!({ "alg": "RS256", "kid": "' or 1=1 --" }), rsa),
        (json!({ "alg": "RS256", "kid": "confused" }), rsa),
        (json!({ "alg": "RS256", "kid": "ec" }), rsa),
        (
            json!({ "alg": "RS512", "kid": "rsa" }),
            (rsa.0, Algorithm::RS512),
        ),
        (
            json!({ "alg": "PS256", "kid": "rsa" }),
            (rsa.0, Algorithm::PS256),
        ),
        (
            json!({ "alg": "HS256", "kid": "rsa" }),
            (&public, Algorithm::HS256),
        ),
        (
            json!({ "alg": "HS256", "kid": "shared" }),
            (&shared, Algorithm::HS256),
        ),
        (json!({ "alg": "EdDSA", "kid": "rsa", "jwk": own }), ed),
        (
            json!({ "alg": "EdDSA", "kid": "x", "jku": "https://evil.example/jwks" }),
            ed,
        ),
        (
            json!({ "alg": "EdDSA", "kid": "x", "x5u": "https://evil.example/cert" }),
            ed,
        ),
        (json!({ "alg": "EdDSA", "jwk": own }), ed),
    ] {
        let token = raw(&header.to_string(), &claims().to_string(), key, algorithm);
        assert!(tokens.verify(&token).is_err(), "{header}");
    }
    for subject in ["", "a\0b", &"x".repeat(MAX_SUBJECT_BYTES + 1)] {
        let header = json!({ "alg": "EdDSA", "kid": "ed" }).to_string();
        let claims = with(claims(), &json!({ "sub": subject })).to_string();
        let token = raw(&header, &claims, &provider.ed, Algorithm::EdDSA);
        assert!(
            matches!(tokens.verify(&token), Err(TokenError::Subject)),
            "{subject:?}"
        );
    }
}

#[test]
fn a_jwks_that_is_no_use_or_ambiguous_is_refused() {
    let provider = provider();
    let of = |keys: Vec<Jwk>| Jwks::new(&JwkSet { keys }).map(|_| ());
    let key = provider.set.keys[2].clone();
    assert!(of(vec![key.clone()]).is_ok());
    assert!(matches!(of(vec![]), Err(JwksError::Useless)));
    assert!(matches!(
        of(vec![provider.set.keys[3].clone()]),
        Err(JwksError::Useless)
    ));
    assert!(matches!(
        of(vec![key.clone(), key]),
        Err(JwksError::Ambiguous(_))
    ));
}
