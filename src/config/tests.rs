use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches, Parser};

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    settings: Settings,
}

const JWT: &str = "34b89e2fe9af38bc6b6be8df2c9bec5fecec3062d607b4d79bf2fd4bc95ab187";
const QUEUE: &str = "7c9051d727e3e59e32f00b8d1761b15de2615d57320a2d6397c2ea7bedf3792b";

fn parse(change: &[(&str, &str)]) -> Result<Settings, clap::Error> {
    let mut flags = std::collections::BTreeMap::from([
        ("--database-url", "postgres://u:hunter2@db/onsale"),
        ("--redis-url", "redis://:hunter2@cache"),
        ("--jwt-secret", JWT),
        ("--queue-secrets", QUEUE),
    ]);
    flags.extend(change.iter().copied());
    let given = flags.into_iter().filter(|(_, value)| *value != "-");
    let line = given.flat_map(|(flag, value)| [flag, value]);
    // The environment of the test run must have no effect.
    let command = Line::command().mut_args(|arg| arg.env(Resettable::Reset));
    let matches = command.try_get_matches_from(std::iter::once("serve").chain(line))?;
    Ok(Line::from_arg_matches(&matches)?.settings)
}

#[test]
fn printed_settings_contain_no_secret() {
    let settings = parse(&[]).unwrap();
    settings.check().unwrap();
    let printed = format!("{settings:?}");
    for secret in ["hunter2", JWT, QUEUE] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn a_missing_setting_is_named_by_its_variable_and_exits_with_2() {
    for (flag, variable) in [
        ("--database-url", "DATABASE_URL"),
        ("--redis-url", "REDIS_URL"),
        ("--jwt-secret", "ONSALE_JWT_SECRET"),
        ("--queue-secrets", "ONSALE_QUEUE_SECRETS"),
    ] {
        let error = parse(&[(flag, "-")]).unwrap_err();
        assert!(error.to_string().contains(variable), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
    for keys in [("--jwks-path", "keys.json"), ("--jwks-url", "https://id.example/keys")] {
        parse(&[("--jwt-secret", "-"), keys]).unwrap().check().unwrap();
    }
}

#[test]
fn a_url_must_be_https_or_http_on_this_machine() {
    for flag in ["--jwks-url", "--sign-in-url"] {
        let check = |url| parse(&[("--jwt-secret", "-"), ("--jwks-path", "k"), (flag, url)]);
        let check = |url| match flag {
            "--jwks-url" => parse(&[("--jwt-secret", "-"), (flag, url)]),
            _ => check(url),
        };
        for good in [
            "https://id.example/keys?tenant=7",
            "http://127.0.0.1:9000/keys",
            "http://[::1]:9000/keys",
            "http://localhost/keys",
        ] {
            check(good).unwrap().check().unwrap();
        }
        for bad in [
            "http://id.example/keys",
            "http://127.0.0.1.evil.example/keys",
            "http://localhost.evil.example/keys",
            "http://169.254.169.254/keys",
            "http://0.0.0.0/keys",
            "https://user:hunter2@id.example/keys",
            "https://id.example/keys#x",
            "file:///etc/passwd",
            "ftp://127.0.0.1/keys",
            "javascript:alert(1)",
            "data:text/plain,x",
        ] {
            let refused = check(bad).unwrap().check().unwrap_err();
            assert!(refused.variable.ends_with("_URL"), "{bad}");
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }
        for bad in ["", "keys", "//id.example/keys"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}

#[test]
fn contradicting_settings_are_refused_with_the_variable_to_change() {
    let two = format!("{QUEUE},{JWT}");
    let jwks = ("--jwks-path", "keys.json");
    let url = ("--jwks-url", "https://id.example/keys");
    for (change, variable) in [
        (&[("--jwt-secret", "short")][..], "ONSALE_JWT_SECRET"),
        (&[("--queue-secrets", "short")], "ONSALE_QUEUE_SECRETS"),
        (&[("--queue-secrets", &two)], "ONSALE_QUEUE_SECRETS"),
        (&[jwks], "ONSALE_JWKS_PATH"),
        (&[url], "ONSALE_JWKS_URL"),
        (&[jwks, url, ("--jwt-secret", "-")], "ONSALE_JWKS_URL"),
        (&[url, ("--jwt-secret", "-"), ("--open-signup", "true")], "ONSALE_OPEN_SIGNUP"),
        (&[jwks, ("--jwt-secret", "-"), ("--open-signup", "true")], "ONSALE_OPEN_SIGNUP"),
        (&[("--max-in-flight", "0")], "ONSALE_MAX_IN_FLIGHT"),
        (&[("--jwt-issuer", "")], "ONSALE_JWT_ISSUER"),
        (&[("--redis-ca-path", "ca.pem")], "ONSALE_REDIS_CA_PATH"),
        (&[("--redis-cert-path", "client.pem")], "ONSALE_REDIS_KEY_PATH"),
        (&[("--redis-key-path", "client.key")], "ONSALE_REDIS_CERT_PATH"),
    ] {
        let refused = parse(change).unwrap().check().unwrap_err();
        assert_eq!(refused.variable, variable);
        assert!(!refused.to_string().contains("short,"), "{refused}");
    }
}

/// Long secrets that an attacker who has one token would try. The last ones are random: they must
/// not be refused.
#[test]
fn a_long_secret_that_can_be_guessed_is_refused() {
    let check = |secret: &str| {
        let jwt = parse(&[("--jwt-secret", secret)]).unwrap().check();
        let queue = parse(&[("--queue-secrets", &format!("{QUEUE},{secret}"))]).unwrap().check();
        assert_eq!(jwt.is_ok(), queue.is_ok(), "{secret}");
        jwt
    };
    for bad in [
        &"a".repeat(64),
        "changemechangemechangemechangeme",
        "change-me-change-me-change-me-change-me",
        "0123456789012345678901234567890123456789",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
        "qwertyuiopasdfghjklzxcvbnmqwertyuiop",
        "passwordpasswordpasswordpassword",
        "00000000000000000000000000000000000000000000000000000000deadbeef",
    ] {
        let refused = check(bad).unwrap_err();
        assert!(refused.to_string().contains("can be guessed"), "{bad}: {refused}");
        assert!(!refused.to_string().contains(bad), "{refused}");
    }
    for good in [
        "bd592e217561d03050242f0ad2781a60cddf7066390af87d49eedb369823daca",
        "9f86d081884c7d659a2feaa0c55ad015",
        "0bd2b4b5-4d4c-4f6e-8a53-0f0c6a6b1f57",
        "24zNirqr0MvQUMsFj06FMiw_yDHHr3xi",
        "correct horse battery staple unclaimed gravity violin seventeen",
    ] {
        check(good).unwrap();
    }
}

#[test]
fn lists_are_split_at_commas_and_origins_are_checked() {
    let origins = ("--cors-origins", "https://a.example,http://localhost:3000");
    let secrets = format!("{QUEUE},{QUEUE}2");
    let settings = parse(&[origins, ("--queue-secrets", &secrets)]).unwrap();
    let counts = (settings.queue.queue_secrets.len(), settings.http.cors_origins.len());
    assert_eq!(counts, (2, 2));
    for bad in ["*", "shop.example", "https://shop.example/", "https://"] {
        assert!(parse(&[("--cors-origins", bad)]).is_err(), "{bad}");
    }
}

/// Names of settings, each where `before` stands in front of it.
fn names(text: &str, before: &str) -> Vec<String> {
    let name = |rest: &str| {
        let end = rest.find(|it: char| !it.is_ascii_uppercase() && it != '_')?;
        (end > 3).then(|| rest[..end].to_owned())
    };
    let mut found: Vec<String> =
        text.lines().filter_map(|line| name(line.strip_prefix(before)?)).collect();
    found.sort_unstable();
    found
}

fn read(file: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(file)).unwrap()
}

#[test]
fn the_readme_and_the_sample_list_every_setting_once() {
    let command = TelemetrySettings::augment_args(Line::command());
    let command = RetentionSettings::augment_args(command);
    let settings = command.get_arguments().filter_map(|arg| arg.get_env()?.to_str());
    let mut settings: Vec<String> = settings.map(str::to_owned).collect();
    settings.sort_unstable();
    assert_eq!(names(&read("README.md"), "| `"), settings);
    let sample = read(".env.sample");
    let mut sampled = names(&sample, "#");
    sampled.extend(names(&sample, ""));
    sampled.retain(|name| !name.ends_with("_PASSWORD"));
    sampled.sort_unstable();
    assert_eq!(sampled, settings);
}

#[test]
fn the_readme_and_the_sample_have_the_default_of_every_setting() {
    let command = TelemetrySettings::augment_args(Line::command());
    let (readme, sample) = (read("README.md"), read(".env.sample"));
    let mut compared = 0;
    for arg in command.get_arguments() {
        let (Some(name), [default]) = (arg.get_env(), arg.get_default_values()) else { continue };
        let (name, default) = (name.to_str().unwrap(), default.to_str().unwrap());
        let row = format!("\n| `{name}` | `{default}`");
        assert!(readme.contains(&row), "README.md lacks {row}");
        let line = format!("\n#{name}={default}\n");
        assert!(sample.contains(&line), ".env.sample lacks {line}");
        compared += 1;
    }
    assert!(compared > 15, "{compared} defaults");
}

#[test]
fn trusted_proxies_are_a_list_of_networks_and_a_wrong_one_is_named() {
    let settings = parse(&[("--trusted-proxies", "10.0.0.0/8, 192.0.2.7,2001:db8::/32")]).unwrap();
    let networks = settings.http.limits.trusted_proxies;
    assert_eq!(
        networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]
    );
    for (bad, reason) in [
        ("10.0.0.0/8,10.0.0.0/33", "'10.0.0.0/33' for '--trusted-proxies"),
        ("proxy.example", "an address with an optional prefix length: 10.0.0.0/8"),
        ("10.1.2.3/8", "10.1.2.3/8 has bits outside the mask: the network is 10.0.0.0/8"),
    ] {
        let error = parse(&[("--trusted-proxies", bad)]).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}
