//! `onsale dev`: runs migrated private stores, a demo sale and the service, and prints what to try
//! next.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use onsale::admin::demo::Demo;
use onsale::app::{self, StartError};
use onsale::caller::Role;
use onsale::config::{
    AccessSettings, DB_POOL, HttpSettings, JWT_ISSUER, PostgresSettings, QueueSettings,
    RECONCILE_EVERY, RedisSettings, RedisTlsSettings, Secret, Settings, WebhookSettings,
};
use onsale::store::pg::token_generations::TokenGenerations;
use onsale::store::pg::{Pg, migrations};
use onsale_dev::{DevError, Environment};
use tokio_util::sync::CancellationToken;

use super::output;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Networks to which webhooks may go without `ONSALE_WEBHOOK_ALLOW`.
const LOCAL: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// Lifetime of the administrator's token in the welcome text.
const ADMIN_TTL: Duration = Duration::from_hours(7 * 24);

/// The command line of `onsale dev`.
#[derive(Debug, clap::Args)]
pub struct DevArgs {
    #[command(flatten)]
    dev: onsale_dev::Args,
    #[command(flatten)]
    http: HttpSettings,
    #[command(flatten)]
    webhook: WebhookSettings,
}

/// Runs the private stores, and on them the service or the command in `args`.
pub async fn run(args: DevArgs) -> Result<ExitCode, DevError> {
    let DevArgs { dev, http, webhook } = args;
    let running =
        onsale_dev::run(&dev, |environment, stop| service((http, webhook), environment, stop));
    Box::pin(running).await
}

/// Migrates the database, creates the demo sale, and serves until `stop`.
async fn service(
    own: (HttpSettings, WebhookSettings),
    environment: Environment,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let settings = settings(own, environment)?;
    let pg = Pg::lazy(settings.postgres.database_url.reveal(), settings.postgres.db_pool)?;
    migrations::apply(&pg).await?;
    let generations = TokenGenerations::read(&pg).await?;
    let tokens = app::tokens(&settings.access)?.with_generations(generations);
    let running = start(settings).await?;
    let demo = running.demo().await?;
    let minted = tokens.mint(demo.admin, Role::Admin, ADMIN_TTL)?;
    welcome(running.addr, &demo, &minted.access_token);
    stop.cancelled().await;
    running.stop().cancel();
    running.stopped().await;
    Ok(())
}

/// Starts to serve; on a free port if the configured one is in use.
async fn start(mut settings: Settings) -> Result<app::Running, StartError> {
    match app::start(settings.clone()).await {
        Err(StartError::Listen(address, error)) if address.port() != 0 => {
            output::note(format_args!("onsale: {address}: {error}; using a free port instead"));
            settings.http.listen.set_port(0);
            app::start(settings).await
        }
        other => other,
    }
}

fn settings(
    (http, mut webhook): (HttpSettings, WebhookSettings),
    environment: Environment,
) -> Result<Settings, Failure> {
    if webhook.webhook_allow.is_empty() {
        // Receivers under development run on this machine.
        webhook.webhook_allow = LOCAL.iter().filter_map(|text| text.parse().ok()).collect();
    }
    Ok(Settings {
        http,
        webhook,
        postgres: PostgresSettings {
            database_url: Secret::new(environment.database_url),
            db_pool: DB_POOL,
            unsafe_postgres: !environment.durable,
        },
        redis: RedisSettings {
            redis_url: Secret::new(environment.redis_url),
            tls: RedisTlsSettings::default(),
            reconcile_every: humantime::parse_duration(RECONCILE_EVERY)?,
        },
        access: AccessSettings {
            jwt_secret: Some(Secret::new(environment.jwt_secret)),
            jwt_issuer: JWT_ISSUER.to_owned(),
            jwks_path: None,
            jwks_url: None,
            open_signup: true,
        },
        queue: QueueSettings { queue_secrets: vec![Secret::new(environment.queue_secrets)] },
    })
}

/// Prints what to open and what to paste. The commands work as printed, in this order.
fn welcome(addr: SocketAddr, demo: &Demo, admin: &str) {
    let (schedule, upcoming) = (demo.open, demo.upcoming);
    output::line(format_args!(
        r#"
  onsale is listening on http://{addr}

  The sale, in a browser         http://{addr}/
  The API, to read and try       http://{addr}/docs
  The demo sale, open now        http://{addr}/v1/schedules/{schedule}
  A sale that opens soon         http://{addr}/v1/schedules/{upcoming}

  From joining the queue to owning two seats, with curl:

    B=http://{addr}
    field() {{ python3 -c 'import json,sys; print(json.load(sys.stdin)["'$1'"])'; }}
    TOKEN=$(curl -s $B/v1/users -H 'content-type: application/json' -d '{{"name":"Kim"}}' | field access_token)
    TICKET=$(curl -s -X POST $B/v1/schedules/{schedule}/queue -H "authorization: Bearer $TOKEN" | field queue_token)
    curl -s $B/v1/queue/ticket -H "queue-token: $TICKET"; echo
    HOLD=$(curl -s $B/v1/schedules/{schedule}/reservations -H "authorization: Bearer $TOKEN" -H "queue-token: $TICKET" -H "idempotency-key: hold-1" -H 'content-type: application/json' -d '{{"quantity":2}}' | field hold_id)
    curl -s $B/v1/points/charges -H "authorization: Bearer $TOKEN" -H 'idempotency-key: charge-1' -H 'content-type: application/json' -d '{{"amount":500000}}'; echo
    curl -s $B/v1/payments -H "authorization: Bearer $TOKEN" -H 'idempotency-key: pay-1' -H 'content-type: application/json' -d '{{"hold_id":"'$HOLD'"}}'; echo
    curl -s "$B/v1/reservations?status=COMPLETE" -H "authorization: Bearer $TOKEN"; echo

  For the box office: the console, already signed in with a token for a week

    http://{addr}/admin#token={admin}

    ADMIN={admin}
    curl -s $B/v1/admin/schedules/{schedule}/stats -H "authorization: Bearer $ADMIN"; echo
    curl -s -X PATCH $B/v1/admin/schedules/{schedule}/queue -H "authorization: Bearer $ADMIN" -H 'content-type: application/json' -d '{{"admit_per_second":5,"capacity":20}}'; echo

  Ctrl-C stops the service and its stores; the next start finds the data again."#
    ));
}
