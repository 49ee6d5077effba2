//! Private stores, sales to measure on, pgbench, and the CPU time of PostgreSQL's processes.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use onsale::store::pg::{Pg, migrations};
use onsale_dev::Stores;
use sqlx::PgPool;

/// Holds per user.
pub const EACH: u32 = 10;

/// Private stores with durable commits.
pub struct Stage {
    pub stores: Stores,
    pub pool: PgPool,
}

/// A schedule with seats for `count` holds of 4 seats. The seats are all free or all held.
pub struct Sale {
    pub schedule: i64,
    pub first_seat: i64,
    pub first_user: i64,
    /// Number in the id of the first hold.
    pub first_hold: i64,
    pub count: u32,
}

/// Creates users for one sale. Each sale has its own, because a user who buys again and again has
/// an unrealistic history.
const PEOPLE: &str = r#"with made as (insert into "user" (name)
    select 'bench' from generate_series(1, $1) returning id)
    insert into point (user_id, amount) select id, 1000000000 from made returning user_id"#;

const SALE: &str = r#"
    with c as (insert into concert (title) values ('bench') returning id),
    s as (insert into concert_schedule (concert_id, reservation_available_at, deadline_at,
              concert_at, queue_opens_at, draw_secret, draw_commitment, max_seats_per_user,
              capacity, admit_per_second)
          select id, now() - interval '1 h', now() + interval '1 d', now() + interval '2 d',
                 now() - interval '2 h', sha256('a'), sha256('b'), 100, 1000000, 10000 from c
          returning id)
    insert into seat (concert_schedule_id, seat_number, section, "row", seat_price)
    select s.id, n, 'A', (n / 100)::text, 100 from s, generate_series(1, $1) n order by n
    returning concert_schedule_id, id"#;

const HELD: &str = "
    insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id, amount,
                             status, queue_sequence, reservation_at, expires_at)
    select c.concert_id, c.id, s.id, $2 + (s.id - $3) / 4 / 10,
           lpad(($4 + (s.id - $3) / 4)::text, 32, '0')::uuid, 100, 'PAYMENT_WAITING', 1,
           now(), now() + interval '1 h'
    from seat s join concert_schedule c on c.id = s.concert_schedule_id where c.id = $1";

