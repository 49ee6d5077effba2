//! Which modules may import which, and which files may name which driver.

use std::collections::{HashMap, HashSet};

use crate::imports::{Named, named};
use crate::source::Source;

/// The columns of modules, left to right. A module imports only from columns to its right, never
/// from its own column.
pub const COLUMNS: [&[&str]; 17] = [
    &["main", "cli"],
    &["app"],
    &["web"],
    &["webhook", "job", "rehearsal"],
    &["upkeep", "admin"],
    &["payment"],
    &["reservation"],
    &["point", "seats"],
    &["queue"],
    &["concert", "user"],
    &["board"],
    &["outbox", "idempotency"],
    &["http"],
    &["caller"],
    &["store", "pagination", "precondition", "rate_limit", "strict_object"],
    &["telemetry"],
    &["config"],
];

/// Modules that are not features. Other modules may use all their files.
const FOUNDATIONS: [&str; 7] =
    ["http", "store", "config", "telemetry", "board", "outbox", "idempotency"];

fn column(module: &str) -> Option<usize> {
    COLUMNS.iter().position(|column| column.contains(&module))
}

/// The modules of this crate that a file names: the first two parts of each path below `crate`.
fn modules_named(source: &Source) -> Vec<(String, Option<String>)> {
    let below = |path: Named| {
        let mut parts = path.into_iter();
        (parts.next()? == "crate").then(|| Some((parts.next()?, parts.next())))?
    };
    let mut found: Vec<_> = named(source).into_iter().filter_map(below).collect();
    found.sort();
    found.dedup();
    found
}

/// Imports of modules to the left, or in the same column.
pub fn direction(source: &Source) -> Vec<String> {
    let Some(from) = source.module().into_iter().next() else {
        return Vec::new();
    };
    let wrong = |to: &str| match (column(&from), column(to)) {
        _ if from == to => false,
        (Some(left), Some(right)) => right <= left,
        // A module without a column must get one. Names that are not modules are types or
        // functions.
        (None, _) => true,
        (Some(_), None) => false,
    };
    let mut broken: Vec<_> = modules_named(source).into_iter().map(|(to, _)| to).collect();
    broken.dedup();
    broken.retain(|to| wrong(to));
    broken.into_iter().map(|to| format!("{} imports {to}", source.path)).collect()
}

/// Uses of files that are private to another feature. A feature may use the services and models of
/// others, and their SQL within the transaction of a use case.
pub fn boundary(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let module = source.module();
    let Some(from) = module.first() else {
        return Vec::new();
    };
    if column(from).is_some_and(|column| column < 2) {
        // The command line and the app wire all features together.
        return Vec::new();
    }
    // A use case may have several files, but never one of these three.
    let use_case = !module.iter().any(|part| ["http", "model", "redis"].contains(&part.as_str()));
    let wrong = |to: &str, file: &str| match file {
        _ if to == from || FOUNDATIONS.contains(&to) => file == "redis" && to != from,
        "http" => true,
        // Upkeep copies from one store to the other, below the use cases.
        "redis" => from != "upkeep",
        // Pages are above the use cases and never query a store.
        "pg" => !use_case || from == "web",
        _ => false,
    };
    let violation = |(to, file): (String, Option<String>)| {
        let file = file.filter(|file| to != "store" && wrong(&to, file))?;
        Some(format!("{} reaches into {to}/{file}.rs", source.path))
    };
    modules_named(source).into_iter().filter_map(violation).collect()
}

/// Imports of `crate::http` by a feature's model, service or store access. Only a feature's HTTP
/// and stream files may import it.
pub fn http(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let module = source.module();
    let first = module.first().map_or("", String::as_str);
    let may_import = ["http", "app", "web", "main", "cli"].contains(&first)
        || module.iter().any(|part| part == "http" || part == "stream");
    let imports = modules_named(source).into_iter().any(|(to, _)| to == "http");
    if imports && !may_import { vec![format!("{} imports http", source.path)] } else { Vec::new() }
}

/// Files that import each other, directly or through others. A parent that only declares a module
/// does not import it.
pub fn circles(sources: &[Source]) -> Vec<String> {
    let shipped: Vec<&Source> = sources.iter().filter(|source| !source.is_test()).collect();
    let files: HashMap<Named, usize> =
        shipped.iter().enumerate().map(|(at, source)| (source.module(), at)).collect();
    let file_of = |path: &Named| {
        (0..=path.len()).rev().find_map(|length| files.get(&path[..length]).copied())
    };
    let imports: Vec<HashSet<usize>> = shipped
        .iter()
        .enumerate()
        .map(|(at, source)| {
            let paths = named(source).into_iter();
            let own = paths.filter(|path| path[0] == "crate" && path.len() > 1);
            let targets = own.filter_map(|path| file_of(&path[1..].to_vec()));
            targets.filter(|to| *to != at).collect()
        })
        .collect();
    let reaches = |from: usize| {
        let (mut seen, mut open) = (HashSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            open.extend(imports[at].iter().filter(|to| seen.insert(**to)));
        }
        seen
    };
    let reached: Vec<HashSet<usize>> = (0..shipped.len()).map(reaches).collect();
    let mut found = Vec::new();
    for (at, targets) in imports.iter().enumerate() {
        let mut back: Vec<_> = targets.iter().filter(|to| reached[**to].contains(&at)).collect();
        back.sort();
        found.extend(back.into_iter().map(|to| {
            format!("{} imports {}, which leads back", shipped[at].path, shipped[*to].path)
        }));
    }
    found
}

