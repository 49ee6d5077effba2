//! Pages: what they may load, their language, their files, and the form for browsers without
//! scripts.

use reqwest::Method;
use serde_json::json;

use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::world::{Process, World};

/// Requests a page as a browser does.
pub async fn open(client: &Client, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = client.request(Method::GET, path).header("accept", "text/html,*/*;q=0.8");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request).await
}

/// The addresses in a page after each `attribute`.
fn addresses<'t>(text: &'t str, attribute: &'t str) -> Vec<&'t str> {
    text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn a_page_loads_only_its_own_files_and_cannot_be_framed() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({})).await;
    let anybody = process.anonymous();
    let wait = format!("/schedules/{}/wait", sale.schedule);
    let concert = format!("/concerts/{}", sale.concert);
    for path in ["/", &concert, &wait, "/continue", "/nothing", "/concerts/0"] {
        let page = open(&anybody, path, &[]).await;
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        let policy = page.header("content-security-policy");
        for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        for header in ["x-frame-options", "referrer-policy", "x-content-type-options"] {
            assert!(!page.header(header).is_empty(), "{path}: {header}");
        }
        assert!(page.text.contains("<main id=\"main\""), "{path}: {}", page.text);
        for address in [addresses(&page.text, "src=\""), addresses(&page.text, "href=\"")].concat()
        {
            assert!(address.starts_with(['/', '#']), "{path} loads {address}");
            if address.starts_with("/assets/") {
                assert_eq!(anybody.get(address).await.status, 200, "{path}: {address}");
            }
        }
    }
    for (path, code) in [
        ("/nothing", "not_found"),
        ("/concerts/0", "concert_not_found"),
        ("/schedules/0/wait", "schedule_not_found"),
    ] {
        assert_eq!(open(&anybody, path, &[]).await.status, 404, "{path}");
        anybody.get(path).await.refused(404, code);
    }
}

#[tokio::test]
async fn a_page_is_in_the_readers_language() {
    let world = World::new().await;
    let process = world.start().await;
    let anybody = process.anonymous();
    for (headers, query, lang) in [
        (&[][..], "", "en"),
        (&[("accept-language", "ko-KR,ko;q=0.9,en;q=0.5")], "", "ko"),
        (&[("accept-language", "ko"), ("cookie", "lang=en")], "", "en"),
        (&[("accept-language", "en")], "?lang=ko", "ko"),
    ] {
        for path in ["/", "/nothing"] {
            let page = open(&anybody, &format!("{path}{query}"), headers).await;
            assert!(page.text.contains(&format!("<html lang=\"{lang}\">")), "{headers:?} {query}");
            let chosen = page.header("set-cookie").starts_with(&format!("lang={lang};"));
            assert_eq!(chosen, !query.is_empty());
            assert!(page.header("vary").contains("accept-language"));
        }
    }
}

#[tokio::test]
async fn user_written_text_is_escaped_in_every_page() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 5, json!({})).await;
    let evil = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let path = format!("/v1/admin/concerts/{}", sale.concert);
    let change = json!({"title": evil, "description": evil});
    admin.patch(&path, change).await.ok(200);
    let wait = format!("/schedules/{}/wait", sale.schedule);
    for path in ["/", &format!("/concerts/{}", sale.concert), &wait] {
        let page = open(&process.anonymous(), path, &[]).await;
        assert!(page.text.contains("alert(1)"), "{path} shows it");
        for wrong in ["<script>alert", "</script><", "<img src=x"] {
            assert!(!page.text.contains(wrong), "{path}: {wrong}");
        }
    }
}

