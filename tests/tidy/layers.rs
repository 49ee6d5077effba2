//! Who may import whom, and who may name which driver.

use crate::imports::{Named, named};
use crate::source::Source;

/// From left to right; an import goes rightward only, and not between neighbours of one column.
const COLUMNS: [&[&str]; 14] = [
    &["main", "cli"],
    &["app"],
    &["web"],
    &["upkeep", "admin"],
    &["payment"],
    &["reservation"],
    &["point", "hold"],
    &["queue"],
    &["concert", "user"],
    &["board"],
    &["outbox", "idempotency"],
    &["http", "store"],
    &["telemetry"],
    &["config"],
];

/// What goes sideways on purpose: a store's failure is told as a problem.
const SIDEWAYS: [(&str, &str); 1] = [("http", "store")];

/// Who may use the private servers of development, which themselves use nothing of ours.
const DEVELOPMENT: &str = "dev";

/// Modules that are not features: any file of theirs may be used.
const FOUNDATIONS: [&str; 7] =
    ["http", "store", "config", "telemetry", "board", "outbox", "idempotency"];

fn column(module: &str) -> Option<usize> {
    COLUMNS.iter().position(|column| column.contains(&module))
}

/// The modules of ours that a file names: the first two parts of each path below the crate.
fn ours(source: &Source) -> Vec<(String, Option<String>)> {
    let below = |path: Named| {
        let mut parts = path.into_iter();
        (parts.next()? == "crate").then(|| Some((parts.next()?, parts.next())))?
    };
    let mut found: Vec<_> = named(source).into_iter().filter_map(below).collect();
    found.sort();
    found.dedup();
    found
}

/// Imports that go leftward, sideways, or to where nobody may go.
pub fn direction(source: &Source) -> Vec<String> {
    let Some(from) = source.module().into_iter().next() else {
        return Vec::new();
    };
    let wrong = |to: &str| match (column(&from), column(to)) {
        _ if from == to => false,
        _ if from == DEVELOPMENT => true,
        (Some(from), _) if to == DEVELOPMENT => from > 0,
        (Some(left), Some(right)) => right <= left && !SIDEWAYS.contains(&(from.as_str(), to)),
        // A module that has no column yet must be given one; other names are types and functions.
        (None, _) => true,
        (Some(_), None) => false,
    };
    let mut broken: Vec<_> = ours(source).into_iter().map(|(to, _)| to).collect();
    broken.dedup();
    broken.retain(|to| wrong(to));
    broken.into_iter().map(|to| format!("{} imports {to}", source.path)).collect()
}

/// Uses of another feature otherwise than by its service, its model's types, or, inside of a use
/// case's transaction, its SQL.
pub fn boundary(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let module = source.module();
    let Some(from) = module.first() else {
        return Vec::new();
    };
    if column(from).is_some_and(|column| column < 2) {
        // The command line and the app wire everything.
        return Vec::new();
    }
    // Use cases may be spread over several files; these three are never part of one.
    let use_case = !module.iter().any(|part| ["http", "model", "redis"].contains(&part.as_str()));
    let wrong = |to: &str, file: &str| match file {
        _ if to == from || FOUNDATIONS.contains(&to) => file == "redis" && to != from,
        "http" => true,
        // Upkeep carries from one store to the other, below the use cases.
        "redis" => from != "upkeep",
        // Pages are above the use cases: they never ask a store themselves.
        "pg" => !use_case || from == "web",
        _ => false,
    };
    let of = |(to, file): (String, Option<String>)| {
        let file = file.filter(|file| to != "store" && wrong(&to, file))?;
        Some(format!("{} reaches into {to}/{file}.rs", source.path))
    };
    ours(source).into_iter().filter_map(of).collect()
}