/// Drivers that are named outside the files meant for them, and the private servers outside the
/// command line.
pub fn drivers(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let module = source.module();
    let first = module.first().map_or("", String::as_str);
    let has = |wanted: &str| module.iter().any(|part| part == wanted);
    let web = ["axum", "hyper", "hyper_util", "tower_http", "utoipa_axum", "utoipa_swagger_ui"];
    let allowed = |name: &str| match name {
        name if web.contains(&name) => has("http") || first == "app" || first == "web",
        "onsale_dev" => first == "cli",
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
            ("src/point/service.rs", "use crate::seats::service::Holds;"),
            ("src/concert/service.rs", "use super::super::user::service::Users;"),
            ("src/queue/service.rs", "fn f() { crate::payment::service::pay(); }"),
            ("src/upkeep/relay.rs", "use crate::admin::service::Admin;"),
            ("src/surprise/mod.rs", "use crate::config::Settings;"),
            ("src/admin/service.rs", "use crate::web::page::Page;"),
        ] {
            assert!(broken(direction, path, text), "{path}: {text}");
        }
        for (path, text) in [
            ("src/payment/service.rs", "use crate::reservation::service::Reservations;"),
            ("src/http/problem.rs", "use crate::store::StoreError;"),
            ("src/queue/service.rs", "use super::model::Ticket;"),
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
            ("src/seats/service.rs", "use crate::queue::redis::Line;"),
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
            ("src/upkeep/recover.rs", "use crate::seats::redis::apply;"),
        ] {
            assert!(!broken(boundary, path, text), "{path}: {text}");
        }
    }

    #[test]
    fn http_in_a_service_is_found_and_in_an_http_file_allowed() {
        let text = "use crate::http::api::problem::Problem;";
        for path in ["src/queue/service.rs", "src/user/model.rs", "src/concert/pg.rs"] {
            assert!(broken(http, path, text), "{path}");
        }
        for path in ["src/queue/http.rs", "src/concert/map/stream/topic.rs", "src/web/sale.rs"] {
            assert!(!broken(http, path, text), "{path}");
        }
    }

    #[test]
    fn files_that_import_each_other_are_found_even_through_a_third() {
        let source = |path, text| Source::new(path, text);
        let circle = [
            source("src/board/meta.rs", "use super::rate::Rate;"),
            source("src/board/rate.rs", "use crate::store::pg::Pg;"),
            source("src/store/pg.rs", "fn f() { crate::board::meta::read(); }"),
        ];
        assert_eq!(circles(&circle).len(), 3);
        assert_eq!(circles(&circle[..2]), Vec::<String>::new());
        let parent = [
            source("src/board/mod.rs", "pub mod meta;"),
            source("src/board/meta.rs", "use super::seats::Seats;"),
        ];
        assert_eq!(circles(&parent), Vec::<String>::new());
    }

    #[test]
    fn a_driver_in_the_wrong_file_is_found() {
        for (path, text) in [
            ("src/user/service.rs", "use axum::Router;"),
            ("src/user/service.rs", "fn f() { let x = sqlx::query!(\"select 1\"); }"),
            ("src/queue/service.rs", "fn f(c: redis::Cmd) {}"),
            ("src/queue/service.rs", "fn f() { tokio::select! { x = redis::cmd(\"A\") => {} } }"),
            ("src/cli.rs", "use hyper::server;"),
            ("src/app.rs", "use onsale_dev::Stores;"),
            ("crates/dev/src/run.rs", "use sqlx::PgConnection;"),
        ] {
            assert!(broken(drivers, path, text), "{path}: {text}");
        }
        for (path, text) in [
            ("src/user/http.rs", "use axum::Router;"),
            ("src/http/layers.rs", "use axum::Router;"),
            ("src/web/sale.rs", "use axum::Router;"),
            ("src/store/pg/migrations.rs", "use sqlx::migrate::Migrator;"),
            ("src/queue/redis.rs", "use redis::Cmd;"),
            ("src/cli/dev.rs", "use onsale_dev::run;"),
            ("crates/dev/src/pg.rs", "use sqlx::PgConnection;"),
            ("src/queue/service.rs", "use super::redis; fn f() { redis::join(); }"),
            ("src/queue/mod.rs", "pub mod redis; pub use redis::Scripts;"),
        ] {
            assert!(!broken(drivers, path, text), "{path}: {text}");
        }
    }
}
