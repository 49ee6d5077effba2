//! Tests with a corpus of invalid tokens. Valid ones beside them prove that the tests can tell them
//! apart.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use serde_json::{Value, json};

use super::*;
use crate::store::pg::token_generations::{GenerationError, TokenGeneration};

pub(super) const SECRET: &[u8] = b"a secret of the tests, 32 bytes or more";
pub(super) const ISSUER: &str = "onsale";

fn b64(value: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(value)
}

/// Signs a token made of raw texts, so that it can be wrong in any way.
pub(super) fn raw(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", b64(header), b64(claims));
    let signature = sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn signed(header: &Value, claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET);
    raw(&header.to_string(), &claims.to_string(), &key, Algorithm::HS256)
}

fn header() -> Value {
    json!({ "alg": "HS256", "typ": "JWT" })
}

pub(super) fn claims() -> Value {
    let now = Utc::now().timestamp();
    json!({
        "aud": "onsale", "iss": ISSUER, "sub": "7", "role": "user", "iat": now, "exp": now + 600,
    })
}

pub(super) fn with(mut base: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(base.as_object_mut().unwrap().remove(name)),
            value => base[name] = value.clone(),
        }
    }
    base
}

#[test]
fn a_minted_token_identifies_its_user_and_role_until_it_expires() {
    let tokens = Tokens::own(ISSUER, SECRET);
    for role in Role::ALL {
        let minted = tokens.mint(UserId(7), role, Duration::from_mins(1)).unwrap();
        let verified = tokens.verify(&minted.access_token).unwrap();
        assert_eq!(verified.bearer, Bearer::Own(UserId(7), role));
        let lifetime = Lifetime { expires_at: minted.expires_at, renew_until: None };
        assert_eq!(verified.lifetime, lifetime);
        assert!(minted.expires_at > Utc::now() + Duration::from_secs(50));
    }
    let valid = signed(&header(), &with(claims(), &json!({ "role": null })));
    assert_eq!(tokens.verify(&valid).unwrap().bearer, Bearer::Own(UserId(7), Role::User));
    // Clocks may differ by less than the leeway.
    let now = Utc::now().timestamp();
    let late = with(claims(), &json!({ "exp": now - 10, "nbf": now + 10 }));
    tokens.verify(&signed(&header(), &late)).unwrap();
}

#[test]
fn a_time_with_a_fraction_is_accepted() {
    let tokens = Tokens::own(ISSUER, SECRET);
    let now = Utc::now().timestamp();
    let later = |seconds: i64| json!(format!("{}.25", now + seconds).parse::<f64>().unwrap());
    for change in [
        json!({ "exp": later(600) }),
        json!({ "nbf": later(-60) }),
        json!({ "iat": later(-60) }),
        json!({ "exp": later(600), "nbf": later(-60), "iat": later(-60) }),
        json!({ "exp": 4_102_444_800.0 }),
    ] {
        tokens.verify(&signed(&header(), &with(claims(), &change))).unwrap();
    }
    for change in [
        json!({ "exp": later(-60) }),
        json!({ "nbf": later(60) }),
        json!({ "exp": 1e300 }),
        json!({ "exp": -1e300 }),
        json!({ "iat": "now" }),
    ] {
        let token = signed(&header(), &with(claims(), &change));
        assert!(tokens.verify(&token).is_err(), "{change}");
    }
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

/// Changes to a valid token that are possible without the secret, and tokens that no issuer would
/// sign.
fn malformed(good: &str) -> Vec<String> {
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (head, payload) = message.split_once('.').unwrap();
    let other = b64(with(claims(), &json!({ "sub": "8" })).to_string());
    let none = format!("{}.{payload}", b64(r#"{"alg":"none"}"#));
    vec![
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
        signed(&header(), &with(claims(), &json!({ "pad": "x".repeat(MAX_TOKEN_BYTES) }))),
        "a".repeat(1 << 20),
    ]
}

#[test]
fn a_token_that_is_malformed_or_tampered_with_is_refused() {
    let tokens = Tokens::own(ISSUER, SECRET);
    let good = signed(&header(), &claims());
    tokens.verify(&good).unwrap();
    for bad in malformed(&good) {
        let shown: String = bad.chars().take(200).collect();
        assert!(tokens.verify(&bad).is_err(), "{shown}");
    }
}

#[test]
fn a_text_that_is_signed_but_is_not_one_set_of_claims_is_refused() {
    let tokens = Tokens::own(ISSUER, SECRET);
    let key = EncodingKey::from_secret(SECRET);
    let (header, claims) = (header().to_string(), claims().to_string());
    let twice = claims.replace(r#""sub":"7""#, r#""sub":"7","sub":"8""#);
    assert!(twice.contains(r#""sub":"8""#));
    let alg_twice = header.replace('{', r#"{"alg":"none","#);
    for (header, claims) in [
        (header.as_str(), twice.as_str()),
        (&header, &format!("{claims} {{}}")),
        (&header, "[]"),
        (&header, ""),
        ("[]", &claims),
        (&alg_twice, &claims),
    ] {
        let token = raw(header, claims, &key, Algorithm::HS256);
        assert!(tokens.verify(&token).is_err(), "{header}.{claims}");
    }
    for secret in [&b""[..], b"another secret of 32 bytes or more"] {
        let key = EncodingKey::from_secret(secret);
        assert!(tokens.verify(&raw(&header, &claims, &key, Algorithm::HS256)).is_err());
    }
}

#[test]
fn a_token_from_before_a_restore_is_refused_unless_its_user_was_kept() {
    let generations = TokenGenerations::default();
    let tokens = Tokens::own(ISSUER, SECRET).with_generations(generations.clone());
    let mint = |user| tokens.mint(UserId(user), Role::User, Duration::from_mins(1)).unwrap();
    let [kept, lost] = [mint(6), mint(7)].map(|minted| minted.access_token);
    assert!(tokens.verify(&kept).is_ok() && tokens.verify(&lost).is_ok());
    generations.replace("1", vec![TokenGeneration { generation: 100, kept_users: 6 }]);
    assert!(tokens.verify(&kept).is_ok());
    let refused = tokens.verify(&lost);
    let superseded = TokenError::Generation(GenerationError::Superseded).to_string();
    assert_eq!(refused.unwrap_err().to_string(), superseded, "although it is in the cache");
    let later = mint(7).access_token;
    assert_eq!(tokens.verify(&later).unwrap().bearer, Bearer::Own(UserId(7), Role::User));
    // Other signers state the generation themselves.
    for (generation, accepted) in
        [(json!(100), true), (json!(99), false), (json!("100"), false), (json!(-1), false)]
    {
        let claims = with(claims(), &json!({ "gen": generation }));
        assert_eq!(tokens.verify(&signed(&header(), &claims)).is_ok(), accepted, "{generation}");
    }
}