/// Drivers named outside of the files that are there for them.
pub fn drivers(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let module = source.module();
    let first = module.first().map_or("", String::as_str);
    let has = |part: &str| module.iter().any(|is| is == part);
    let web = ["axum", "hyper", "hyper_util", "tower_http", "utoipa_axum", "utoipa_swagger_ui"];
    let allowed = |name: &str| match name {
        name if web.contains(&name) => has("http") || first == "app" || first == "web",
        "sqlx" => has("pg"),
        "redis" => {
            module.last().is_some_and(|last| last == "redis")
                || first == "board"
                || first == "store"
        }
        _ => true,
    };
    let mut broken: Vec<_> =
        named(source).into_iter().filter_map(|path| path.into_iter().next()).collect();
    broken.sort();
    broken.dedup();
    broken.retain(|name| !allowed(name));
    broken.into_iter().map(|name| format!("{} names {name}", source.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) -> bool {
        !rule(&Source::new(path, text)).is_empty()
    }

    #[test]
    fn an_import_to_the_left_or_between_neighbours_is_found() {
        for (path, text) in [
            ("src/http/body.rs", "use crate::user::model::User;"),
            ("src/store/pg.rs", "use crate::http::problem::Problem;"),
            ("src/point/service.rs", "use crate::hold::service::Holds;"),
            ("src/concert/service.rs", "use super::super::user::service::Users;"),
            ("src/queue/service.rs", "fn f() { crate::payment::service::pay(); }"),
            ("src/upkeep/relay.rs", "use crate::admin::service::Admin;"),
            ("src/queue/service.rs", "use crate::dev::run;"),
            ("src/dev/mod.rs", "use crate::config::Settings;"),
            ("src/surprise/mod.rs", "use crate::config::Settings;"),
            ("src/admin/service.rs", "use crate::web::page::Page;"),
        ] {
            assert!(broken(direction, path, text), "{path}: {text}");
        }
        for (path, text) in [
            ("src/payment/service.rs", "use crate::reservation::service::Reservations;"),
            ("src/http/problem.rs", "use crate::store::StoreError;"),
            ("src/queue/service.rs", "use super::model::Ticket;"),
            ("src/cli.rs", "use onsale::dev::run;"),
            ("src/user/pg.rs", "use crate::store::pg::Tx;"),
        ] {
            assert!(!broken(direction, path, text), "{path}: {text}");
        }
    }

    #[test]
    fn reaching_into_another_feature_is_found() {
        for (path, text) in [
            ("src/payment/service.rs", "use crate::queue::redis::complete;"),
            ("src/payment/http.rs", "use crate::point::pg::debit;"),
            ("src/payment/model.rs", "fn f() { crate::point::pg::debit(); }"),
            ("src/reservation/http.rs", "use crate::concert::http::routes;"),
            ("src/queue/service.rs", "use crate::board::redis::read;"),
            ("src/hold/service.rs", "use crate::queue::redis::Line;"),
            ("src/upkeep/relay.rs", "use crate::queue::http::routes;"),
            ("src/web/sale.rs", "use crate::concert::pg::concert;"),
        ] {
            assert!(broken(boundary, path, text), "{path}: {text}");
        }
        for (path, text) in [
            ("src/payment/service.rs", "use crate::point::pg::debit;"),
            ("src/payment/http.rs", "use crate::idempotency::http::IdempotencyKey;"),
            ("src/payment/service.rs", "use crate::queue::service::Queue;"),
            ("src/queue/service.rs", "use super::redis::Scripts;"),
            ("src/queue/redis.rs", "use crate::store::redis::Redis;"),
            ("src/app.rs", "use crate::user::http::routes;"),
            ("src/payment/settle.rs", "use crate::point::pg::debit;"),
            ("src/upkeep/recover.rs", "use crate::hold::redis::apply;"),
        ] {
            assert!(!broken(boundary, path, text), "{path}: {text}");
        }
    }

    #[test]
    fn a_driver_in_the_wrong_file_is_found() {
        for (path, text) in [
            ("src/user/service.rs", "use axum::Router;"),
            ("src/user/service.rs", "fn f() { let x = sqlx::query!(\"select 1\"); }"),
            ("src/queue/service.rs", "fn f(c: redis::Cmd) {}"),
            ("src/queue/service.rs", "fn f() { tokio::select! { x = redis::cmd(\"A\") => {} } }"),
            ("src/cli.rs", "use hyper::server;"),
        ] {
            assert!(broken(drivers, path, text), "{path}: {text}");
        }
        for (path, text) in [
            ("src/user/http.rs", "use axum::Router;"),
            ("src/http/layers.rs", "use axum::Router;"),
            ("src/web/sale.rs", "use axum::Router;"),
            ("src/store/pg/migrations.rs", "use sqlx::migrate::Migrator;"),
            ("src/queue/redis.rs", "use redis::Cmd;"),
            ("src/queue/service.rs", "use super::redis; fn f() { redis::join(); }"),
            ("src/queue/mod.rs", "pub mod redis; pub use redis::Scripts;"),
        ] {
            assert!(!broken(drivers, path, text), "{path}: {text}");
        }
    }
}