#[tokio::test]
async fn a_file_is_immutable_under_its_build_and_revalidated_under_any_other() {
    let world = World::new().await;
    let process = world.start().await;
    let anybody = process.anonymous();
    let page = open(&anybody, "/", &[]).await;
    let styles = addresses(&page.text, "<link rel=\"stylesheet\" href=\"");
    let modules = addresses(&page.text, "<link rel=\"modulepreload\" href=\"");
    assert!(styles.len() == 1 && modules.len() > 5, "{modules:?}");
    let build = styles[0].split('/').nth(2).expect("a build");
    for address in [&styles[..], &modules].concat() {
        let fetch = async |address: &str, headers: &[(&str, &str)]| {
            let mut request = anybody.request(Method::GET, address);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            anybody.head(request).await
        };
        let file = fetch(address, &[("accept-encoding", "br, gzip")]).await;
        assert!(file.header("cache-control").contains("immutable"), "{address}");
        assert_eq!(
            (file.header("content-encoding"), file.header("vary")),
            ("br", "accept-encoding")
        );
        let tag = file.header("etag").to_owned();
        let known = [("accept-encoding", "br"), ("if-none-match", tag.as_str())];
        assert_eq!(fetch(address, &known).await.status, 304, "{address}");
        let plain = fetch(address, &[]).await;
        assert_ne!(plain.header("etag"), tag, "strong, of this encoding");
        let old = fetch(&address.replace(build, "0123456789ab"), &[]).await;
        assert_eq!((old.status, old.header("cache-control")), (200, "no-cache"));
    }
    for wrong in
        ["/assets/x/lang/en/common.json", "/assets/x/templates/base.html", "/assets/x/../x"]
    {
        assert_eq!(anybody.get(wrong).await.status, 404, "{wrong}");
    }
    let client = anybody.get("/onsale.js").await;
    assert_eq!(client.header("access-control-allow-origin"), "*");
    assert_eq!(client.text, format!("export * from '/assets/{build}/js/onsale.js';\n"));
}

/// The header that a browser sends with a form of the same site.
pub const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");

/// Sends the form of the waiting page.
pub async fn send(process: &Process, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let mut request =
        http.build().expect("a client").post(format!("http://{}{path}", process.addr));
    request = request.header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    process.anonymous().send(request.body(form.to_owned())).await
}

#[tokio::test]
async fn a_form_of_another_site_cannot_join_or_leave() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({"capacity": 0})).await;
    let path = format!("/schedules/{}/wait", sale.schedule);
    let joined = send(&process, &path, "do=join&name=Kim", &[OURS]).await;
    assert_eq!((joined.status, joined.header("location")), (303, path.as_str()));
    let cookie = joined.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", &format!("Path=/schedules/{}", sale.schedule)] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    let theirs = [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")];
    let theirs = theirs.into_iter().chain([("origin", "https://evil.example"), ("origin", "null")]);
    for header in theirs {
        for form in ["do=join&name=Eve", "do=leave"] {
            let refused = send(&process, &path, form, &[header, ("cookie", &cookie)]).await;
            refused.refused(403, "forbidden");
        }
    }
    let page = open(&process.anonymous(), &path, &[("cookie", &cookie)]).await;
    assert!(page.text.contains("<p class=\"big figure\">1</p>"), "{}", page.text);
    assert!(page.text.contains("http-equiv=\"refresh\""));
    let again = send(&process, &path, "do=join&name=Other", &[OURS, ("cookie", &cookie)]).await;
    assert_eq!(again.status, 303, "joining again is the same place");

    let left = send(&process, &path, "do=leave", &[OURS, ("cookie", &cookie)]).await;
    assert!(left.status == 303 && left.header("set-cookie").contains("Max-Age=0"));
    let page = open(&process.anonymous(), &path, &[]).await;
    assert!(page.text.contains("name=\"name\"") && !page.text.contains("http-equiv=\"refresh\""));
    let nameless = send(&process, &path, "do=join&name=%20", &[OURS]).await;
    assert_eq!(nameless.status, 422);
    assert!(nameless.text.contains("role=\"alert\">Please check what you entered"));
}

#[tokio::test]
async fn a_text_becomes_a_qr_code() {
    let world = World::new().await;
    let process = world.start().await;
    let anybody = process.anonymous();
    let link = "https://tickets.example/continue#".to_owned() + &"a".repeat(600);
    let code = anybody.post("/qr", json!({ "text": link })).await.ok(200);
    let (size, path) = (code["size"].as_u64().unwrap(), code["path"].as_str().unwrap());
    assert!(size >= 21 && (size - 17).is_multiple_of(4), "{size}");
    assert!(path.starts_with("M0 0h7v1h-7z"), "the finder pattern in the corner");
    anybody.post("/qr", json!({ "text": "a".repeat(1201) })).await.refused(422, "invalid_request");
    anybody.post("/qr", json!({ "text": "" })).await.refused(422, "invalid_request");
}
