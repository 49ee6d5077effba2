//! Every code that the contract names is provoked by a test, and the contract names every code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// Status and code of every refusal there is.
const CODES: [(u16, &str); 49] = [
    (400, "idempotency_key_required"),
    (400, "invalid_json"),
    (401, "ticket_invalid"),
    (401, "unauthenticated"),
    (402, "insufficient_points"),
    (403, "forbidden"),
    (403, "recovery_code_invalid"),
    (403, "session_not_renewable"),
    (403, "signup_closed"),
    (403, "ticket_not_active"),
    (403, "ticket_not_yours"),
    (404, "concert_not_found"),
    (404, "hold_not_found"),
    (404, "not_found"),
    (404, "payment_not_found"),
    (404, "reservation_not_found"),
    (404, "schedule_not_found"),
    (404, "seat_not_found"),
    (405, "method_not_allowed"),
    (408, "body_timeout"),
    (409, "already_paid"),
    (409, "already_refunded"),
    (409, "concert_unavailable"),
    (409, "draw_not_frozen"),
    (409, "handoff_invalid"),
    (409, "handoff_used"),
    (409, "hold_expired"),
    (409, "line_is_open"),
    (409, "not_enough_seats"),
    (409, "queue_not_open"),
    (409, "refund_closed"),
    (409, "request_in_progress"),
    (409, "schedule_closed"),
    (409, "schedule_not_open"),
    (409, "seat_in_use"),
    (409, "seat_taken"),
    (409, "sold_out"),
    (413, "body_too_large"),
    (415, "unsupported_media_type"),
    (422, "idempotency_key_reused"),
    (422, "invalid_amount"),
    (422, "invalid_request"),
    (422, "invalid_times"),
    (422, "seat_limit_exceeded"),
    (429, "hold_limit"),
    (429, "rate_limited"),
    (503, "not_ready"),
    (503, "overloaded"),
    (503, "store_unavailable"),
];

/// A defect of ours: nobody can provoke it, or it would be mended.
const UNPROVOKED: &str = "internal_error";

fn sources(folder: &str) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    found.iter().map(|path| std::fs::read_to_string(path).expect("a file")).collect()
}

#[test]
fn every_code_is_provoked_by_a_test() {
    let tests = sources("tests/onsale");
    let tests: Vec<String> = tests.iter().map(|text| text.split_whitespace().collect()).collect();
    for (status, code) in CODES {
        let call = format!(".refused({status},\"{code}\")");
        assert!(tests.iter().any(|text| text.contains(&call)), "no test has {call}");
    }
}

/// Codes in the source: a literal that looks like one, where a call makes a problem of it, or where a
/// method says the code of an error.
#[derive(Default)]
struct Codes(BTreeSet<String>);

impl<'ast> Visit<'ast> for Codes {
    fn visit_impl_item_fn(&mut self, method: &'ast syn::ImplItemFn) {
        if method.sig.ident == "code" {
            let arms = method.block.stmts.iter().filter_map(|stmt| match stmt {
                syn::Stmt::Expr(syn::Expr::Match(told), _) => Some(&told.arms),
                _ => None,
            });
            self.0.extend(arms.flatten().filter_map(|arm| match &*arm.body {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            }));
        }
        syn::visit::visit_impl_item_fn(self, method);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let name = match &*call.func {
            syn::Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        if matches!(name.as_deref(), Some("new" | "conflict" | "missing" | "absent")) {
            let literals = call.args.iter().filter_map(|argument| match argument {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            });
            let code = |text: &String| {
                text.len() > 1 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            };
            self.0.extend(literals.filter(code).filter(|text| text != env!("CARGO_PKG_NAME")));
        }
        syn::visit::visit_expr_call(self, call);
    }
}

#[test]
fn every_code_in_the_source_is_in_the_list() {
    let mut codes = Codes::default();
    let tells = |text: &&String| text.contains("Problem") || text.contains("fn code(");
    for text in sources("src").iter().filter(tells) {
        codes.visit_file(&syn::parse_file(text).expect("Rust"));
    }
    let listed: BTreeSet<String> =
        CODES.iter().map(|(_, code)| *code).chain([UNPROVOKED]).map(str::to_owned).collect();
    assert_eq!(codes.0, listed);
}
