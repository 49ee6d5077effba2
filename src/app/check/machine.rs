//! Checks this machine and the settings of this process.

use nix::sys::resource::{Resource, getrlimit};

use super::report::Report;
use crate::app::operations::OTHER_FILES;
use crate::config::{HttpSettings, Settings};

/// Checks the limit of open files and the settings that decide who counts as one client.
pub(super) fn check(settings: &Settings, report: &mut Report) {
    open_files(&settings.http, report);
    proxies(&settings.http, report);
    if settings.http.allow_drill {
        report.warn(
            "process.drill",
            "ONSALE_ALLOW_DRILL is set: onsale drill may cause failures here",
            "remove it, unless this is staging",
        );
    } else {
        report.ok("process.drill", "a drill is refused");
    }
    if settings.access.open_signup {
        report.warn(
            "process.sign_up",
            "sign-up is open: a person can have any number of users, and of queue entries",
            "set ONSALE_OPEN_SIGNUP=false, and let a shop or an identity provider sign buyers in",
        );
    } else {
        report.ok("process.sign_up", "sign-up is closed");
    }
}

fn proxies(http: &HttpSettings, report: &mut Report) {
    let limits = &http.limits;
    if limits.trusted_proxies.is_empty() {
        report.warn(
            "process.proxies",
            "no proxy is trusted: the peer of a connection counts as the client",
            "if a proxy or load balancer is in front, set ONSALE_TRUSTED_PROXIES; else all its \
             clients share the limits of one address",
        );
    } else {
        let proxies: Vec<String> = limits.trusted_proxies.iter().map(ToString::to_string).collect();
        let proxies = proxies.join(", ");
        report.ok("process.proxies", format!("trusted: {proxies}")).value("proxies", proxies);
    }
    let joins = limits.address_joins;
    if joins == 0 {
        report.warn(
            "process.joins",
            "joins per address have no limit",
            "set ONSALE_ADDRESS_JOINS, unless a proxy in front has such a limit",
        );
    } else {
        let text = format!("{joins} joins per minute from one address");
        report.ok("process.joins", text).value("joins", joins);
    }
}

fn open_files(http: &HttpSettings, report: &mut Report) {
    let name = "process.open_files";
    let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        let advice = "read it with ulimit -Hn";
        report.warn(name, "the limit of open files is not known", advice).case("unknown");
        return;
    };
    let others = OTHER_FILES as u64;
    let streams = http.max_streams as u64 + others;
    let connections = u64::from(http.limits.max_connections) + others;
    let advice = format!(
        "raise the hard limit (LimitNOFILE, nofile) to {connections}, or lower the setting"
    );
    let finding = if hard < streams {
        report.fail(name, format!("{hard}: too few for ONSALE_MAX_STREAMS"), advice)
    } else if hard < connections {
        report.warn(name, format!("{hard}: too few for ONSALE_MAX_CONNECTIONS"), advice)
    } else {
        report.ok(name, format!("{hard} on this machine"))
    };
    finding.value("files", hard).value("needed", connections);
}