impl Stage {
    pub async fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("onsale-sales-{}", std::process::id()));
        let stores = Stores::start(&folder).await.expect("stores");
        let pg = Pg::lazy(&stores.database_url(), 2).expect("a pool");
        migrations::apply(&pg).await.expect("the migrations apply");
        let pool = PgPool::connect(&stores.database_url()).await.expect("PostgreSQL");
        Self { stores, pool }
    }

    /// The URL of the database for a role of this name, which `pg_stat_activity` shows. Creates the
    /// role if it does not exist.
    pub async fn url_of(&self, role: &str) -> String {
        let mut url = reqwest::Url::parse(&self.stores.database_url()).expect("a URL");
        let create = format!(
            "do $$ begin create role \"{role}\" superuser login password '{}';
                   exception when duplicate_object then null; end $$",
            url.password().unwrap_or_default()
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&self.pool).await.expect("a role");
        url.set_username(role).expect("a role's name");
        url.into()
    }

    /// Waits until the relay has applied the whole outbox, so that the work of one turn does not
    /// count in the next.
    pub async fn settled(&self) {
        let left = "select count(*) from outbox";
        while sqlx::query_scalar::<_, i64>(left).fetch_one(&self.pool).await.expect("a count") > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Creates a sale beside the earlier ones, with 4 seats for each hold. Emptied tables would
    /// lead to unrealistic query plans.
    pub async fn sale(&self, count: usize, held: bool) -> Sale {
        let count = u32::try_from(count / super::CLIENTS * super::CLIENTS).expect("a count");
        let sale = self.create(count, 4, EACH).await;
        if held {
            let hold = sqlx::query(HELD).bind(sale.schedule).bind(sale.first_user);
            let hold = hold.bind(sale.first_seat).bind(sale.first_hold);
            hold.execute(&self.pool).await.expect("holds");
        }
        self.run(&["vacuum analyze", "checkpoint"]).await;
        sale
    }

    /// Creates a sale of `count` holds with this many seats for a hold and holds for a user.
    pub async fn create(&self, count: u32, seats: u32, each: u32) -> Sale {
        let made = sqlx::query_as(SALE).bind(i64::from(count * seats)).fetch_all(&self.pool).await;
        let made: Vec<(i64, i64)> = made.expect("seats");
        let schedule = made[0].0;
        let people = sqlx::query_scalar(PEOPLE).bind(i64::from(count.div_ceil(each)));
        let people: Vec<i64> = people.fetch_all(&self.pool).await.expect("people");
        let first_user = people.into_iter().min().expect("a user");
        let first_seat = made.iter().map(|row| row.1).min().expect("a seat");
        let first_hold = (schedule + 1000) * 1_000_000;
        Sale { schedule, first_seat, first_user, first_hold, count }
    }

    /// Runs statements outside of any transaction.
    pub async fn run(&self, statements: &[&'static str]) {
        for sql in statements {
            sqlx::query(*sql).execute(&self.pool).await.expect("done");
        }
    }

    /// Fails unless every hold, or payment, exists completely and once.
    pub async fn check(&self, sale: &Sale, paid: bool) {
        let (status, kind) = if paid { ("COMPLETE", "p") } else { ("PAYMENT_WAITING", "h") };
        let there = "select
            (select count(*) from reservation where status = $1 and concert_schedule_id = $2),
            (select count(*) from payment p join reservation r on r.id = p.reservation_id
             where r.concert_schedule_id = $2),
            (select count(*) from idempotency_key where key like $3 || '%' and outcome::text not like '%Err%'),
            (select count(*) from seat where concert_schedule_id = $2 and fence = 1)";
        let there = sqlx::query_as(there).bind(status).bind(sale.schedule);
        let there = there
            .bind(format!("{kind}{}", sale.first_hold / 1_000_000))
            .fetch_one(&self.pool)
            .await;
        let found: (i64, i64, i64, i64) = there.expect("counts");
        let (count, seats) = (i64::from(sale.count), i64::from(sale.count) * 4);
        assert_eq!(found, (seats, if paid { seats } else { 0 }, count, seats));
    }

    /// Fails unless every charge of the sale exists completely and once.
    pub async fn check_charges(&self, sale: &Sale) {
        let there = "select
            (select count(*) from point_history where kind = 'CHARGE' and amount = 10
               and user_id >= $1 and reference like $2),
            (select count(*) from idempotency_key where user_id >= $1 and key like $2),
            (select sum(amount - 1000000000)::bigint from point where user_id >= $1)";
        let keys = format!("c{}%", sale.first_hold / 1_000_000);
        let there = sqlx::query_as(there).bind(sale.first_user).bind(keys);
        let found: (i64, i64, i64) = there.fetch_one(&self.pool).await.expect("counts");
        let count = i64::from(sale.count);
        assert_eq!(found, (count, count, 10 * count));
    }

    /// Runs a script of this folder, each client its share.
    pub async fn pgbench(&self, script: &str, sale: &Sale) {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/sales/{script}.sql"));
        let mut run = tokio::process::Command::new("pgbench");
        run.args(["-n", "-M", "prepared", "-c", "8", "-j", "2", "-D", "i=0"]);
        run.arg(format!("-t{}", sale.count / 8)).arg("-f").arg(file);
        for (name, value) in [
            ("schedule", sale.schedule),
            ("seat", sale.first_seat),
            ("user", sale.first_user),
            ("hold", sale.first_hold),
        ] {
            run.arg(format!("-D{name}={value}"));
        }
        run.arg(self.stores.database_url()).stdout(Stdio::null()).stderr(Stdio::piped());
        let output = run.output().await.expect("pgbench");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Returns the CPU seconds of the postmaster and its children, including ended ones.
    pub fn cpu_seconds(&self) -> f64 {
        let postmaster = self.stores.postgres.pid();
        let mut ticks = 0;
        for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
            let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
            let Some((head, rest)) = stat.rsplit_once(") ") else { continue };
            let fields: Vec<&str> = rest.split(' ').collect();
            let number = |at: usize| fields[at].parse::<u32>().unwrap_or(0);
            if head.split(' ').next() == Some(&postmaster.to_string()) {
                ticks += (11..=14).map(number).sum::<u32>();
            } else if number(1) == postmaster {
                ticks += (11..=12).map(number).sum::<u32>();
            }
        }
        f64::from(ticks) / 100.0
    }
}
